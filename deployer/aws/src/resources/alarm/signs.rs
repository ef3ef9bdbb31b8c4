//! The signs of trouble that there are alarms for, and the reason for each number.
//!
//! No data is never trouble: a stream without events has no metrics. What an alarm cannot see
//! is a consumer that is not invoked at all; `drift` and `probe` see that.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use engine::scope::Scope;
use eventsourcing::contract::metric;

use super::{Alarm, arn};

/// What fails in passing is over within a minute. What is still so in the third is not.
const LASTING: i32 = 3;
/// A batch that fails again and again, with pauses, is one incident and not many.
const INCIDENT_S: i32 = 300;

impl Alarm {
    /// Returns the alarm of this thing that goes off when a stream consumer is late: the last
    /// record of a batch was older than this ("Types of metrics for Lambda functions", Lambda
    /// developer guide), three minutes in a row. One late batch is a cold start or a retry that
    /// worked. A consumer that is not invoked has no age, which is how a quiet stream looks.
    pub fn iterator_age(scope: &Scope, thing: &str, function: &str, most: Duration) -> Self {
        Self {
            description: format!("{function} falls behind its stream"),
            statistic: Some("Maximum".into()),
            threshold: most.as_millis() as f64,
            ..Self::lasting(Self::of_function(scope, thing, function, "IteratorAge"))
        }
    }

    /// Returns the alarm of this thing that goes off when an invocation fails. Rules broken
    /// by callers are answers, not errors, so one is too many. Of a consumer, it also comes
    /// before anything is given up: nothing is that did not fail first.
    pub fn errors(scope: &Scope, thing: &str, function: &str) -> Self {
        Self {
            description: format!("{function} fails"),
            period_s: INCIDENT_S,
            ..Self::of_function(scope, thing, function, "Errors")
        }
    }

    /// Returns the alarm of this thing that goes off when a consumer is not let run, three
    /// minutes in a row: others use up the account's concurrency, or it has too little of its
    /// own. Lambda invokes it again, so a moment of that costs nothing.
    pub fn throttles(scope: &Scope, thing: &str, function: &str) -> Self {
        Self {
            description: format!("{function} is throttled"),
            ..Self::lasting(Self::of_function(scope, thing, function, "Throttles"))
        }
    }

    /// Returns the alarm of this thing that goes off when Lambda could not put what it gave up
    /// where it belongs: then it is lost, unless the source still has it. One is too many.
    pub fn undelivered(scope: &Scope, thing: &str, function: &str) -> Self {
        Self {
            description: format!("what {function} gives up cannot be kept"),
            period_s: INCIDENT_S,
            ..Self::of_function(scope, thing, function, "DestinationDeliveryFailures")
        }
    }

    /// Returns the alarm of this thing that goes off when a function keeps something aside. One
    /// is too many: each is an event that somebody will miss until it is replayed.
    pub fn kept_aside(scope: &Scope, thing: &str, function: &str) -> Self {
        Self {
            description: format!("{function} keeps events aside that it cannot handle"),
            period_s: INCIDENT_S,
            ..Self::on(scope, thing, metric::NAMESPACE, metric::KEPT_ASIDE, (metric::FUNCTION_NAME, function))
        }
    }

    /// Returns the alarm of this thing that goes off when a Kinesis stream refuses records,
    /// three minutes in a row. Who publishes puts them again in order, so a burst passes by
    /// itself; what lasts wants more shards.
    pub fn stream_full(scope: &Scope, thing: &str, stream: &str) -> Self {
        let metric = "WriteProvisionedThroughputExceeded";
        Self {
            description: format!("{stream} takes less than is published"),
            ..Self::lasting(Self::on(scope, thing, "AWS/Kinesis", metric, ("StreamName", stream)))
        }
    }

    /// Returns the alarm of this thing that goes off when a table refuses writes of events, three
    /// minutes in a row. The SDK writes again, and a table on demand grows; what lasts is one key
    /// that is written faster than a partition can.
    ///
    /// The functions count refused writes themselves, because an alarm on DynamoDB's own metric
    /// never returns to OK (`ignores_missing_data`). Metric math (`FILL(m1, 0)`) would do
    /// it too. But it needs a window longer than three minutes, because the newest minute of a
    /// metric that comes late is always filled ("Using metric math functions": `FILL`, CloudWatch
    /// user guide); and the local cloud does not keep the expressions of an alarm, so each look at
    /// it would show drift.
    pub fn table_full(scope: &Scope, thing: &str, table: &str) -> Self {
        let of_table = (metric::TABLE_NAME, table);
        Self {
            description: format!("{table} takes less than is written"),
            ..Self::lasting(Self::on(scope, thing, metric::NAMESPACE, metric::THROTTLED_WRITES, of_table))
        }
    }

    fn lasting(alarm: Self) -> Self {
        Self { evaluation_periods: LASTING, datapoints_to_alarm: LASTING, ..alarm }
    }

    fn of_function(scope: &Scope, thing: &str, function: &str, metric: &str) -> Self {
        Self::on(scope, thing, "AWS/Lambda", metric, ("FunctionName", function))
    }

    /// Returns the alarm that goes off when a metric's sum in a minute is not 0.
    fn on(
        scope: &Scope,
        thing: &str,
        namespace: &str,
        metric: &str,
        (dimension, value): (&str, &str),
    ) -> Self {
        let name = scope.name(thing);
        Self {
            arn: arn(scope, &name),
            name,
            description: String::new(),
            namespace: namespace.to_owned(),
            metric: metric.to_owned(),
            dimensions: BTreeMap::from([(dimension.to_owned(), value.to_owned())]),
            statistic: Some("Sum".into()),
            extended_statistic: None,
            unit: None,
            expressions: BTreeMap::new(),
            period_s: 60,
            evaluation_periods: 1,
            datapoints_to_alarm: 1,
            threshold: 0.0,
            comparison: "GreaterThanThreshold".into(),
            treat_missing_data: "notBreaching".into(),
            low_sample_percentile: None,
            actions_enabled: true,
            alarm_actions: BTreeSet::new(),
            ok_actions: BTreeSet::new(),
            insufficient_data_actions: BTreeSet::new(),
        }
    }
}
