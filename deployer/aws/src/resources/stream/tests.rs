//! Requests to Kinesis, and the handling of answers that no emulator gives.

use serde_json::{Value, json};

use super::*;
use crate::testing::{Script, ScriptedAnswer, body, fault, scope, update};

fn stream() -> Stream {
    Stream::new(&scope(), "events")
}

/// Returns a summary of the stream in this state, with these fields in addition.
fn summary_of(status: &str, extra: Value) -> ScriptedAnswer {
    let mut summary = json!({
        "StreamName": "demo-dev-events",
        "StreamARN": "arn:aws:kinesis:eu-central-1:111111111111:stream/demo-dev-events",
        "StreamStatus": status,
        "StreamModeDetails": {"StreamMode": "PROVISIONED"},
        "RetentionPeriodHours": 24,
        "StreamCreationTimestamp": 1.0,
        "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
        "EncryptionType": "NONE",
        "OpenShardCount": 1,
    });
    summary
        .as_object_mut()
        .expect("the value is an object")
        .extend(extra.as_object().expect("the value is an object").clone());
    body(json!({"StreamDescriptionSummary": summary}))
}

fn seen(script: Script, status: &str) -> Script {
    script.on("DescribeStreamSummary", summary_of(status, json!({})))
}

fn absent(script: Script) -> Script {
    script.on("DescribeStreamSummary", fault(400, "ResourceNotFoundException", "Stream not found"))
}

/// Answers all reads but the summary as for an owned stream without any settings.
fn bare(script: Script) -> Script {
    let tags: Vec<Value> =
        scope().tags().into_iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    script
        .on("GetResourcePolicy", body(json!({"Policy": "{}"})))
        .on("ListTagsForStream", body(json!({"Tags": tags, "HasMoreTags": false})))
}

fn in_use() -> ScriptedAnswer {
    fault(400, "ResourceInUseException", "Stream demo-dev-events under account 111111111111 already exists.")
}

async fn live(script: &Script) -> Stream {
    stream().read(&script.aws()).await.expect("the read succeeds").expect("the resource exists").resource
}

#[tokio::test(start_paused = true)]
async fn stream_being_deleted_is_waited_for_and_recreated() {
    let script = absent(seen(seen(Script::new(), "DELETING"), "DELETING"));
    let script = bare(seen(seen(script, "CREATING"), "ACTIVE")).on("CreateStream", body(""));
    stream().create(&scope().tags(), &script.aws()).await.expect("the creation succeeds");
    assert_eq!(script.writes(), ["CreateStream"]);
    assert_eq!(
        script.calls()[..4].join(" "),
        "DescribeStreamSummary DescribeStreamSummary DescribeStreamSummary CreateStream"
    );
}

#[tokio::test(start_paused = true)]
async fn new_stream_not_found_by_a_change_is_retried() {
    let script = bare(seen(absent(Script::new()), "ACTIVE")).on("CreateStream", body(""));
    let script =
        script.on("IncreaseStreamRetentionPeriod", fault(400, "ResourceNotFoundException", "not found"));
    let stream = stream().retention_hours(48);
    let error = stream.create(&scope().tags(), &script.aws()).await.expect_err("the error is retryable");
    assert_eq!(error.class, Class::Propagating);
}

