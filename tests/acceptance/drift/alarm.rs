//! Manual changes to an alarm. `PutMetricAlarm` replaces the whole alarm, so one row changes every field.
//!
//! MiniStack loses the expressions of an alarm on metric math: [`super::complete`] names the unit test that
//! covers them.

use aws::{Aws, AwsNames};
use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, StandardUnit, Statistic};
use engine::scope::Scope;

use super::row::{GONE, Raw, Row, sent};

pub(super) fn first(scope: &Scope) -> Vec<Row> {
    vec![
        Row::new(
            "altered in every field",
            id(scope, "capture-failing"),
            &[
                "actions_enabled",
                "alarm_actions",
                "comparison",
                "datapoints_to_alarm",
                "description",
                "dimensions.FunctionName",
                "dimensions.ByHand",
                "evaluation_periods",
                "insufficient_data_actions",
                "metric",
                "namespace",
                "ok_actions",
                "period_s",
                "statistic",
                "threshold",
                "treat_missing_data",
                "unit",
            ],
            altered,
        ),
        Row::new("actions disabled", id(scope, "archive-failing"), &["actions_enabled"], |aws| {
            let call = aws.cloudwatch.disable_alarm_actions();
            let call = call.alarm_names(aws.scope.name("archive-failing"));
            sent(call.send())
        }),
    ]
}

pub(super) fn gone(scope: &Scope) -> Vec<Row> {
    vec![Row::new("alarm deleted", id(scope, "capture-behind"), GONE, |aws| {
        let call = aws.cloudwatch.delete_alarms().alarm_names(aws.scope.name("capture-behind"));
        sent(call.send())
    })]
}

fn altered(aws: &Aws) -> Raw<'_> {
    let topic = |name| aws.scope.arn("sns", name);
    let call = aws
        .cloudwatch
        .put_metric_alarm()
        .alarm_name(aws.scope.name("capture-failing"))
        .alarm_description("by hand")
        .namespace("ByHand")
        .metric_name("ByHand")
        .dimensions(Dimension::builder().name("ByHand").value("yes").build())
        .statistic(Statistic::Maximum)
        .unit(StandardUnit::Count)
        .period(120)
        .evaluation_periods(4)
        .datapoints_to_alarm(3)
        .threshold(1000.0)
        .comparison_operator(ComparisonOperator::LessThanThreshold)
        .treat_missing_data("breaching")
        .actions_enabled(false)
        .alarm_actions(topic("alarm"))
        .ok_actions(topic("ok"))
        .insufficient_data_actions(topic("nothing"));
    sent(call.send())
}

fn id(scope: &Scope, thing: &str) -> String {
    format!("cloudwatch.alarm/{}", scope.name(thing))
}
