//! Unmanaged resources, which have one of the environment's names but not its tags, are reported and never
//! changed.

use acceptance::{Cloud, Place, differences, until};
use aws::{Aws, AwsNames};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, Runtime, State};

use crate::Test;

pub(crate) const TESTS: &[Test] = &[
    ("unmanaged_things_stop_up_and_survive_down", unmanaged_things_stop_up_and_survive_down),
    ("untagged_table_survives_down", untagged_table_survives_down),
];

/// One unmanaged resource of each kind exists with a name of the environment: `up` stops before its first
/// write and names each of them, `down` deletes none, and all are unchanged afterwards.
fn unmanaged_things_stop_up_and_survive_down(cloud: &Cloud) {
    let place = cloud.place();
    let unmanaged = make_unmanaged(&place);
    let before = place.inventory();
    assert_eq!(before.len(), unmanaged.len(), "{before:#?}");

    let up = place.only_reads(&["up", "local"]);
    assert_eq!(up.code, Some(5), "{up:#?}");
    let plan = place.only_reads(&["plan", "local"]);
    assert_eq!(plan.code, Some(5), "{plan:#?}");
    for id in &unmanaged {
        assert!(up.stderr.contains(id), "up does not name {id}: {}", up.stderr);
        assert!(plan.stdout.contains(id), "plan does not name {id}: {}", plan.stdout);
        // The path of a role is fixed, so this one cannot be adopted.
        let advice = if id.starts_with("iam.role/") { "cannot be adopted: " } else { "--adopt " };
        assert!(up.stderr.contains(&format!("{advice}{id}")), "no advice for {id}: {}", up.stderr);
    }
    let down = place.only_reads(&["down", "local"]);
    assert_eq!(down.code, Some(0), "{down:#?}");
    assert!(down.stderr.contains("owns nothing"), "{down:#?}");
    assert_eq!(differences(&before, &place.inventory()), [""; 0]);
}

/// A table whose tags were removed manually is kept when `down` deletes the rest, and `down` reports it.
fn untagged_table_survives_down(cloud: &Cloud) {
    let place = cloud.place();
    place.deploys(&["up", "local"]);
    let aws = place.aws("local");
    let name = aws.scope.name("events");
    let arn = aws.scope.arn("dynamodb", &format!("table/{name}"));
    cloud.wait(async {
        let call = aws.dynamodb.untag_resource().resource_arn(arn).tag_keys("deployer:environment");
        call.send().await.expect("the table exists");
    });
    let before = place.inventory();
    for _ in 0..2 {
        let down = place.deployer(&["down", "local"]);
        assert_eq!(down.code, Some(1), "{down:#?}");
        assert!(down.stderr.contains(&format!("dynamodb.table/{name} was deployed here")), "{down:#?}");
    }
    // The release record is also kept: `up` recognizes the table by it.
    let (left, table) = (place.inventory(), format!("table {name}"));
    let record = format!("bucket {}", aws.scope.bucket_name("deployment"));
    assert_eq!(left.keys().collect::<Vec<_>>(), [&record, &table]);
    assert_eq!(left.get(&table), before.get(&table));
    place.deploys(&["up", "local"]);
    place.deploys(&["down", "local"]);
    assert!(place.inventory().is_empty());
}

/// Creates unmanaged resources with names of the environment. Returns their ids.
fn make_unmanaged(place: &Place<'_>) -> Vec<String> {
    let aws = place.aws("local");
    let events = aws.scope.name("events");
    let (function, role_name) = (aws.scope.name("add-item"), aws.scope.role_name("add-item"));
    let alarm = aws.scope.name("capture-failing");
    let bucket = aws.scope.bucket_name("archive");
    let dashboard = format!("{}-{}", aws.scope.name("overview"), aws.scope.region);
    let group = format!("/aws/lambda/{function}");
    place.cloud.wait(async {
        table(&aws, &events).await;
        let stream = aws.kinesis.create_stream().stream_name(&events).shard_count(1);
        stream.send().await.expect("the name is free");
        aws.s3.create_bucket().bucket(&bucket).send().await.expect("the name is free");
        let object =
            aws.s3.put_object().bucket(&bucket).key("somebody's").body("data".as_bytes().to_vec().into());
        object.send().await.expect("the bucket exists");
        let role = aws.iam.create_role().role_name(&role_name);
        let role = role.assume_role_policy_document(r#"{"Version":"2012-10-17","Statement":[]}"#);
        role.send().await.expect("the name is free");
        aws.logs.create_log_group().log_group_name(&group).send().await.expect("the name is free");
        lambda(&aws, &function, &role_name).await;
        let put = aws.cloudwatch.put_metric_alarm().alarm_name(&alarm);
        let put = put.namespace("AWS/Lambda").metric_name("Errors").statistic("Sum".into()).period(60);
        let put = put.evaluation_periods(1).threshold(1.0).comparison_operator("GreaterThanThreshold".into());
        put.send().await.expect("the name is free");
        let put = aws.cloudwatch.put_dashboard().dashboard_name(&dashboard);
        put.dashboard_body(r#"{"widgets":[]}"#).send().await.expect("the name is free");
    });
    until("the unmanaged function to become active", || {
        let get = aws.lambda.get_function_configuration().function_name(&function);
        let answer = place.cloud.wait(get.send()).expect("the function was created above");
        (answer.state == Some(State::Active)).then_some(())
    });
    vec![
        format!("dynamodb.table/{events}"),
        format!("kinesis.stream/{events}"),
        format!("s3.bucket/{bucket}"),
        format!("iam.role/{role_name}"),
        format!("logs.log-group/{group}"),
        format!("lambda.function/{function}"),
        format!("cloudwatch.alarm/{alarm}"),
        format!("cloudwatch.dashboard/{dashboard}"),
    ]
}

/// Creates a table with the same keys as the events table, and an item, whose loss would show.
async fn table(aws: &Aws, name: &str) {
    let mut create = aws.dynamodb.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for (attribute, kind, scalar) in [
        ("AggregateId", KeyType::Hash, ScalarAttributeType::S),
        ("Version", KeyType::Range, ScalarAttributeType::N),
    ] {
        let definition = AttributeDefinition::builder().attribute_name(attribute).attribute_type(scalar);
        let key = KeySchemaElement::builder().attribute_name(attribute).key_type(kind);
        create = create
            .attribute_definitions(definition.build().expect("name and type are given"))
            .key_schema(key.build().expect("name and type are given"));
    }
    create.send().await.expect("the name is free");
    let put = aws.dynamodb.put_item().table_name(name);
    let put = put.item("AggregateId", aws_sdk_dynamodb::types::AttributeValue::S("unmanaged".into()));
    let put = put.item("Version", aws_sdk_dynamodb::types::AttributeValue::N("1".into()));
    put.send().await.expect("the table exists");
}

/// Creates a function that is never called, from a zip without files, with the role of the same name.
async fn lambda(aws: &Aws, name: &str, role: &str) {
    let empty = [&b"PK\x05\x06"[..], &[0; 18]].concat();
    let create = aws.lambda.create_function().function_name(name).runtime(Runtime::Providedal2023);
    let create = create.handler("bootstrap").role(aws.scope.iam_arn(&format!("role/{role}")));
    let create = create.code(FunctionCode::builder().zip_file(Blob::new(empty)).build());
    create.send().await.expect("the name is free");
}
