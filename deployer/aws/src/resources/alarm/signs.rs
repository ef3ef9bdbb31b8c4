//! The problems that have alarms, and the reason for each number.
//!
//! Missing data is not a problem: a stream without events has no metrics. Alarms do not detect a consumer
//! that is not invoked at all; `drift` and `probe` do.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use engine::scope::Scope;
use eventsourcing::contract::metric;

use super::{Alarm, arn};

/// Minutes in a row before an alarm: a transient failure is over within one.
const LASTING: i32 = 3;
/// One period of errors: a batch that fails repeatedly, with pauses, is one incident.
const INCIDENT_S: i32 = 300;

impl Alarm {
    /// Returns the alarm that goes off when a stream consumer falls behind: the last record of a batch was
    /// older than `most` ("Types of metrics for Lambda functions", Lambda developer guide), three minutes in
    /// a row. One late batch is a cold start or a successful retry. A consumer that is not invoked has no
    /// age, as with a quiet stream.
    pub fn iterator_age(scope: &Scope, thing: &str, function: &str, most: Duration) -> Self {
        Self {
            description: format!("{function} falls behind its stream"),
            statistic: Some("Maximum".into()),
            threshold: most.as_millis() as f64,
            ..Self::lasting(Self::of_function(scope, thing, function, "IteratorAge"))
        }
    }

    /// Returns the alarm that goes off when an invocation fails. A command that breaks a rule gets an answer
    /// and is not an error, so one error is too many. For a consumer, the alarm comes before batches are
    /// discarded: a discarded batch has failed before.
    pub fn errors(scope: &Scope, thing: &str, function: &str) -> Self {
        Self {
            description: format!("{function} fails"),
            period_s: INCIDENT_S,
            ..Self::of_function(scope, thing, function, "Errors")
        }
    }

    /// Returns the alarm that goes off when a consumer is throttled, three minutes in a row: other functions
    /// use up the account's concurrency, or its own is too low. Lambda invokes it again, so a short throttle
    /// has no effect.
    pub fn throttles(scope: &Scope, thing: &str, function: &str) -> Self {
        Self {
            description: format!("{function} is throttled"),
            ..Self::lasting(Self::of_function(scope, thing, function, "Throttles"))
        }
    }

    /// Returns the alarm that goes off when Lambda could not deliver a discarded batch to its destination:
    /// the batch is lost, unless the source still has it. One is too many.
    pub fn undelivered(scope: &Scope, thing: &str, function: &str) -> Self {
        Self {
            description: format!("discarded batches of {function} cannot be delivered to the bucket"),
            period_s: INCIDENT_S,
            ..Self::of_function(scope, thing, function, "DestinationDeliveryFailures")
        }
    }

    /// Returns the alarm that goes off when a function quarantines an event. One is too many: consumers miss
    /// the event until it is replayed.
    pub fn quarantined(scope: &Scope, thing: &str, function: &str) -> Self {
        Self {
            description: format!("{function} quarantines events that it cannot handle"),
            period_s: INCIDENT_S,
            ..Self::on(
                scope,
                thing,
                metric::NAMESPACE,
                metric::QUARANTINED,
                (metric::FUNCTION_NAME, function),
            )
        }
    }

    /// Returns the alarm that goes off when a Kinesis stream rejects records, three minutes in a row. The
    /// publisher retries them in order, so a burst passes; a lasting problem needs more shards.
    pub fn stream_full(scope: &Scope, thing: &str, stream: &str) -> Self {
        let metric = "WriteProvisionedThroughputExceeded";
        Self {
            description: format!("{stream} is throttled and rejects records"),
            ..Self::lasting(Self::on(scope, thing, "AWS/Kinesis", metric, ("StreamName", stream)))
        }
    }

    /// Returns the alarm that goes off when a table rejects writes of events, three minutes in a row. The SDK
    /// retries, and an on-demand table scales; a lasting problem is one key that is written faster than a
    /// partition allows.
    ///
    /// The functions count rejected writes themselves, because an alarm on DynamoDB's own metric never
    /// returns to OK (`ignores_missing_data`). Metric math (`FILL(m1, 0)`) would also work. But it needs a
    /// window longer than three minutes, because the newest minute of a late metric is always filled ("Using
    /// metric math functions": `FILL`, CloudWatch user guide); and the local cloud does not keep the
    /// expressions of an alarm, so each read would show drift.
    pub fn table_full(scope: &Scope, thing: &str, table: &str) -> Self {
        let of_table = (metric::TABLE_NAME, table);
        Self {
            description: format!("{table} is throttled and rejects writes"),
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
