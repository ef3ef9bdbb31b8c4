//! Readers parse AWS's answers, not those of one emulator: a second emulator, from another project, gets the
//! same stack, and every reader returns the same.

use std::collections::BTreeSet;

use acceptance::{Cloud, Hollow, Place, Run, Tool};
use aws::{Aws, AwsNames};
use aws_sdk_dynamodb::types::PointInTimeRecoverySpecification;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use serde_json::{Value, json};

use crate::Test;

pub(crate) const TESTS: &[Test] = &[("second_emulator_is_read_alike", second_emulator_is_read_alike)];

/// The kinds whose readers are tested.
const KINDS: [&str; 9] = [
    "cloudwatch.alarm",
    "cloudwatch.dashboard",
    "dynamodb.table",
    "iam.role",
    "kinesis.stream",
    "lambda.event-source-mapping",
    "lambda.function",
    "logs.log-group",
    "s3.bucket",
];

/// A new stack in `moto` is in sync, field by field as in the local cloud. A change by raw calls to one
/// resource of each kind is reported, only there, and repaired.
fn second_emulator_is_read_alike(cloud: &Cloud) {
    let hollow = Hollow::of(cloud).expect("a temporary folder can be created");
    let place = cloud.place();
    let moto = Tool::moto(&place).expect("moto can be installed");
    let there = |arguments: &[&str]| {
        Run::of(hollow.command(&place, arguments).env("AWS_ENDPOINT_URL", moto.endpoint()))
    };
    let here = |verb| Run::of(&mut hollow.command(&place, &[verb, "local", "--format", "json"]));
    let in_sync = || {
        let drift = there(&["drift", "local", "--format", "json"]);
        assert_eq!((drift.code, &drift.json()["verdict"]), (Some(0), &json!("in_sync")), "{drift:#?}");
        drift.json()
    };
    let up = || {
        let up = there(&["up", "local"]);
        assert_eq!(up.code, Some(0), "{up:#?}");
    };
    up();
    let report = in_sync();
    let kinds: BTreeSet<&str> = steps(&report).filter_map(|step| step["kind"].as_str()).collect();
    assert_eq!(kinds, KINDS.into(), "{report:#}");
    assert_eq!(Run::of(&mut hollow.command(&place, &["up", "local"])).code, Some(0));
    assert_eq!(report, here("drift").json());

    let aws = place.aws_at(moto.endpoint(), "local");
    let changed = cloud.wait(by_hand(&aws));
    let drift = there(&["drift", "local", "--format", "json"]);
    assert_eq!(drift.code, Some(3), "{drift:#?}");
    assert_eq!(reported(&drift.json()), changed, "{}", drift.stderr);
    up();
    in_sync();

    let down = there(&["down", "local"]);
    assert_eq!(down.code, Some(0), "{down:#?}");
    let again = there(&["down", "local"]);
    assert!(again.stderr.contains("owns nothing"), "{again:#?}");
    nothing_of(&place, "after `down`", &there(&["plan", "local", "--format", "json"]));
}

/// Checks that everything in a plan has to be created.
fn nothing_of(place: &Place<'_>, when: &str, plan: &Run) {
    let report = plan.json();
    let left = steps(&report).filter(|step| step["action"] != "create");
    assert_eq!(left.count(), 0, "{when} account {} is not empty: {plan:#?}", place.account);
}

fn steps(report: &Value) -> impl Iterator<Item = &Value> {
    report["resources"].as_array().expect("resources are a list").iter()
}

/// Returns all differences to the stack: each resource with the path of each difference.
fn reported(report: &Value) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().expect("the value is text").to_owned();
    let changes = steps(report).flat_map(|step| {
        let changes = step["changes"].as_array().expect("changes are a list");
        changes.iter().map(move |change| (text(&step["id"]), text(&change["path"])))
    });
    changes.collect()
}

