//! The alarms of a stack: for each stage of the pipeline, the signs that it does not work.

use std::time::Duration;

use engine::stack::Stack;

use super::{Consumer, Stages};
use crate::Aws;
use crate::resources::alarm::Alarm;

/// The maximum lag of a consumer is this fraction of the source's retention: 99 parts of 100 are left for the
/// repair.
const SHARE: u32 = 100;
/// The largest lag without an alarm, even if the source's retention is long.
const LATEST: Duration = Duration::from_secs(3600);

/// Returns the alarms for all stages.
pub(super) fn of(stack: &Stack<Aws>) -> Vec<Alarm> {
    let stages = Stages::of(stack);
    let scope = &stack.scope;
    let prefix = scope.prefix();
    let thing = |name: &str, sign: &str| format!("{}-{sign}", name.strip_prefix(&prefix).unwrap_or(name));
    let tables = stages.tables.iter();
    let tables = tables.map(|table| Alarm::table_full(scope, &thing(table, "table-throttled"), table));
    let streams = stages.streams.iter();
    let streams = streams.map(|stream| Alarm::stream_full(scope, &thing(stream, "stream-throttled"), stream));
    let invoked = stages.invoked_functions.iter();
    let invoked = invoked.map(|function| Alarm::errors(scope, &thing(function, "failing"), function));
    let consumers = stages.consumers.iter().flat_map(|consumer| {
        let function = consumer.function.as_str();
        let thing = |sign| thing(function, sign);
        [
            Alarm::iterator_age(scope, &thing("behind"), function, late(consumer)),
            Alarm::errors(scope, &thing("failing"), function),
            Alarm::throttles(scope, &thing("throttled"), function),
            Alarm::quarantined(scope, &thing("quarantining"), function),
            Alarm::undelivered(scope, &thing("undelivered"), function),
        ]
    });
    tables.chain(streams).chain(invoked).chain(consumers).collect()
}

/// Returns the maximum lag of a consumer.
fn late(consumer: &Consumer) -> Duration {
    (consumer.retention / SHARE).min(LATEST)
}

#[cfg(test)]
mod tests {
    use engine::resource::ResourceId;

    use super::*;

    #[test]
    fn lag_threshold_is_a_share_of_source_retention() {
        let late_of = |hours: u64| {
            let (function, source) = ("f".to_owned(), ResourceId::new("kinesis.stream", "s"));
            late(&Consumer { function, source, retention: Duration::from_secs(hours * 3600) })
        };
        assert_eq!(late_of(24), Duration::from_secs(864));
        assert_eq!(late_of(8760), Duration::from_secs(3600));
    }
}
