//! `probe`: one marked event goes through every hop, or it is said where it stopped.

use acceptance::{Cloud, Place, until};
use aws::{Aws, AwsNames};
use serde_json::{Value, json};

use crate::Test;

pub(crate) const TESTS: &[Test] = &[
    ("probe_is_seen_at_every_hop", probe_is_seen_at_every_hop),
    ("lost_probe_names_the_hop_it_stopped_at", lost_probe_names_the_hop_it_stopped_at),
];

/// `up --probe` ends with 0 when a probe has arrived, whether there was anything to do or not;
/// and `probe` tells each hop, in the order of the way, and when it was seen there.
fn probe_is_seen_at_every_hop(cloud: &Cloud) {
    let place = cloud.place();
    for times in ["first", "again"] {
        let up = place.deploys(&["up", "local", "--probe"]);
        assert!(up.stderr.contains("arrived everywhere"), "{times}: {up:#?}");
        assert_eq!(up.stdout.lines().count(), 6, "{times}: {up:#?}");
    }
    let told = place.deploys(&["probe", "local", "--format", "json"]).json();
    assert_eq!((&told["schema"], &told["environment"]), (&json!(1), &json!("local")));
    assert_eq!(told["arrived"], true, "{told:#}");
    let scope = place.scope("local");
    let name = |thing| scope.name(thing);
    let way: Vec<(&Value, &Value)> = hops(&told).iter().map(|hop| (&hop["hop"], &hop["name"])).collect();
    let expected = [
        ("table", name("events")),
        ("capture", name("capture")),
        ("stream", name("events")),
        ("handler", name("archive")),
        ("handler", name("log-events")),
        ("archive", scope.bucket_name("archive")),
    ];
    let expected = expected.map(|(hop, name)| (json!(hop), json!(name)));
    assert_eq!(way, expected.iter().map(|(hop, name)| (hop, name)).collect::<Vec<_>>());
    assert!(hops(&told).iter().all(|hop| hop["after_ms"].is_u64()), "{told:#}");
}

/// When `capture` is not fed, the probe was seen in the table and nowhere else, and what to look
/// at is told. When it is fed again, the way is open again.
fn lost_probe_names_the_hop_it_stopped_at(cloud: &Cloud) {
    let place = cloud.place();
    place.deploys(&["up", "local"]);
    let aws = place.aws("local");
    fed(&place, &aws, false);
    let stopped = place.deployer(&["probe", "local", "--within", "3s", "--format", "json"]);
    assert_eq!(stopped.code, Some(1), "{stopped:#?}");
    let told = stopped.json();
    assert_eq!(told["arrived"], false, "{told:#}");
    let seen: Vec<&Value> = hops(&told).iter().filter(|hop| hop["after_ms"].is_u64()).collect();
    assert_eq!(seen.iter().map(|hop| &hop["hop"]).collect::<Vec<_>>(), ["table"], "{told:#}");
    let capture = aws.scope.name("capture");
    for said in
        ["last seen in table", &format!("not in capture {capture}"), "drift local", "logs local capture"]
    {
        assert!(stopped.stderr.contains(said), "{said}: {stopped:#?}");
    }
    fed(&place, &aws, true);
    place.deploys(&["probe", "local"]);
}

/// Has `capture` fed from the table's stream, or not.
fn fed(place: &Place<'_>, aws: &Aws, enabled: bool) {
    let listed = aws.lambda.list_event_source_mappings().function_name(aws.scope.name("capture"));
    let listed = place.cloud.wait(listed.send()).expect("the function is there");
    let uuid = listed.event_source_mappings()[0].uuid().expect("every mapping has one").to_owned();
    let change = aws.lambda.update_event_source_mapping().uuid(&uuid).enabled(enabled);
    place.cloud.wait(change.send()).expect("the mapping is there");
    until("the mapping to change", || {
        let get = place.cloud.wait(aws.lambda.get_event_source_mapping().uuid(&uuid).send());
        let state = get.expect("the mapping is there").state;
        (state.as_deref() == Some(if enabled { "Enabled" } else { "Disabled" })).then_some(())
    });
}

fn hops(told: &Value) -> &[Value] {
    told["hops"].as_array().map_or(&[], Vec::as_slice)
}
