//! What has our names and not our tags belongs to somebody else: it is told and never touched.

use acceptance::{Cloud, Place, differences, until};
use aws::{Aws, AwsNames};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, Runtime, State};

use crate::Test;

pub(crate) const TESTS: &[Test] = &[
    ("foreign_things_stop_up_and_survive_down", foreign_things_stop_up_and_survive_down),
    ("untagged_table_survives_down", untagged_table_survives_down),
];

/// One thing of each kind of exactly our name: `up` stops before its first write and names
/// each, `down` removes none, and all are afterwards as they were before.
fn foreign_things_stop_up_and_survive_down(cloud: &Cloud) {
    let place = cloud.place();
    let foreign = make_foreign(&place);
    let before = place.inventory();
    assert_eq!(before.len(), foreign.len(), "{before:#?}");

    let up = place.only_reads(&["up", "local"]);
    assert_eq!(up.code, Some(5), "{up:#?}");
    let plan = place.only_reads(&["plan", "local"]);
    assert_eq!(plan.code, Some(5), "{plan:#?}");
    for id in &foreign {
        assert!(up.stderr.contains(id), "up does not name {id}: {}", up.stderr);
        assert!(plan.stdout.contains(id), "plan does not name {id}: {}", plan.stdout);
    }
    let down = place.only_reads(&["down", "local"]);
    assert_eq!(down.code, Some(0), "{down:#?}");
    assert!(down.stderr.contains("owns nothing"), "{down:#?}");
    assert_eq!(differences(&before, &place.inventory()), [""; 0]);
}

/// A table whose tags somebody removed stays when `down` takes the rest, which says so.
fn untagged_table_survives_down(cloud: &Cloud) {
    let place = cloud.place();
    place.deploys(&["up", "local"]);
    let aws = place.aws("local");
    let name = aws.scope.name("events");
    let arn = aws.scope.arn("dynamodb", &format!("table/{name}"));
    cloud.wait(async {
        let call = aws.dynamodb.untag_resource().resource_arn(arn).tag_keys("deployer:environment");
        call.send().await.expect("the table is there");
    });
    let before = place.inventory();
    for _ in 0..2 {
        let down = place.deployer(&["down", "local"]);
        assert_eq!(down.code, Some(1), "{down:#?}");
        assert!(down.stderr.contains(&format!("dynamodb.table/{name} was deployed here")), "{down:#?}");
    }
    // And the record, by which `up` knows it.
    let (left, table) = (place.inventory(), format!("table {name}"));
    let record = format!("bucket {}", aws.scope.bucket_name("deployment"));
    assert_eq!(left.keys().collect::<Vec<_>>(), [&record, &table]);
    assert_eq!(left.get(&table), before.get(&table));
    place.deploys(&["up", "local"]);
    place.deploys(&["down", "local"]);
    assert!(place.inventory().is_empty());
}

/// Makes things of exactly our names, and returns how the deployer calls them.
fn make_foreign(place: &Place<'_>) -> Vec<String> {
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
        object.send().await.expect("the bucket is there");
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
    until("the foreign function to settle", || {
        let get = aws.lambda.get_function_configuration().function_name(&function);
        let answer = place.cloud.wait(get.send()).expect("it was made above");
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

/// Makes a table with the keys of ours and an item, which is what there is to lose.
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
    let put = put.item("AggregateId", aws_sdk_dynamodb::types::AttributeValue::S("theirs".into()));
    let put = put.item("Version", aws_sdk_dynamodb::types::AttributeValue::N("1".into()));
    put.send().await.expect("the table is there");
}

/// Makes a function that nobody calls, of a zip without files and the role of its own name.
async fn lambda(aws: &Aws, name: &str, role: &str) {
    let empty = [&b"PK\x05\x06"[..], &[0; 18]].concat();
    let create = aws.lambda.create_function().function_name(name).runtime(Runtime::Providedal2023);
    let create = create.handler("bootstrap").role(aws.scope.iam_arn(&format!("role/{role}")));
    let create = create.code(FunctionCode::builder().zip_file(Blob::new(empty)).build());
    create.send().await.expect("the name is free");
}
