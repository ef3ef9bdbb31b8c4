//! The dashboard of a stack: all alarms, then a row for each stage of the pipeline, in the order in which an
//! event passes them.

mod widgets;

use engine::resource::{Resource, ResourceId};
use engine::scope::Scope;
use engine::stack::Stack;
use eventsourcing::contract::metric;
use serde_json::Value;

use self::widgets::{Metric, Rows};
use super::{Consumer, Stages};
use crate::Aws;
use crate::resources::alarm::Alarm;
use crate::resources::dashboard::Dashboard;
use crate::resources::stream::Stream;
use crate::resources::table::Table;

/// S3 reports these metrics once a day ("Amazon S3 daily storage metrics", S3 user guide).
const DAY_S: u32 = 86_400;

/// Returns the dashboard with the stages of the pipeline and the alarms of the stack.
pub(super) fn of(stack: &Stack<Aws>) -> Dashboard {
    let alarms = stack.resources.iter().filter(|node| node.id().kind() == Alarm::KIND);
    let alarms: Vec<&str> = alarms.filter_map(|node| node.arn()).collect();
    Dashboard::new(&stack.scope, body(&stack.scope, &Stages::of(stack), &alarms))
}

/// Returns the body of the dashboard.
fn body(scope: &Scope, stages: &Stages, alarms: &[&str]) -> Value {
    let mut rows = Rows::of(scope);
    rows.note(&format!(
        "# {}{}\nManaged by the deployer: `up` reverts manual changes.\n\n\
         The rows follow the path of an event.\n",
        scope.prefix(),
        scope.region,
    ));
    rows.alarms(alarms);
    calls(&mut rows, stages);
    for table in &stages.tables {
        written(&mut rows, table);
        for consumer in stages.consumers_of(&ResourceId::new(Table::KIND, table)) {
            handled(&mut rows, consumer);
        }
    }
    for stream in &stages.streams {
        carried(&mut rows, stream);
        for consumer in stages.consumers_of(&ResourceId::new(Stream::KIND, stream)) {
            handled(&mut rows, consumer);
        }
    }
    kept(&mut rows, stages);
    rows.body()
}

/// Adds a row about the functions that are invoked directly.
fn calls(rows: &mut Rows<'_>, stages: &Stages) {
    let each = |metric: &str, statistic: &str| {
        let of = |function: &String| {
            Metric::lambda(metric, function).statistic(statistic).labelled(rows.short(function))
        };
        stages.invoked_functions.iter().map(of).collect::<Vec<_>>()
    };
    let charts = [
        ("Invocations", each("Invocations", "Sum")),
        ("Errors", each("Errors", "Sum")),
        ("Duration p99, ms", each("Duration", "p99")),
    ];
    rows.row(charts.map(|(title, metrics)| (title.to_owned(), metrics)));
}

/// Adds a row about a table.
fn written(rows: &mut Rows<'_>, table: &str) {
    let latency = |operation: &str, statistic: &str| {
        let of = [("TableName", table), ("Operation", operation)];
        Metric::new("AWS/DynamoDB", "SuccessfulRequestLatency", &of).statistic(statistic)
    };
    let sum = |metric: &str| Metric::new("AWS/DynamoDB", metric, &[("TableName", table)]).statistic("Sum");
    let name = rows.short(table);
    rows.row([
        (
            format!("Table {name}: commits and conflicts"),
            vec![
                latency("PutItem", "SampleCount").labelled("commits"),
                sum("ConditionalCheckFailedRequests").labelled("conflicts"),
            ],
        ),
        (
            format!("Table {name}: throttled requests"),
            vec![sum("WriteThrottleEvents").labelled("writes"), sum("ReadThrottleEvents").labelled("reads")],
        ),
        (
            format!("Table {name}: latency p99, ms"),
            vec![latency("PutItem", "p99").labelled("writes"), latency("Query", "p99").labelled("reads")],
        ),
    ]);
}

/// Adds a row about a stream.
fn carried(rows: &mut Rows<'_>, stream: &str) {
    let of = |metric: &str, statistic: &str| {
        Metric::new("AWS/Kinesis", metric, &[("StreamName", stream)]).statistic(statistic)
    };
    let name = rows.short(stream);
    rows.row([
        (
            format!("Stream {name}: records in and out"),
            vec![
                of("IncomingRecords", "Sum").labelled("in"),
                of("GetRecords.Records", "Sum").labelled("out, to all consumers"),
            ],
        ),
        (
            format!("Stream {name}: throttled requests"),
            vec![
                of("WriteProvisionedThroughputExceeded", "Sum").labelled("writes"),
                of("ReadProvisionedThroughputExceeded", "Sum").labelled("reads"),
            ],
        ),
        (
            format!("Stream {name}: iterator age, ms"),
            vec![of("GetRecords.IteratorAgeMilliseconds", "Maximum").labelled("maximum")],
        ),
    ]);
}

/// Adds a row about a consumer.
fn handled(rows: &mut Rows<'_>, consumer: &Consumer) {
    let of = |metric: &str, statistic: &str| Metric::lambda(metric, &consumer.function).statistic(statistic);
    let name = rows.short(&consumer.function);
    rows.row([
        (format!("{name}: lag (iterator age), ms"), vec![of("IteratorAge", "Maximum").labelled("maximum")]),
        (
            format!("{name}: batches, errors, throttles"),
            vec![
                of("Invocations", "Sum").labelled("batches"),
                of("Errors", "Sum").labelled("failed"),
                of("Throttles", "Sum").labelled("throttled"),
            ],
        ),
        (
            format!("{name}: batch duration, ms"),
            vec![of("Duration", "p50").labelled("p50"), of("Duration", "Maximum").labelled("maximum")],
        ),
    ]);
}

/// Adds a row about quarantined events, lost batches and the archive.
fn kept(rows: &mut Rows<'_>, stages: &Stages) {
    let functions = stages.consumers.iter().map(|consumer| consumer.function.as_str());
    let aside = functions.clone().map(|function| {
        let of = [(metric::FUNCTION_NAME, function)];
        let metric = Metric::new(metric::NAMESPACE, metric::QUARANTINED, &of);
        metric.statistic("Sum").labelled(rows.short(function))
    });
    let lost = functions.map(|function| {
        Metric::lambda("DestinationDeliveryFailures", function)
            .statistic("Sum")
            .labelled(rows.short(function))
    });
    let stored = stages.buckets.iter().flat_map(|bucket| {
        let of = [("BucketName", bucket.as_str()), ("StorageType", "AllStorageTypes")];
        let bytes = [("BucketName", bucket.as_str()), ("StorageType", "StandardStorage")];
        [
            Metric::new("AWS/S3", "NumberOfObjects", &of).statistic("Average").labelled("objects"),
            Metric::new("AWS/S3", "BucketSizeBytes", &bytes).statistic("Average").labelled("bytes").right(),
        ]
    });
    let stored = stored.map(|metric| metric.every(DAY_S)).collect();
    let charts = [
        ("Quarantined events", aside.collect()),
        ("Discarded batches that were lost", lost.collect()),
        ("Archive size, daily", stored),
    ];
    rows.row(charts.map(|(title, metrics)| (title.to_owned(), metrics)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::scope;

    #[test]
    fn dashboard_has_a_row_for_each_stage() {
        let alarm = "arn:aws:cloudwatch:eu-central-1:111111111111:alarm:demo-dev-capture-behind";
        insta::assert_json_snapshot!(body(&scope(), &Stages::sample(), &[alarm]));
    }
}