/// Changes one resource of each kind. Returns the differences that must be reported.
async fn by_hand(aws: &Aws) -> BTreeSet<(String, String)> {
    const THERE: &str = "the stack is deployed";
    let name = |thing| aws.scope.name(thing);
    let (events, bucket) = (name("events"), aws.scope.bucket_name("archive"));
    let group = format!("/aws/lambda/{}", name("capture"));
    let alarm = name("capture-failing");

    let alarms = aws.cloudwatch.describe_alarms().alarm_names(&alarm).send().await.expect(THERE);
    let live = alarms.metric_alarms()[0].clone();
    let put = aws.cloudwatch.put_metric_alarm().alarm_name(&alarm).threshold(1000.0);
    let put = put.set_namespace(live.namespace).set_metric_name(live.metric_name);
    let put = put.set_statistic(live.statistic).set_period(live.period);
    let put = put.set_evaluation_periods(live.evaluation_periods).set_dimensions(live.dimensions);
    let put = put.set_comparison_operator(live.comparison_operator);
    let put = put.set_alarm_description(live.alarm_description);
    put.set_treat_missing_data(live.treat_missing_data).send().await.expect(THERE);

    let dashboard = format!("{}-{}", name("overview"), aws.scope.region);
    let live = aws.cloudwatch.get_dashboard().dashboard_name(&dashboard).send().await.expect(THERE);
    let mut body: Value =
        serde_json::from_str(live.dashboard_body().unwrap_or_default()).expect("the body is JSON");
    body["widgets"][2]["properties"]["title"] = json!("by hand");
    let call = aws.cloudwatch.put_dashboard().dashboard_name(&dashboard).dashboard_body(body.to_string());
    call.send().await.expect(THERE);

    let on = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(true);
    let call = aws.dynamodb.update_continuous_backups().table_name(&events);
    let call = call.point_in_time_recovery_specification(on.build().expect("the setting is given"));
    call.send().await.expect(THERE);

    let call = aws.iam.put_role_policy().role_name(aws.scope.role_name("get-cart")).policy_name("more");
    let more = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
    ]});
    call.policy_document(more.to_string()).send().await.expect(THERE);

    let call = aws.kinesis.increase_stream_retention_period().stream_name(&events);
    call.retention_period_hours(48).send().await.expect(THERE);

    let listed = aws.lambda.list_event_source_mappings().function_name(name("archive"));
    let uuid = listed.send().await.expect(THERE).event_source_mappings()[0].uuid.clone();
    let call = aws.lambda.update_event_source_mapping().set_uuid(uuid).batch_size(7);
    call.send().await.expect(THERE);

    let call = aws.lambda.update_function_configuration().function_name(name("add-item"));
    call.memory_size(1024).send().await.expect(THERE);

    let call = aws.logs.put_retention_policy().log_group_name(&group).retention_in_days(1);
    call.send().await.expect(THERE);

    let off = VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
    let call = aws.s3.put_bucket_versioning().bucket(&bucket).versioning_configuration(off);
    call.send().await.expect(THERE);

    let shows = [
        (format!("cloudwatch.alarm/{alarm}"), "threshold"),
        (format!("cloudwatch.dashboard/{dashboard}"), "body.widgets[2].properties.title"),
        (format!("dynamodb.table/{events}"), "point_in_time_recovery_days"),
        (format!("iam.role/{}", aws.scope.role_name("get-cart")), "inline_policies.more"),
        (format!("kinesis.stream/{events}"), "retention_hours"),
        (format!("lambda.event-source-mapping/{}/kinesis/{events}", name("archive")), "settings.batch_size"),
        (format!("lambda.function/{}", name("add-item")), "memory_mb"),
        (format!("logs.log-group/{group}"), "retention_days"),
        (format!("s3.bucket/{bucket}"), "versioning"),
    ];
    shows.into_iter().map(|(id, path)| (id, path.to_owned())).collect()
}