#[tokio::test(start_paused = true)]
async fn stream_creation_limit_is_retried() {
    let said = "Streams that can simultaneously be in CREATING or DELETING state: 5";
    let script = absent(Script::new()).on("CreateStream", fault(400, "LimitExceededException", said));
    let error = stream().create(&scope().tags(), &script.aws()).await.expect_err("the error is retryable");
    assert!(error.class.passes(), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn unmanaged_stream_is_not_adopted_on_create() {
    let script = seen(absent(Script::new()), "ACTIVE").on("CreateStream", in_use());
    let script = script.on(
        "ListTagsForStream",
        body(json!({"Tags": [{"Key": "team", "Value": "another"}], "HasMoreTags": false})),
    );
    let error = stream().create(&scope().tags(), &script.aws()).await.expect_err("the resource is unmanaged");
    assert!(error.hint.expect("the error has a hint").contains("created meanwhile"));
    assert_eq!(script.writes(), ["CreateStream"]);
}

#[tokio::test]
async fn stream_being_deleted_is_absent() {
    let script = bare(seen(Script::new(), "DELETING"));
    assert!(stream().read(&script.aws()).await.expect("the read succeeds").is_none());
}

#[tokio::test]
async fn stream_with_unknown_tags_is_not_absent() {
    let script = seen(Script::new(), "ACTIVE").on("GetResourcePolicy", body(json!({"Policy": ""})));
    let script = script.on("ListTagsForStream", fault(400, "ResourceNotFoundException", "not found"));
    let error = stream().read(&script.aws()).await.expect_err("one of the reads failed");
    assert_eq!(error.class, Class::Propagating);
}

#[tokio::test(start_paused = true)]
async fn stream_changes_are_made_one_by_one() {
    let extra = json!({
        "StreamModeDetails": {"StreamMode": "ON_DEMAND"},
        "RetentionPeriodHours": 48,
        "OpenShardCount": 4,
        "EncryptionType": "KMS",
        "KeyId": "alias/aws/kinesis",
        "EnhancedMonitoring": [{"ShardLevelMetrics": ["IncomingBytes"]}],
        "MaxRecordSizeInKiB": 2048,
    });
    let changed = json!({"OpenShardCount": 4});
    let seen_twice = || summary_of("ACTIVE", extra.clone());
    let mut script = bare(Script::new())
        .on("DescribeStreamSummary", seen_twice())
        .on("DescribeStreamSummary", seen_twice());
    for _ in 0..8 {
        script = seen(script, "UPDATING");
        script = script.on("DescribeStreamSummary", summary_of("ACTIVE", changed.clone()));
    }
    let calls = [
        "UpdateStreamMode",
        "UpdateShardCount",
        "DecreaseStreamRetentionPeriod",
        "StopStreamEncryption",
        "DisableEnhancedMonitoring",
        "UpdateMaxRecordSize",
    ];
    for call in calls {
        // Each change finds the previous one still in progress once, and waits for it.
        script = script.on(call, in_use()).on(call, body("{}"));
    }
    let live = live(&script).await;
    update(&stream(), &live, &script.aws()).await.expect("all settings are reset");
    let mut writes = script.writes();
    writes.dedup();
    assert_eq!(writes, calls);
    let counts: Vec<_> =
        script.sent("UpdateShardCount").iter().map(|sent| sent["TargetShardCount"].clone()).collect();
    assert_eq!(counts, [json!(2), json!(2), json!(1)], "at most half, and the first attempt is too early");
    // A summary that says UPDATING comes between any two changes.
    let calls = script.calls();
    let first = calls.iter().position(|call| call == "UpdateShardCount").expect("the operation was called");
    assert_eq!(calls[first - 2..first], ["DescribeStreamSummary"; 2]);
}

/// "This operation is only supported for data streams that use the on-demand capacity mode"
/// ("UpdateStreamRecordDistributionStrategy", Kinesis API reference).
#[tokio::test(start_paused = true)]
async fn distribution_is_changed_while_the_stream_is_on_demand() {
    let by_hand = json!({
        "StreamModeDetails": {"StreamMode": "ON_DEMAND"},
        "RecordDistributionStrategy": "AUTO",
    });
    let script = bare(Script::new())
        .on("DescribeStreamSummary", summary_of("ACTIVE", by_hand.clone()))
        .on(
            "DescribeStreamSummary",
            summary_of("ACTIVE", json!({"StreamModeDetails": {"StreamMode": "ON_DEMAND"}})),
        )
        .on(
            "DescribeStreamSummary",
            summary_of("ACTIVE", json!({"StreamModeDetails": {"StreamMode": "ON_DEMAND"}})),
        )
        .on("DescribeStreamSummary", summary_of("ACTIVE", json!({})))
        .on("UpdateStreamRecordDistributionStrategy", body("{}"))
        .on("UpdateStreamMode", body("{}"));
    let live = live(&script).await;
    assert_eq!(live.distribution, "AUTO");
    update(&stream(), &live, &script.aws()).await.expect("both settings are reset");
    assert_eq!(script.writes(), ["UpdateStreamRecordDistributionStrategy", "UpdateStreamMode"]);
}

#[tokio::test(start_paused = true)]
async fn provisioned_stream_has_no_distribution_to_change() {
    let script = bare(Script::new())
        .on("DescribeStreamSummary", summary_of("ACTIVE", json!({"RecordDistributionStrategy": "AUTO"})));
    let live = live(&script).await;
    update(&stream(), &live, &script.aws()).await.expect("there is nothing to do");
    assert_eq!(script.writes(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn stream_retention_already_set_is_no_error() {
    let said =
        "Requested retention period (48 hours) for stream demo-dev-events can not be the same as current";
    let script = bare(seen(Script::new(), "ACTIVE"));
    let script = script.on("IncreaseStreamRetentionPeriod", fault(400, "InvalidArgumentException", said));
    let live = live(&script).await;
    update(&stream().retention_hours(48), &live, &script.aws()).await.expect("the retention is as desired");
}

#[tokio::test(start_paused = true)]
async fn stream_policy_by_hand_is_deleted() {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "kinesis:GetRecords", "Resource": "*"},
    ]});
    let script = seen(Script::new(), "ACTIVE")
        .on("GetResourcePolicy", body(json!({"Policy": policy.to_string()})))
        .on("DeleteResourcePolicy", body(""));
    let script = bare(script);
    let live = live(&script).await;
    assert!(live.resource_policy.is_some());
    update(&stream(), &live, &script.aws()).await.expect("the policy is deleted");
    assert_eq!(script.writes(), ["DeleteResourcePolicy"]);
}

#[tokio::test(start_paused = true)]
async fn busy_stream_is_deleted_with_its_consumers() {
    let script = absent(seen(seen(Script::new(), "UPDATING"), "DELETING"));
    let script = script.on("DeleteStream", in_use()).on("DeleteStream", body(""));
    Stream::delete("demo-dev-events", &script.aws()).await.expect("the deletion succeeds");
    assert_eq!(script.writes(), ["DeleteStream", "DeleteStream"]);
    assert_eq!(script.sent("DeleteStream")[1]["EnforceConsumerDeletion"], json!(true));
}

/// AWS keeps the shards, and sets their number from then on ("UpdateStreamMode", Kinesis API reference).
#[tokio::test(start_paused = true)]
async fn stream_becomes_on_demand_in_place() {
    let on_demand = json!({"StreamModeDetails": {"StreamMode": "ON_DEMAND"}, "OpenShardCount": 4});
    let desired = stream().shards(None);
    let script = bare(seen(seen(Script::new(), "ACTIVE"), "ACTIVE"))
        .on("UpdateStreamMode", body("{}"))
        .on("DescribeStreamSummary", summary_of("ACTIVE", on_demand));
    let before = live(&script).await;
    assert_eq!(desired.effect(StreamFieldName::Capacity, &before), Effect::InPlace(Risk::Safe));
    update(&desired, &before, &script.aws()).await.expect("the mode is changed");
    assert_eq!(script.writes(), ["UpdateStreamMode"]);
    assert_eq!(script.sent("UpdateStreamMode")[0]["StreamModeDetails"], json!({"StreamMode": "ON_DEMAND"}));
    assert_eq!(live(&script).await.capacity, desired.capacity, "the number of shards is no difference");
}

#[tokio::test(start_paused = true)]
async fn on_demand_stream_is_created_without_a_shard_count() {
    let script = bare(seen(absent(Script::new()), "ACTIVE")).on("CreateStream", body(""));
    let script = script.on("UpdateStreamMode", body("{}"));
    let created = stream().shards(None).create(&scope().tags(), &script.aws()).await;
    created.expect("the creation succeeds");
    let sent = &script.sent("CreateStream")[0];
    assert_eq!(sent["StreamModeDetails"], json!({"StreamMode": "ON_DEMAND"}));
    assert_eq!(sent.get("ShardCount"), None);
}

/// A stream that is being created reports no shards yet, so their number cannot be changed from there.
#[tokio::test(start_paused = true)]
async fn shards_are_counted_when_the_stream_is_active() {
    let script = bare(Script::new())
        .on("DescribeStreamSummary", summary_of("CREATING", json!({"OpenShardCount": 0})))
        .on("DescribeStreamSummary", summary_of("CREATING", json!({"OpenShardCount": 0})))
        .on("DescribeStreamSummary", summary_of("ACTIVE", json!({"OpenShardCount": 2})))
        .on("UpdateShardCount", body("{}"));
    let live = live(&script).await;
    update(&stream().shards(2), &live, &script.aws()).await.expect("there is nothing to do");
    assert_eq!(script.writes(), [""; 0]);
    update(&stream().shards(3), &live, &script.aws()).await.expect("a shard is added");
    assert_eq!(script.sent("UpdateShardCount")[0]["TargetShardCount"], json!(3));
}

#[test]
fn stream_retention_decrease_loses_data() {
    let effect = |live: i32, desired: i32| {
        let desired = stream().retention_hours(desired);
        desired.effect(StreamFieldName::RetentionHours, &stream().retention_hours(live))
    };
    assert_eq!(effect(48, 24), Effect::InPlace(Risk::LosesData));
    assert_eq!(effect(24, 48), Effect::InPlace(Risk::Safe));
}

/// Records stay encrypted with the key that they were put with, and Lambda reads them with the role of the
/// function.
#[test]
fn stream_key_change_without_former_key_loses_data() {
    let key = |id: &str| format!("arn:aws:kms:eu-central-1:111111111111:key/{id}");
    let effect = |live: &Stream, desired: &Stream| desired.effect(StreamFieldName::KmsKey, live);
    let encrypted = |id: &str| stream().encrypted_with(Some(key(id)));
    let (loses, safe) = (Effect::InPlace(Risk::LosesData), Effect::InPlace(Risk::Safe));
    for today in [Some(key("new")), None] {
        let desired = stream().encrypted_with(today.clone());
        assert_eq!(effect(&encrypted("old"), &desired), loses);
        let desired = stream().encrypted_with(Keys { today: today.clone(), former: vec![key("old")] });
        assert_eq!(effect(&encrypted("old"), &desired), safe);
        let decrypting = desired.polling().pop().expect("the keys come last");
        assert!(decrypting.resources.contains(&key("old")), "{decrypting:?}");
        let encrypting = desired.publish().also.map(|key| key.resources);
        assert_eq!(encrypting, today.map(|key| vec![key]), "new records use the new key");
    }
    assert_eq!(effect(&stream(), &encrypted("new")), safe);
}

/// Encryption is authorized on the stream and on the key, which may be in any account. Actions that support
/// no resource are allowed on all.
#[test]
fn stream_permissions_end_at_the_prefix_and_at_keys() {
    let on =
        ["arn:aws:kinesis:eu-central-1:111111111111:stream/demo-dev-*", "arn:aws:kms:eu-central-1:*:key/*"];
    for statement in Stream::permissions(&scope()) {
        let everything = ["StreamsList", "StreamsScale"].contains(&statement.sid.as_str());
        assert!(statement.resources == on || (everything && statement.resources == ["*"]), "{statement:?}");
        let of_keys = statement.actions.iter().filter(|action| action.starts_with("kms:"));
        assert!(of_keys.into_iter().all(|action| *action == "kms:DescribeKey"), "{statement:?}");
    }
}

#[test]
fn stream_policy_is_imported_by_the_arn() {
    let policy = Some(Policy::allowing(&[]));
    let imports = Resource::import_ids(&Stream { resource_policy: policy, ..stream() });
    assert_eq!(
        imports,
        [
            ImportId::new("aws_kinesis_stream", "demo-dev-events"),
            ImportId::new("aws_kinesis_resource_policy", stream().arn()),
        ]
    );
}
