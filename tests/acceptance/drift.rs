//! `drift`: what somebody changed by hand is told with its path, apart from what the code has
//! yet to bring, and `up` repairs it.

use acceptance::{Cloud, Place, Run};
use aws_sdk_dynamodb::types::PointInTimeRecoverySpecification;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::Environment;
use deployer::aws::Aws;
use serde_json::{Value, json};

use crate::Test;

pub(crate) const TESTS: &[Test] =
    &[("drift_is_told_apart_from_pending_and_repaired", drift_is_told_apart_from_pending_and_repaired)];

/// The value that somebody gives a variable; no form of the output may show it.
const SECRET: &str = "hunter2-by-hand";

/// What somebody changed, and where it has to show.
type Changed = Vec<(String, &'static str)>;

/// In sync, then pending, then drift and pending, then drift alone in a dozen places, then
/// repaired, but not at the cost of data without leave.
fn drift_is_told_apart_from_pending_and_repaired(cloud: &Cloud) {
    let place = cloud.place();
    configure(&place, 256);
    place.deploys(&["up", "local"]);
    insist(&place, 0, "in_sync");

    configure(&place, 320);
    let run = insist(&place, 2, "pending");
    let get_cart = format!("lambda.function/{}", place.scope("local").name("get-cart"));
    assert_eq!(of(&run, &get_cart)["verdicts"], json!(["pending"]));

    let changed = meddle(&place);
    let run = insist(&place, 3, "drift");
    assert_eq!(of(&run, &get_cart)["verdicts"], json!(["drift", "pending"]));
    let open_cart = get_cart.replace("get-cart", "open-cart");
    assert_eq!(of(&run, &open_cart)["verdicts"], json!(["pending"]));

    configure(&place, 256);
    let run = insist(&place, 3, "drift");
    for (id, path) in &changed {
        let step = of(&run, id);
        assert_eq!(step["verdicts"], json!(["drift"]), "{step:#}");
        assert!(paths(&step).iter().any(|found| found.starts_with(path)), "{path} does not show in {step:#}");
    }
    let drifted = run.json()["verdicts"]["drift"].clone();
    let mut ids: Vec<&String> = changed.iter().map(|(id, _)| id).collect();
    ids.dedup();
    assert_eq!(drifted, ids.len(), "something else drifted: {}", run.stdout);
    masks(&place);

    losses_need_leave(&place);
    configure(&place, 256);
    place.deploys(&["up", "local"]);
    insist(&place, 0, "in_sync");
    missing_stamp(&place);
}

/// Compares and insists on the exit code and the gravest verdict, and that nothing was written.
fn insist(place: &Place<'_>, code: i32, verdict: &str) -> Run {
    let run = place.only_reads(&["drift", "local", "--format", "json"]);
    assert_eq!(run.code, Some(code), "{run:#?}");
    assert_eq!(run.json()["verdict"], verdict, "{run:#?}");
    run
}

/// Outside of a local cloud, what shortens the stream's retention has to be allowed by name.
fn losses_need_leave(place: &Place<'_>) {
    place.environment("local", "");
    let stream = format!("kinesis.stream/{}", place.scope("local").name("events"));
    let up = place.only_reads(&["up", "local", "--yes"]);
    assert_eq!(up.code, Some(1), "{up:#?}");
    assert!(up.stderr.contains(&format!("--allow {stream}")), "{up:#?}");
}

/// A resource without its stamp cannot have drifted: all that can be said is pending.
fn missing_stamp(place: &Place<'_>) {
    let aws = place.aws("local");
    let arn = aws.scope.arn("logs", "log-group:/aws/lambda/cart-local-add-item");
    let untag = aws.logs.untag_resource().resource_arn(arn).tag_keys("deployer:stamp");
    place.cloud.wait(untag.send()).expect("the group is there");
    let run = insist(place, 2, "pending");
    let group = of(&run, "logs.log-group//aws/lambda/cart-local-add-item");
    assert_eq!(paths(&group), ["tags.deployer:stamp"]);
    place.deploys(&["up", "local"]);
    insist(place, 0, "in_sync");
}

/// No form shows the values of variables.
fn masks(place: &Place<'_>) {
    for format in ["human", "json", "markdown", "github"] {
        let run = place.deployer(&["drift", "local", "--format", format]);
        assert_eq!(run.code, Some(3), "{run:#?}");
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(said.contains("sha256:"), "{format} hides the change: {said}");
        assert!(!said.contains(SECRET), "{format} shows a value: {said}");
    }
}

fn configure(place: &Place<'_>, memory_mb: u32) {
    place.environment(
        "local",
        &format!(
            "[functions]\nmemory_mb = {memory_mb}\nlog_retention_days = 14\n\n\
             [table]\npoint_in_time_recovery_days = 35\n\n[local]\nport = 4566\n"
        ),
    );
}

/// Changes things behind the deployer's back.
fn meddle(place: &Place<'_>) -> Changed {
    let aws = place.aws("local");
    place.cloud.wait(async {
        [functions(&aws).await, roles(&aws).await, stores(&aws).await, around(&aws).await].concat()
    })
}

async fn functions(aws: &Aws) -> Changed {
    let name = |thing| aws.scope.name(thing);
    let call = aws.lambda.update_function_configuration().function_name(name("get-cart"));
    call.memory_size(1024).send().await.expect("the function is there");

    let variables = Environment::builder().variables("PASSWORD", SECRET).build();
    let call = aws.lambda.update_function_configuration().function_name(name("add-item"));
    call.environment(variables).send().await.expect("the function is there");

    let empty = [&b"PK\x05\x06"[..], &[0; 18]].concat();
    let call = aws.lambda.update_function_code().function_name(name("close-cart"));
    call.zip_file(Blob::new(empty)).send().await.expect("the function is there");
    let id = |thing| format!("lambda.function/{}", name(thing));
    vec![
        (id("get-cart"), "memory_mb"),
        (id("add-item"), "environment.PASSWORD"),
        (id("add-item"), "environment.EVENTS_TABLE"),
        (id("close-cart"), "code.sha256"),
    ]
}

async fn roles(aws: &Aws) -> Changed {
    let other =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
    let name = |thing| aws.scope.name(thing);
    let policies = aws.iam.list_role_policies().role_name(name("get-cart")).send().await;
    let policies = policies.expect("the role is there").policy_names;
    let call = aws.iam.put_role_policy().role_name(name("get-cart")).policy_name(&policies[0]);
    call.policy_document(other).send().await.expect("the role is there");

    let call = aws.iam.put_role_policy().role_name(name("add-item")).policy_name("more");
    call.policy_document(other).send().await.expect("the role is there");

    let call = aws.iam.attach_role_policy().role_name(name("open-cart"));
    let call = call.policy_arn("arn:aws:iam::aws:policy/AdministratorAccess");
    call.send().await.expect("the role is there");
    let id = |thing| format!("iam.role/{}", name(thing));
    vec![
        (id("get-cart"), "inline_policies."),
        (id("add-item"), "inline_policies.more"),
        (id("open-cart"), "managed_policies"),
    ]
}

async fn stores(aws: &Aws) -> Changed {
    let events = aws.scope.name("events");
    let off = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(false);
    let call = aws.dynamodb.update_continuous_backups().table_name(&events);
    let call = call.point_in_time_recovery_specification(off.build().expect("it is given"));
    call.send().await.expect("the table is there");

    let call = aws.kinesis.increase_stream_retention_period().stream_name(&events);
    call.retention_period_hours(48).send().await.expect("the stream is there");

    let bucket = aws.scope.bucket_name("archive");
    let call = aws.s3.delete_public_access_block().bucket(&bucket);
    call.send().await.expect("the bucket is there");
    vec![
        (format!("dynamodb.table/{events}"), "point_in_time_recovery_days"),
        (format!("kinesis.stream/{events}"), "retention_hours"),
        (format!("s3.bucket/{bucket}"), "public_access_block."),
    ]
}

async fn around(aws: &Aws) -> Changed {
    let group = format!("/aws/lambda/{}", aws.scope.name("capture"));
    let call = aws.logs.put_retention_policy().log_group_name(&group).retention_in_days(1);
    call.send().await.expect("the group is there");

    let name = aws.scope.name("capture-failing");
    let alarms = aws.cloudwatch.describe_alarms().alarm_names(&name).send().await.expect("it is there");
    let alarm = alarms.metric_alarms()[0].clone();
    let put = aws.cloudwatch.put_metric_alarm().alarm_name(&name).threshold(1000.0);
    let put = put.set_namespace(alarm.namespace).set_metric_name(alarm.metric_name);
    let put = put.set_statistic(alarm.statistic).set_period(alarm.period);
    let put = put.set_evaluation_periods(alarm.evaluation_periods).set_dimensions(alarm.dimensions);
    let put = put.set_comparison_operator(alarm.comparison_operator);
    let put = put.set_treat_missing_data(alarm.treat_missing_data);
    put.send().await.expect("the alarm is there");

    let function = aws.scope.name("archive");
    let mappings = aws.lambda.list_event_source_mappings().function_name(&function).send().await;
    let uuid = mappings.expect("the function is there").event_source_mappings()[0].uuid.clone();
    let call = aws.lambda.update_event_source_mapping().set_uuid(uuid).batch_size(7);
    call.send().await.expect("the mapping is there");
    vec![
        (format!("logs.log-group/{group}"), "retention_days"),
        (format!("cloudwatch.alarm/{name}"), "threshold"),
        (
            format!("lambda.event-source-mapping/{function}/kinesis/{}", aws.scope.name("events")),
            "settings.batch_size",
        ),
    ]
}

fn of(run: &Run, id: &str) -> Value {
    let json = run.json();
    let steps = json["resources"].as_array().expect("resources are a list");
    steps.iter().find(|step| step["id"] == id).unwrap_or_else(|| panic!("{id} is not in {json:#}")).clone()
}

fn paths(step: &Value) -> Vec<&str> {
    let changes = step["changes"].as_array().expect("changes are a list");
    changes.iter().filter_map(|change| change["path"].as_str()).collect()
}
