//! `up`, `plan` and `down`: everything comes, stays, and goes.

use acceptance::Cloud;

use crate::Test;

pub(crate) const TESTS: &[Test] = &[("up_then_nothing_to_do_then_down", up_then_nothing_to_do_then_down)];

fn up_then_nothing_to_do_then_down(cloud: &Cloud) {
    let place = cloud.place();
    let up = place.deploys(&["up", "local"]);
    assert!(up.stderr.contains("33 to create"), "{}", up.stderr);
    assert!(up.stderr.contains("local is up"), "{}", up.stderr);

    let again = place.deploys(&["up", "local"]);
    assert!(again.stderr.contains("Nothing to do"), "{}", again.stderr);

    let down = place.deploys(&["down", "local"]);
    assert!(down.stderr.contains("local is down"), "{}", down.stderr);
    let again = place.deploys(&["down", "local"]);
    assert!(again.stderr.contains("nothing to remove"), "{}", again.stderr);
}
