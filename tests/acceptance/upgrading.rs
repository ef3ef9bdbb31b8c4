//! Deployments of an earlier release are updated in place: nothing is replaced, nothing is lost, and no drift
//! is reported.

use std::fs;
use std::path::Path;

use acceptance::{Cassette, Cloud, Hollow, Place, Run};
use aws::AwsNames;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;

use crate::Test;

pub(crate) const TESTS: &[Test] =
    &[("earlier_releases_are_upgraded_in_place", earlier_releases_are_upgraded_in_place)];

/// Every recording is sent to its own account, some data is added, and this release is deployed.
fn earlier_releases_are_upgraded_in_place(cloud: &Cloud) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("acceptance/releases");
    let recordings = fs::read_dir(folder).expect("recordings exist");
    let mut recordings: Vec<_> =
        recordings.map(|entry| entry.expect("the folder can be listed").path()).collect();
    recordings.sort();
    assert!(!recordings.is_empty());
    let hollow = Hollow::of(cloud).expect("a temporary folder can be created");
    for recording in recordings {
        let cassette = Cassette::read(&recording).expect("the file is a recording");
        let place = cloud.place_of_recordings();
        place.environment("local", &cassette.environment);
        cassette.play(&place).expect("the cloud answers");
        store(&place);
        let run = |arguments: &[&str]| Run::of(&mut hollow.command(&place, arguments));

        let name = recording.display();
        let history = run(&["history", "local", "--format", "json"]).json();
        let deployed = history["runs"][0]["deployed"].as_array().expect("ids are a list").clone();
        assert!(deployed.len() > 50, "{name}: {history:#}");
        let plan = run(&["plan", "local", "--format", "json"]).json();
        let steps = plan["resources"].as_array().expect("resources are a list");
        for step in steps.iter().filter(|step| deployed.contains(&step["id"])) {
            let in_place = ["keep", "update"].map(Value::from).contains(&step["action"]);
            let verdicts = step["verdicts"].as_array().expect("verdicts are a list");
            // A resource that the current stack does not contain is an orphan.
            let right = ["in_sync", "pending", "orphan"].map(Value::from);
            let right = verdicts.iter().all(|verdict| right.contains(verdict));
            assert!(in_place && right && step["risk"] == "safe", "{name}: {step:#}");
        }
        let known = |id: &Value| steps.iter().any(|step| step["id"] == *id);
        assert!(deployed.iter().all(known), "{name}: a resource is missing in the plan: {plan:#}");
        place.environment("local", &cassette.environment.replace("memory_mb = 256", "memory_mb = 512"));
        let up = run(&["up", "local"]);
        assert_eq!(up.code, Some(0), "{name}: {up:#?}");
        let drift = run(&["drift", "local"]);
        // 6: nothing but orphans.
        assert!(matches!(drift.code, Some(0 | 6)), "{name}: {drift:#?}");
        assert_eq!(stored(&place), (1, 1), "{name}: the stored data is kept");
        let history = run(&["history", "local", "--format", "json"]);
        let runs = history.json()["runs"].as_array().map(Vec::len);
        assert!(runs.is_some_and(|runs| runs > 1), "{name}: {history:#?}");
        let down = run(&["down", "local"]);
        assert_eq!(down.code, Some(0), "{name}: {down:#?}");
        assert!(place.inventory().is_empty(), "{name}: {:?}", place.inventory().keys());
    }
}

/// Puts an item into the table and an object into the bucket.
fn store(place: &Place<'_>) {
    let aws = place.aws("local");
    let (table, bucket) = (aws.scope.name("events"), aws.scope.bucket_name("archive"));
    place.cloud.wait(async {
        let put = aws.dynamodb.put_item().table_name(&table);
        let put =
            put.item("AggregateId", AttributeValue::S("cart#00000000-0000-0000-0000-000000000007".into()));
        let put = put.item("Version", AttributeValue::N("1".into()));
        put.send().await.expect("the table exists");
        let put = aws.s3.put_object().bucket(&bucket).key("events/kept").body(b"kept".to_vec().into());
        put.send().await.expect("the bucket exists");
    });
}

/// Returns the numbers of items and objects.
fn stored(place: &Place<'_>) -> (i32, usize) {
    let aws = place.aws("local");
    let (table, bucket) = (aws.scope.name("events"), aws.scope.bucket_name("archive"));
    place.cloud.wait(async {
        let items = aws.dynamodb.scan().table_name(&table).send().await.expect("the table exists").count;
        let objects = aws.s3.list_objects_v2().bucket(&bucket).send().await.expect("the bucket exists");
        (items, objects.contents().len())
    })
}
