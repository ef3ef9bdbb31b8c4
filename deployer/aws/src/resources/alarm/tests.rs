//! Handling of CloudWatch's answers about alarms, and requests to CloudWatch.

use std::time::Duration;

use super::*;
use engine::diff::diff;
use engine::resource::Described;
use serde_json::json;

use crate::testing::{Script, body, fault, scope};

fn alarm() -> Alarm {
    Alarm::iterator_age(&scope(), "capture-behind", "demo-dev-capture", Duration::from_secs(900))
}

/// Returns CloudWatch's answer for the desired alarm.
fn as_desired() -> aws_sdk_cloudwatch::types::builders::MetricAlarmBuilder {
    MetricAlarm::builder()
        .alarm_name("demo-dev-capture-behind")
        .alarm_description("demo-dev-capture falls behind its stream")
        .namespace("AWS/Lambda")
        .metric_name("IteratorAge")
        .dimensions(Dimension::builder().name("FunctionName").value("demo-dev-capture").build())
        .statistic("Maximum".into())
        .period(60)
        .evaluation_periods(3)
        .threshold(900_000.0)
        .comparison_operator("GreaterThanThreshold".into())
        .treat_missing_data("notBreaching")
}

fn differing(live: &MetricAlarm) -> Vec<String> {
    let changes = diff(&alarm().live(live).state(), &alarm().state());
    changes.into_iter().map(|change| change.path).collect()
}

#[test]
fn alarm_fields_left_out_have_defaults() {
    assert_eq!(differing(&as_desired().build()), Vec::<String>::new());
    let live = alarm().live(&MetricAlarm::builder().evaluation_periods(3).build());
    assert_eq!(live.datapoints_to_alarm, 3);
    assert_eq!(live.treat_missing_data, "missing");
    assert!(live.actions_enabled);
}

#[test]
fn alarm_drift_names_the_field() {
    let dimension = Dimension::builder().name("Resource").value("x").build();
    let query = MetricDataQuery::builder().id("e1").expression("m1 / m2").build();
    let live = [
        (as_desired().threshold(1.0).build(), "threshold"),
        (as_desired().period(120).build(), "period_s"),
        (as_desired().evaluation_periods(5).datapoints_to_alarm(3).build(), "evaluation_periods"),
        (as_desired().datapoints_to_alarm(1).build(), "datapoints_to_alarm"),
        (as_desired().statistic("Average".into()).build(), "statistic"),
        (as_desired().comparison_operator("LessThanThreshold".into()).build(), "comparison"),
        (as_desired().treat_missing_data("breaching").build(), "treat_missing_data"),
        (as_desired().actions_enabled(false).build(), "actions_enabled"),
        (as_desired().alarm_actions("arn:t").build(), "alarm_actions"),
        (as_desired().ok_actions("arn:t").build(), "ok_actions"),
        (as_desired().insufficient_data_actions("arn:t").build(), "insufficient_data_actions"),
        (as_desired().alarm_description("other").build(), "description"),
        (as_desired().dimensions(dimension).build(), "dimensions.Resource"),
        (as_desired().unit("Seconds".into()).build(), "unit"),
        (as_desired().metric_name("Errors").build(), "metric"),
        (as_desired().metrics(query).build(), "expressions.e1"),
        (as_desired().evaluate_low_sample_count_percentile("ignore").build(), "low_sample_percentile"),
    ];
    for (live, path) in live {
        assert_eq!(differing(&live), [path]);
    }
}

#[test]
fn alarm_ignores_order_of_dimensions_and_actions() {
    let dimension = |name: &str| Dimension::builder().name(name).value("v").build();
    let one = MetricAlarm::builder().dimensions(dimension("a")).dimensions(dimension("b"));
    let other = MetricAlarm::builder().dimensions(dimension("b")).dimensions(dimension("a"));
    let one = alarm().live(&one.alarm_actions("x").alarm_actions("y").build());
    let other = alarm().live(&other.alarm_actions("y").alarm_actions("x").build());
    assert_eq!(one.state(), other.state());
}

