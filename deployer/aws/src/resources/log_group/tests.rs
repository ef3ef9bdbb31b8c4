//! Requests to CloudWatch Logs, and the handling of answers that no emulator gives.

use serde_json::{Value, json};

use super::*;
use crate::testing::{Script, ScriptedAnswer, body, fault, scope, update};

const NAME: &str = "/aws/lambda/demo-dev-capture";

fn group() -> LogGroup {
    LogGroup::of_function(&scope(), "demo-dev-capture", 7)
}

/// Answers with a listing of this group, with these fields in addition.
fn listed(extra: Value) -> ScriptedAnswer {
    let mut group = json!({"logGroupName": NAME, "logGroupClass": "STANDARD", "retentionInDays": 7});
    group
        .as_object_mut()
        .expect("the value is an object")
        .extend(extra.as_object().expect("the value is an object").clone());
    body(json!({"logGroups": [group]}))
}

fn tagged(script: Script, tags: &Tags) -> Script {
    script.on("ListTagsForResource", body(json!({"tags": tags})))
}

async fn live(extra: Value) -> LogGroup {
    let script = tagged(Script::new().on("DescribeLogGroups", listed(extra)), &scope().tags());
    group().read(&script.aws()).await.expect("the read succeeds").expect("the resource exists").resource
}

fn state(group: &LogGroup) -> Value {
    serde_json::to_value(group).expect("the value serializes to JSON")
}

#[tokio::test]
async fn retention_set_by_the_account_is_no_drift() {
    let imposed = live(json!({"retentionInDays": 3653, "retentionPolicyName": "everywhere"})).await;
    assert_eq!(state(&imposed), state(&group()));
    let by_hand = live(json!({"retentionInDays": 3653})).await;
    assert_ne!(state(&by_hand), state(&group()));
}

#[tokio::test]
async fn log_group_protection_by_hand_is_removed() {
    let protected = live(json!({"deletionProtectionEnabled": true})).await;
    let script = Script::new().on("PutLogGroupDeletionProtection", body("{}"));
    update(&group(), &protected, &script.aws()).await.expect("the protection is removed");
    let sent = script.sent("PutLogGroupDeletionProtection");
    assert_eq!(sent, [json!({"logGroupIdentifier": NAME, "deletionProtectionEnabled": false})]);
}

#[tokio::test]
async fn protected_log_group_is_deleted() {
    let script = Script::new()
        .on("DescribeLogGroups", listed(json!({"deletionProtectionEnabled": true})))
        .on("PutLogGroupDeletionProtection", body("{}"))
        .on("DeleteLogGroup", body("{}"));
    LogGroup::delete(NAME, &script.aws()).await.expect("the deletion succeeds");
    assert_eq!(script.writes(), ["PutLogGroupDeletionProtection", "DeleteLogGroup"]);
}

#[tokio::test]
async fn log_group_is_created_with_its_class_and_protection() {
    let create = async |group: LogGroup| {
        let script = Script::new().on("CreateLogGroup", body("{}")).on("PutRetentionPolicy", body("{}"));
        group.create(&Tags::new(), &script.aws()).await.expect("the group is created");
        script.asked().remove(0).body
    };
    let special = LogGroup { class: "INFREQUENT_ACCESS".into(), deletion_protection: true, ..group() };
    let request = create(special).await;
    assert!(request.contains(r#""logGroupClass":"INFREQUENT_ACCESS""#), "{request}");
    assert!(request.contains(r#""deletionProtectionEnabled":true"#), "{request}");
    let request = create(group()).await;
    assert!(!request.contains("logGroupClass") && !request.contains("deletionProtection"), "{request}");
}

#[tokio::test]
async fn log_group_created_by_lambda_gets_its_retention() {
    let exists = fault(400, "ResourceAlreadyExistsException", "The specified log group already exists");
    let script = tagged(Script::new().on("CreateLogGroup", exists.clone()), &Tags::new());
    let script = script.on("PutRetentionPolicy", body("{}"));
    group().create(&scope().tags(), &script.aws()).await.expect("the resource is adopted");
    assert_eq!(script.writes(), ["CreateLogGroup", "PutRetentionPolicy"]);

    let theirs: Tags = [("team".to_owned(), "another".to_owned())].into();
    let script = tagged(Script::new().on("CreateLogGroup", exists), &theirs);
    let error = group().create(&scope().tags(), &script.aws()).await.expect_err("the resource is unmanaged");
    assert!(error.hint.expect("the error has a hint").contains("created meanwhile"));
}

#[tokio::test]
async fn log_group_conflicting_change_is_retried() {
    let aborted = fault(400, "OperationAbortedException", "A conflicting operation is in progress");
    let script = Script::new().on("CreateLogGroup", aborted);
    let error = group().create(&scope().tags(), &script.aws()).await.expect_err("the error is retryable");
    assert!(error.class.passes());
}

#[tokio::test]
async fn log_group_settings_by_hand_are_reset() {
    let by_hand =
        live(json!({"retentionInDays": null, "kmsKeyId": "arn:aws:kms:eu-central-1:1:key/1"})).await;
    let script = Script::new().on("PutRetentionPolicy", body("{}")).on("DisassociateKmsKey", body("{}"));
    update(&group(), &by_hand, &script.aws()).await.expect("the settings are reset");
    assert_eq!(script.writes(), ["PutRetentionPolicy", "DisassociateKmsKey"]);
}

#[test]
fn retention_unknown_to_aws_is_a_mistake() {
    assert_eq!(group().mistakes(&Neighbours::default()), [""; 0]);
    let mistakes = LogGroup::of_function(&scope(), "f", 8).mistakes(&Neighbours::default());
    assert!(mistakes[0].ends_with("but is 8"), "{mistakes:?}");
}
