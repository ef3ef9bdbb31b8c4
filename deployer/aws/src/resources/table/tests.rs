//! Requests to DynamoDB, and the handling of answers that no emulator gives.

use engine::progress::heard;
use engine::resource::Risk;
use serde_json::{Value, json};

use super::*;
use crate::testing::{Script, body, events_key, fault, scope, update};

mod converging;
mod creation;
mod indexes;
mod live_table;
mod time_to_live;

fn table() -> Table {
    Table::new(&scope(), "events", events_key()).stream(StreamView::NewImage)
}

/// Returns a description of the table in this state, with these fields in addition.
fn description(status: &str, extra: Value) -> Value {
    let mut table = json!({
        "TableName": "demo-dev-events",
        "TableStatus": status,
        "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}, {"AttributeName": "Version", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": "Id", "AttributeType": "S"},
            {"AttributeName": "Version", "AttributeType": "N"},
        ],
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
    });
    let table_fields = table.as_object_mut().expect("the value is an object");
    table_fields.extend(extra.as_object().expect("the value is an object").clone());
    json!({"Table": table})
}

fn described(script: Script, status: &str) -> Script {
    script.on("DescribeTable", body(description(status, json!({}))))
}

/// Answers as for a missing table.
fn absent(script: Script) -> Script {
    script.on("DescribeTable", fault(400, "ResourceNotFoundException", "Requested resource not found"))
}

