//! `probe`: one marked event passes every stage of the pipeline, or the stage where it stopped is reported.

use acceptance::{Cloud, Place, until};
use aws::{Aws, AwsNames};
use serde_json::{Value, json};

use crate::Test;

pub(crate) const TESTS: &[Test] = &[
    ("probe_is_seen_at_every_stage", probe_is_seen_at_every_stage),
    ("lost_probe_names_the_stage_it_stopped_at", lost_probe_names_the_stage_it_stopped_at),
];

/// `up --probe` exits with 0 when a probe has arrived, whether there was anything to do or not. `probe` lists
/// all stages in order, and when the probe was seen at each of them.
fn probe_is_seen_at_every_stage(cloud: &Cloud) {
    let place = cloud.place();
    for times in ["first", "again"] {
        let up = place.deploys(&["up", "local", "--probe"]);
        assert!(up.stderr.contains("arrived everywhere"), "{times}: {up:#?}");
        assert_eq!(up.stdout.lines().count(), 6, "{times}: {up:#?}");
    }
    let report = place.deploys(&["probe", "local", "--format", "json"]).json();
    assert_eq!((&report["schema"], &report["environment"]), (&json!(1), &json!("local")));
    assert_eq!(report["arrived"], true, "{report:#}");
    let scope = place.scope("local");
    let name = |thing| scope.name(thing);
    let way: Vec<(&Value, &Value)> =
        stages(&report).iter().map(|stage| (&stage["stage"], &stage["name"])).collect();
    let expected = [
        ("table", name("events")),
        ("capture", name("capture")),
        ("stream", name("events")),
        ("handler", name("archive")),
        ("handler", name("log-events")),
        ("archive", scope.bucket_name("archive")),
    ];
    let expected = expected.map(|(stage, name)| (json!(stage), json!(name)));
    assert_eq!(way, expected.iter().map(|(stage, name)| (stage, name)).collect::<Vec<_>>());
    assert!(stages(&report).iter().all(|stage| stage["after_ms"].is_u64()), "{report:#}");
}

/// When the mapping of `capture` is disabled, the probe is seen only in the table, and hints are reported.
/// When it is enabled again, the next probe arrives.
fn lost_probe_names_the_stage_it_stopped_at(cloud: &Cloud) {
    let place = cloud.place();
    place.deploys(&["up", "local"]);
    let aws = place.aws("local");
    fed(&place, &aws, false);
    let stopped = place.deployer(&["probe", "local", "--within", "3s", "--format", "json"]);
    assert_eq!(stopped.code, Some(1), "{stopped:#?}");
    let report = stopped.json();
    assert_eq!(report["arrived"], false, "{report:#}");
    let seen: Vec<&Value> = stages(&report).iter().filter(|stage| stage["after_ms"].is_u64()).collect();
    assert_eq!(seen.iter().map(|stage| &stage["stage"]).collect::<Vec<_>>(), ["table"], "{report:#}");
    let capture = aws.scope.name("capture");
    for said in
        ["last seen in table", &format!("not in capture {capture}"), "drift local", "logs local capture"]
    {
        assert!(stopped.stderr.contains(said), "{said}: {stopped:#?}");
    }
    fed(&place, &aws, true);
    place.deploys(&["probe", "local"]);
}

/// Enables or disables the mapping from the table's stream to `capture`.
fn fed(place: &Place<'_>, aws: &Aws, enabled: bool) {
    let listed = aws.lambda.list_event_source_mappings().function_name(aws.scope.name("capture"));
    let listed = place.cloud.wait(listed.send()).expect("the function exists");
    let uuid = listed.event_source_mappings()[0].uuid().expect("every mapping has a UUID").to_owned();
    let change = aws.lambda.update_event_source_mapping().uuid(&uuid).enabled(enabled);
    place.cloud.wait(change.send()).expect("the mapping exists");
    until("the mapping to change", || {
        let get = place.cloud.wait(aws.lambda.get_event_source_mapping().uuid(&uuid).send());
        let state = get.expect("the mapping exists").state;
        (state.as_deref() == Some(if enabled { "Enabled" } else { "Disabled" })).then_some(())
    });
}

fn stages(report: &Value) -> &[Value] {
    report["stages"].as_array().map_or(&[], Vec::as_slice)
}
