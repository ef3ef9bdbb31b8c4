//! Everything in an event's path that may fail does fail, often, and no event is lost, reordered or invented.

use acceptance::{Cloud, Deployed, Faulty, Storm, Weather};

use crate::Test;

pub(crate) const TESTS: &[Test] = &[("storm_loses_no_event", storm_loses_no_event)];

/// 200 carts are written concurrently while functions are killed, Kinesis throttles, and calls of every kind
/// fail, before and after their effect. Then the table contains the commands' events, every consumer has the
/// events of the table in order, and `audit` agrees.
fn storm_loses_no_event(cloud: &Cloud) {
    let faulty = Faulty::beside(cloud, &Weather::storm()).expect("microburst can be installed");
    let place = faulty.place();
    let up = Deployed::local(&place);
    assert_eq!(faulty.faults(), [], "the deployer does not meet the storm");

    let calm = Storm { events: 2_000, carts: 200 }.over(&faulty, &place, &up);
    assert_eq!(calm.differences, [""; 0], "{calm}");
    place.deploys(&["audit", "local", "--grace", "1s"]);
    for function in ["capture", "archive", "log-events", "add-item"] {
        let killed = calm.killed.get(&up.aws.scope.name(function)).copied().unwrap_or_default();
        assert!(killed >= 1, "{function} was never killed: {calm}");
    }
    for witness in &calm.witnesses {
        assert!(witness.repetitions() > 0, "{} got no repetitions: {calm}", witness.name);
    }
    for fault in [
        "kinesis PutRecords error:Provisioned",
        "kinesis PutRecords rejected records",
        "s3 PutObject",
        "dynamodb PutItem",
    ] {
        assert!(calm.faults.iter().any(|(fired, _)| fired.starts_with(fault)), "no {fault}: {calm}");
    }
}