/// Answers all reads but DescribeTable as for an owned table without any settings.
fn bare(script: Script) -> Script {
    let tags: Vec<Value> =
        scope().tags().into_iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    script
        .on(
            "DescribeContinuousBackups",
            body(json!({"ContinuousBackupsDescription": {"ContinuousBackupsStatus": "ENABLED"}})),
        )
        .on("DescribeTimeToLive", body(json!({"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}})))
        .on("GetResourcePolicy", fault(400, "PolicyNotFoundException", "none"))
        .on("ListTagsOfResource", body(json!({"Tags": tags})))
}

fn in_use() -> crate::testing::ScriptedAnswer {
    fault(400, "ResourceInUseException", "Table already exists: demo-dev-events")
}

async fn live(script: &Script) -> Table {
    table().read(&script.aws()).await.expect("the read succeeds").expect("the resource exists").resource
}

#[tokio::test(start_paused = true)]
async fn table_being_deleted_is_waited_for_and_recreated() {
    let mut script = Script::new();
    for _ in 0..50 {
        script = described(script, "DELETING");
    }
    let script =
        bare(described(described(absent(script), "CREATING"), "ACTIVE")).on("CreateTable", body("{}"));
    let reported = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let hears = reported.clone();
    let listener = move |what: &str| hears.lock().expect("the lock is never poisoned").push(what.to_owned());
    heard(listener, table().create(&scope().tags(), &script.aws())).await.expect("the creation succeeds");
    assert_eq!(script.writes(), ["CreateTable"]);
    let before =
        script.calls().iter().position(|call| call == "CreateTable").expect("the operation was called");
    assert_eq!(before, 51, "the old table is deleted first");
    let reported = reported.lock().expect("the lock is never poisoned");
    assert_eq!(reported.first().map(String::as_str), Some("the earlier table of this name to be deleted"));
    assert_eq!(reported.last().map(String::as_str), Some("the table to be ACTIVE"));
}

#[tokio::test(start_paused = true)]
async fn table_of_an_interrupted_create_is_reused() {
    let script = bare(described(absent(Script::new()), "CREATING")).on("CreateTable", in_use());
    let script = described(described(script, "CREATING"), "ACTIVE");
    table().create(&scope().tags(), &script.aws()).await.expect("the resource is adopted");
    assert_eq!(script.writes(), ["CreateTable"]);
}

#[tokio::test(start_paused = true)]
async fn unmanaged_table_is_not_adopted_on_create() {
    let script = described(absent(Script::new()), "ACTIVE").on("CreateTable", in_use());
    let script = script.on("ListTagsOfResource", body(json!({"Tags": []})));
    let error = table().create(&scope().tags(), &script.aws()).await.expect_err("the resource is unmanaged");
    assert_eq!(error.code.as_deref(), Some("ResourceInUseException"));
    assert!(error.hint.expect("the error has a hint").contains("created meanwhile"));
    assert_eq!(script.writes(), ["CreateTable"]);
}

#[tokio::test(start_paused = true)]
async fn new_table_not_found_by_a_change_is_retried() {
    let script = bare(described(absent(Script::new()), "ACTIVE")).on("CreateTable", body("{}"));
    let script = script.on("UpdateTimeToLive", fault(400, "ResourceNotFoundException", "not found"));
    let table = table().time_to_live("ExpiresAt");
    let error = table.create(&scope().tags(), &script.aws()).await.expect_err("the error is retryable");
    assert_eq!(error.class, Class::Propagating);
}

#[tokio::test(start_paused = true)]
async fn table_with_inaccessible_key_is_not_waited_for() {
    let script =
        described(Script::new(), "INACCESSIBLE_ENCRYPTION_CREDENTIALS").on("UpdateTable", body("{}"));
    let error = change("demo-dev-events", &script.aws(), |call| call.deletion_protection_enabled(true)).await;
    let error = error.expect_err("the table will not become ACTIVE");
    assert!(error.message.contains("cannot use the table's KMS key"), "{error}");
    assert_eq!(script.calls(), ["UpdateTable", "DescribeTable"]);
}

#[tokio::test]
async fn unusable_table_shows_as_a_difference() {
    let script = bare(described(Script::new(), "ARCHIVED"));
    assert!(live(&script).await.unusable.is_some());
}

#[tokio::test]
async fn table_being_deleted_is_absent() {
    let script = bare(described(Script::new(), "DELETING"));
    assert!(table().read(&script.aws()).await.expect("the read succeeds").is_none());
}

#[tokio::test]
async fn table_not_yet_propagated_is_not_absent() {
    let script = described(Script::new(), "ACTIVE")
        .on("DescribeContinuousBackups", fault(400, "TableNotFoundException", "no table"));
    let script = bare(script);
    let error = table().read(&script.aws()).await.expect_err("one of the reads failed");
    assert_eq!(error.class, Class::Propagating);
}

#[tokio::test]
async fn table_with_denied_part_is_not_absent() {
    let script =
        described(Script::new(), "ACTIVE").on("GetResourcePolicy", fault(400, "AccessDeniedException", "no"));
    let error = table().read(&bare(script).aws()).await.expect_err("one of the reads failed");
    assert_eq!(error.class, Class::Denied);
}

#[tokio::test(start_paused = true)]
async fn backups_that_are_not_available_yet_are_waited_for() {
    let mut script = Script::new();
    // At two seconds a read, ten minutes.
    for _ in 0..300 {
        let code = "ContinuousBackupsUnavailableException";
        script = script.on("UpdateContinuousBackups", fault(400, code, "Backups are being enabled"));
    }
    let script = bare(described(script, "ACTIVE")).on("UpdateContinuousBackups", body("{}"));
    let live = live(&script).await;
    let table = table().point_in_time_recovery(Some(7));
    update(&table, &live, &script.aws()).await.expect("the backups become available");
    assert_eq!(
        script.sent("UpdateContinuousBackups").last().expect("it was sent")["PointInTimeRecoverySpecification"],
        json!({"PointInTimeRecoveryEnabled": true, "RecoveryPeriodInDays": 7}),
    );
}

#[tokio::test(start_paused = true)]
async fn table_changes_are_made_one_by_one() {
    let extra = json!({
        "BillingModeSummary": {"BillingMode": "PROVISIONED"},
        "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"},
        "SSEDescription": {"Status": "ENABLED", "KMSMasterKeyArn": "arn:aws:kms:eu-central-1:111111111111:key/1"},
        "TableClassSummary": {"TableClass": "STANDARD_INFREQUENT_ACCESS"},
        "DeletionProtectionEnabled": true,
    });
    let with = |indexes: Value| {
        let mut extra = extra.clone();
        extra["GlobalSecondaryIndexes"] = indexes;
        body(description("ACTIVE", extra))
    };
    let by_hand = json!({"IndexName": "by-hand", "IndexStatus": "ACTIVE"});
    let going = json!({"IndexName": "going", "IndexStatus": "DELETING"});
    // Each change finds the previous one still in progress once, and waits for it.
    let changed = |script: Script| {
        let script = script.on("UpdateTable", in_use()).on("UpdateTable", body("{}"));
        described(described(script, "UPDATING"), "ACTIVE")
    };
    let mut script = bare(Script::new())
        .on("DescribeTable", with(json!([by_hand, going])))
        .on("DescribeTable", with(json!([by_hand, going])))
        .on("DescribeTable", with(json!([by_hand])));
    // Indexes and billing look at the table before and after their change.
    script = changed(script);
    for _ in 0..3 {
        script = script.on("DescribeTable", with(json!([])));
    }
    script = described(changed(script), "ACTIVE");
    for _ in 0..5 {
        script = changed(script);
    }
    let live = live(&script).await;
    update(&table(), &live, &script.aws()).await.expect("all settings are reset");
    let mut sent: Vec<Value> = script.sent("UpdateTable").into_iter().step_by(2).collect();
    for change in &mut sent {
        change.as_object_mut().expect("the value is an object").remove("TableName");
    }
    assert_eq!(
        sent,
        [
            json!({"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "by-hand"}}]}),
            json!({"BillingMode": "PAY_PER_REQUEST"}),
            json!({"TableClass": "STANDARD"}),
            json!({"SSESpecification": {"Enabled": false}}),
            json!({"StreamSpecification": {"StreamEnabled": false}}),
            json!({"StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"}}),
            json!({"DeletionProtectionEnabled": false}),
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn table_stream_already_enabled_is_no_error() {
    let off = json!({"StreamSpecification": null});
    let script = bare(Script::new()).on("DescribeTable", body(description("ACTIVE", off)));
    let said = "Table already has an enabled stream: TableName: demo-dev-events";
    let script = script.on("UpdateTable", fault(400, "ValidationException", said));
    let live = live(&script).await;
    assert_eq!(live.stream, None);
    update(&table(), &live, &script.aws()).await.expect("the stream exists");
}

/// Changes while the stream is off, or in another form, are in no stream; a new stream loses nothing.
#[test]
fn table_stream_change_loses_data() {
    let off = Table::new(&scope(), "events", events_key());
    assert_eq!(off.effect(TableFieldName::Stream, &table()), Effect::InPlace(Risk::LosesData));
    let other = off.clone().stream(StreamView::KeysOnly);
    assert_eq!(other.effect(TableFieldName::Stream, &table()), Effect::InPlace(Risk::LosesData));
    assert_eq!(table().effect(TableFieldName::Stream, &off), Effect::InPlace(Risk::Safe));
}

/// Items are encrypted with the table's own key, which DynamoDB encrypts again with the new KMS key. Until
/// that is finished, the old one is needed.
#[test]
fn table_key_change_without_former_key_interrupts() {
    let key = |id: &str| format!("arn:aws:kms:eu-central-1:111111111111:key/{id}");
    let live = table().encrypted_with(Some(key("old")));
    let desired = table().encrypted_with(Some(key("new")));
    assert_eq!(desired.effect(TableFieldName::KmsKey, &live), Effect::InPlace(Risk::Interrupts));
    let desired = table().encrypted_with(Keys { today: Some(key("new")), former: vec![key("old")] });
    assert_eq!(desired.effect(TableFieldName::KmsKey, &live), Effect::InPlace(Risk::Safe));
    assert_eq!(
        desired.load().also.expect("the keys are customer managed").resources,
        [key("new"), key("old")]
    );
}

#[tokio::test(start_paused = true)]
async fn table_policy_by_hand_is_deleted() {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "dynamodb:*", "Resource": "*"},
    ]});
    let script = described(Script::new(), "ACTIVE")
        .on("GetResourcePolicy", body(json!({"Policy": policy.to_string()})))
        .on("DeleteResourcePolicy", body("{}"));
    let script = bare(script);
    let live = live(&script).await;
    assert!(live.resource_policy.is_some());
    update(&table(), &live, &script.aws()).await.expect("the policy is deleted");
    assert_eq!(script.writes(), ["DeleteResourcePolicy"]);
}

#[tokio::test(start_paused = true)]
async fn protected_busy_table_is_deleted() {
    let protected = json!({"DeletionProtectionEnabled": true});
    let script = Script::new().on("DescribeTable", body(description("ACTIVE", protected)));
    let script = described(described(script, "ACTIVE"), "DELETING");
    let script = absent(script)
        .on("UpdateTable", body("{}"))
        .on("DeleteTable", in_use())
        .on("DeleteTable", body("{}"));
    Table::delete("demo-dev-events", &script.aws()).await.expect("the deletion succeeds");
    assert_eq!(script.writes(), ["UpdateTable", "DeleteTable", "DeleteTable"]);
    assert_eq!(script.calls().last().map(String::as_str), Some("DescribeTable"));
}

#[test]
fn table_policy_is_imported_by_the_arn() {
    let policy = Some(Policy::allowing(&[]));
    let imports = Resource::import_ids(&Table { resource_policy: policy, ..table() });
    assert_eq!(
        imports,
        [
            ImportId::new("aws_dynamodb_table", "demo-dev-events"),
            ImportId::new("aws_dynamodb_resource_policy", table().arn()),
        ]
    );
}
