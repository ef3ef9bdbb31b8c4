//! The dashboard of a stack: a row for each hop of an event, in the order in which it passes
//! them, and all alarms above.

mod widgets;

use engine::resource::{Resource, ResourceId};
use engine::scope::Scope;
use engine::stack::Stack;
use eventsourcing::contract::metric;
use serde_json::Value;

use self::widgets::{Metric, Rows};
use super::{Consumer, Hops};
use crate::Aws;
use crate::resources::alarm::Alarm;
use crate::resources::dashboard::Dashboard;
use crate::resources::stream::Stream;
use crate::resources::table::Table;

/// S3 measures once a day ("Amazon S3 daily storage metrics", S3 user guide).
const DAY_S: u32 = 86_400;

/// Returns a dashboard that shows the way of an event through the stack, and its alarms.
pub(super) fn of(stack: &Stack<Aws>) -> Dashboard {
    let alarms = stack.resources.iter().filter(|node| node.id().kind() == Alarm::KIND);
    let alarms: Vec<&str> = alarms.filter_map(|node| node.arn()).collect();
    Dashboard::new(&stack.scope, body(&stack.scope, &Hops::of(stack), &alarms))
}

/// Returns what the dashboard shows.
fn body(scope: &Scope, hops: &Hops, alarms: &[&str]) -> Value {
    let mut rows = Rows::of(scope);
    rows.note(&format!(
        "# {}{}\nMade by the deployer: `up` takes back what is changed here by hand.\n\n\
         From left to right and from top to bottom, this is the way of an event.\n",
        scope.prefix(),
        scope.region,
    ));
    rows.alarms(alarms);
    calls(&mut rows, hops);
    for table in &hops.tables {
        written(&mut rows, table);
        for consumer in hops.consumers_of(&ResourceId::new(Table::KIND, table)) {
            handled(&mut rows, consumer);
        }
    }
    for stream in &hops.streams {
        carried(&mut rows, stream);
        for consumer in hops.consumers_of(&ResourceId::new(Stream::KIND, stream)) {
            handled(&mut rows, consumer);
        }
    }
    kept(&mut rows, hops);
    rows.body()
}

/// A row about the functions that are called.
fn calls(rows: &mut Rows<'_>, hops: &Hops) {
    let each = |metric: &str, statistic: &str| {
        let of = |function: &String| {
            Metric::lambda(metric, function).statistic(statistic).labelled(rows.short(function))
        };
        hops.callees.iter().map(of).collect::<Vec<_>>()
    };
    let charts = [
        ("Calls", each("Invocations", "Sum")),
        ("Calls that fail", each("Errors", "Sum")),
        ("Time of a call: the slowest of a hundred, ms", each("Duration", "p99")),
    ];
    rows.row(charts.map(|(title, metrics)| (title.to_owned(), metrics)));
}

/// A row about a table.
fn written(rows: &mut Rows<'_>, table: &str) {
    let latency = |operation: &str, statistic: &str| {
        let of = [("TableName", table), ("Operation", operation)];
        Metric::new("AWS/DynamoDB", "SuccessfulRequestLatency", &of).statistic(statistic)
    };
    let sum = |metric: &str| Metric::new("AWS/DynamoDB", metric, &[("TableName", table)]).statistic("Sum");
    let name = rows.short(table);
    rows.row([
        (
            format!("Table {name}: commits, and conflicts between writers"),
            vec![
                latency("PutItem", "SampleCount").labelled("commits"),
                sum("ConditionalCheckFailedRequests").labelled("conflicts"),
            ],
        ),
        (
            format!("Table {name}: refused for being too much"),
            vec![sum("WriteThrottleEvents").labelled("writes"), sum("ReadThrottleEvents").labelled("reads")],
        ),
        (
            format!("Table {name}: time of a request, ms"),
            vec![latency("PutItem", "p99").labelled("writes"), latency("Query", "p99").labelled("reads")],
        ),
    ]);
}

/// A row about a stream.
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
            format!("Stream {name}: refused for being too much"),
            vec![
                of("WriteProvisionedThroughputExceeded", "Sum").labelled("writes"),
                of("ReadProvisionedThroughputExceeded", "Sum").labelled("reads"),
            ],
        ),
        (
            format!("Stream {name}: age of what is read, ms"),
            vec![of("GetRecords.IteratorAgeMilliseconds", "Maximum").labelled("the oldest")],
        ),
    ]);
}

/// A row about a consumer.
fn handled(rows: &mut Rows<'_>, consumer: &Consumer) {
    let of = |metric: &str, statistic: &str| Metric::lambda(metric, &consumer.function).statistic(statistic);
    let name = rows.short(&consumer.function);
    rows.row([
        (
            format!("{name}: age of what it gets, ms"),
            vec![of("IteratorAge", "Maximum").labelled("last of a batch")],
        ),
        (
            format!("{name}: batches, and those that fail"),
            vec![
                of("Invocations", "Sum").labelled("batches"),
                of("Errors", "Sum").labelled("failed"),
                of("Throttles", "Sum").labelled("throttled"),
            ],
        ),
        (
            format!("{name}: time of a batch, ms"),
            vec![of("Duration", "p50").labelled("half"), of("Duration", "Maximum").labelled("the slowest")],
        ),
    ]);
}

/// A row about what was kept: aside, given up, and for good.
fn kept(rows: &mut Rows<'_>, hops: &Hops) {
    let functions = hops.consumers.iter().map(|consumer| consumer.function.as_str());
    let aside = functions.clone().map(|function| {
        let of = [(metric::FUNCTION_NAME, function)];
        let metric = Metric::new(metric::NAMESPACE, metric::KEPT_ASIDE, &of);
        metric.statistic("Sum").labelled(rows.short(function))
    });
    let lost = functions.map(|function| {
        Metric::lambda("DestinationDeliveryFailures", function)
            .statistic("Sum")
            .labelled(rows.short(function))
    });
    let stored = hops.buckets.iter().flat_map(|bucket| {
        let of = [("BucketName", bucket.as_str()), ("StorageType", "AllStorageTypes")];
        let bytes = [("BucketName", bucket.as_str()), ("StorageType", "StandardStorage")];
        [
            Metric::new("AWS/S3", "NumberOfObjects", &of).statistic("Average").labelled("objects"),
            Metric::new("AWS/S3", "BucketSizeBytes", &bytes).statistic("Average").labelled("bytes").right(),
        ]
    });
    let stored = stored.map(|metric| metric.every(DAY_S)).collect();
    let charts = [
        ("Kept aside: could not be handled", aside.collect()),
        ("Given up, and could not be kept", lost.collect()),
        ("Archive, once a day", stored),
    ];
    rows.row(charts.map(|(title, metrics)| (title.to_owned(), metrics)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::scope;

    #[test]
    fn dashboard_has_a_row_for_each_hop() {
        let alarm = "arn:aws:cloudwatch:eu-central-1:111111111111:alarm:demo-dev-capture-behind";
        insta::assert_json_snapshot!(body(&scope(), &Hops::sample(), &[alarm]));
    }
}