#[test]
fn alarm_mistakes_are_found_without_a_call() {
    let mistakes = |alarm: Alarm| Resource::mistakes(&alarm, &Neighbours::default());
    assert_eq!(mistakes(alarm()), Vec::<String>::new());
    assert_eq!(mistakes(Alarm::errors(&scope(), "x", "f")), Vec::<String>::new());
    let wrong = [
        Alarm { name: "n".repeat(256), ..alarm() },
        Alarm { period_s: 90, ..alarm() },
        Alarm { period_s: 10, ..alarm() },
        Alarm { evaluation_periods: 1500, datapoints_to_alarm: 1, ..alarm() },
        Alarm { datapoints_to_alarm: 4, ..alarm() },
        Alarm { extended_statistic: Some("p99".into()), ..alarm() },
        Alarm { namespace: "AWS/DynamoDB".into(), ..alarm() },
        Alarm { alarm_actions: (0..6).map(|n| n.to_string()).collect(), ..alarm() },
    ];
    for alarm in wrong {
        assert_eq!(mistakes(alarm.clone()).len(), 1, "{alarm:?}: {:?}", mistakes(alarm.clone()));
    }
    assert!(mistakes(Alarm { period_s: 3600, evaluation_periods: 168, ..alarm() }).is_empty());
}

/// DynamoDB sends no metric while it rejects no writes.
#[test]
fn alarm_on_throttled_writes_returns_to_ok_without_data() {
    let throttled = Alarm::table_full(&scope(), "events-table-throttled", "demo-dev-events");
    assert!(!throttled.ignores_missing_data(), "{} keeps its state without data", throttled.namespace);
    assert_eq!(throttled.treat_missing_data, "notBreaching");
    assert_eq!(Resource::mistakes(&throttled, &Neighbours::default()), [""; 0]);
}

#[test]
fn topics_are_notified_of_alarm_and_ok() {
    let topics = BTreeSet::from(["arn:aws:sns:eu-central-1:111111111111:people".to_owned()]);
    let notifying = alarm().telling(&topics);
    assert_eq!((&notifying.alarm_actions, &notifying.ok_actions), (&topics, &topics));
    assert!(notifying.insufficient_data_actions.is_empty() && notifying.actions_enabled);
}

#[test]
fn alarm_permissions_end_at_the_prefix() {
    for statement in Alarm::permissions(&scope()) {
        let ours = "arn:aws:cloudwatch:eu-central-1:111111111111:alarm:demo-dev-*";
        let on = if statement.sid == "AlarmsList" { "*" } else { ours };
        assert_eq!(statement.resources, [on]);
    }
}

#[tokio::test]
async fn alarm_names_are_looked_up_among_all_types() {
    let script = Script::new().on("DescribeAlarms", body(json!({"LogAlarms": [{}]})));
    assert_eq!(exists("demo-dev-capture-behind", &script.aws()).await, Ok(true));
    let sent = &script.asked()[0].body;
    for kind in ["MetricAlarm", "CompositeAlarm", "LogAlarm"] {
        assert!(sent.contains(kind), "{kind} is not requested: {sent}");
    }
}

#[tokio::test]
async fn alarm_with_unknown_owner_is_not_replaced() {
    let script = Script::new().on("DescribeAlarms", fault(403, "AccessDenied", "no"));
    assert!(alarm().create(&scope().tags(), &script.aws()).await.is_err());
    assert_eq!(script.calls(), ["DescribeAlarms"]);
}

#[test]
fn alarm_is_sent_whole() {
    let aws = Script::new().aws();
    let sent = alarm().put(&aws).as_input().clone().build().expect("all required fields are set");
    let fields = [
        sent.alarm_name.is_some(),
        sent.alarm_description.is_some(),
        sent.namespace.is_some(),
        sent.metric_name.is_some(),
        sent.dimensions.is_some_and(|dimensions| dimensions.len() == 1),
        sent.statistic.is_some(),
        sent.period == Some(60),
        sent.evaluation_periods == Some(3),
        sent.datapoints_to_alarm == Some(3),
        sent.threshold == Some(900_000.0),
        sent.comparison_operator.is_some(),
        sent.treat_missing_data.is_some(),
        sent.actions_enabled == Some(true),
        sent.alarm_actions.is_some_and(|actions| actions.is_empty()),
        sent.ok_actions.is_some_and(|actions| actions.is_empty()),
        sent.insufficient_data_actions.is_some_and(|actions| actions.is_empty()),
    ];
    assert!(fields.iter().all(|sent| *sent), "{fields:?}");
}
