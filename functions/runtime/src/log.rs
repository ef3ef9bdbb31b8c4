//! The log: one JSON object a line on standard output, the format that CloudWatch reads. A line that counts
//! something is also a metric.
//!
//! CloudWatch makes metrics of log lines in the embedded metric format ("Specification: Embedded metric
//! format", Amazon CloudWatch user guide). That needs no call and no permission, and cannot fail.

use std::{env, fmt};

use eventsourcing::contract::metric;
use jiff::Timestamp;
use serde_json::json;
use tracing::{Event, Subscriber, level_filters::LevelFilter, subscriber::set_global_default};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields, MakeWriter,
        format::{Format, Json, JsonFields, Writer},
    },
    registry::LookupSpan,
};

/// All metrics, each with its dimension. A log line has the dimension's value as a field, except the
/// function's name, which is added to every line of a metric.
const METRICS: [(&str, &str); 2] =
    [(metric::QUARANTINED, metric::FUNCTION_NAME), (metric::THROTTLED_WRITES, metric::TABLE_NAME)];

/// Initializes the log of the process.
pub(crate) fn open() {
    // Lambda sets both variables; the level comes from the function's logging configuration.
    let level = env::var("AWS_LAMBDA_LOG_LEVEL").ok();
    let level = level.and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let function = env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default();
    set_global_default(to(std::io::stdout, function, level)).expect("the log is initialized once");
}

/// Returns the log of the function with this deployed name.
pub fn to<W>(writer: W, function: impl Into<String>, level: LevelFilter) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = Format::default().json().flatten_event(true).with_span_list(false).with_target(false);
    tracing_subscriber::fmt()
        .fmt_fields(JsonFields::new())
        .event_format(Lines { lines, function: function.into() })
        .with_max_level(level)
        .with_writer(writer)
        .finish()
}

/// Formats log lines.
struct Lines {
    lines: Format<Json>,
    function: String,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let fields = event.metadata().fields();
        let counted = METRICS.into_iter().find(|(name, _)| fields.field(name).is_some());
        let Some((name, dimension)) = counted else {
            return self.lines.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.lines.format_event(context, Writer::new(&mut line), event)?;
        let object = line.trim_end().strip_suffix('}').ok_or(fmt::Error)?;
        let function = json!(self.function);
        writeln!(
            writer,
            r#"{object},"{}":{function},"_aws":{}}}"#,
            metric::FUNCTION_NAME,
            how(name, dimension)
        )
    }
}

/// Returns the fields that make a metric of a log line. CloudWatch requires the timestamp here, and does not
/// read the line's own.
fn how(name: &str, dimension: &str) -> serde_json::Value {
    json!({
        "Timestamp": Timestamp::now().as_millisecond(),
        "CloudWatchMetrics": [{
            "Namespace": metric::NAMESPACE,
            "Dimensions": [[dimension]],
            "Metrics": [{ "Name": name, "Unit": "Count" }],
        }],
    })
}
