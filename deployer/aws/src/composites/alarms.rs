//! The alarms of a stack: for each hop of an event, what it looks like when that hop does not
//! work.

use std::time::Duration;

use engine::stack::Stack;

use super::{Consumer, Hops};
use crate::Aws;
use crate::resources::alarm::Alarm;

/// Of the time for which a source keeps its records, the share by which a consumer may be
/// late: 99 parts are left to repair it.
const SHARE: u32 = 100;
/// Nobody wants to hear of it later than that, however long the source keeps its records.
const LATEST: Duration = Duration::from_secs(3600);

/// Returns an alarm for each sign of trouble at each hop.
pub(super) fn of(stack: &Stack<Aws>) -> Vec<Alarm> {
    let hops = Hops::of(stack);
    let scope = &stack.scope;
    let prefix = scope.prefix();
    let thing = |name: &str, sign: &str| format!("{}-{sign}", name.strip_prefix(&prefix).unwrap_or(name));
    let tables = hops.tables.iter();
    let tables = tables.map(|table| Alarm::table_full(scope, &thing(table, "table-throttled"), table));
    let streams = hops.streams.iter();
    let streams = streams.map(|stream| Alarm::stream_full(scope, &thing(stream, "stream-throttled"), stream));
    let callees = hops.callees.iter();
    let callees = callees.map(|function| Alarm::errors(scope, &thing(function, "failing"), function));
    let consumers = hops.consumers.iter().flat_map(|consumer| {
        let function = consumer.function.as_str();
        let thing = |sign| thing(function, sign);
        [
            Alarm::iterator_age(scope, &thing("behind"), function, late(consumer)),
            Alarm::errors(scope, &thing("failing"), function),
            Alarm::throttles(scope, &thing("throttled"), function),
            Alarm::kept_aside(scope, &thing("keeping-aside"), function),
            Alarm::undelivered(scope, &thing("losing"), function),
        ]
    });
    tables.chain(streams).chain(callees).chain(consumers).collect()
}

/// Returns how late a consumer may be.
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
