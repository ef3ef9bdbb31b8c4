//! The warnings before events are republished.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::Timestamp;

use crate::render::style::count;

/// Returns the warnings before events of these times are republished. The stream keeps records for
/// `retention`.
pub fn published_again(times: RangeInclusive<Timestamp>, now: Timestamp, retention: Duration) -> Vec<String> {
    let oldest = times.start();
    let ago = match now.duration_since(*oldest).as_hours().max(0) {
        0 => "in the last hour".to_owned(),
        hours @ 1..48 => format!("{} ago", count(hours.unsigned_abs(), "hour")),
        hours => format!("{} ago", count((hours / 24).unsigned_abs(), "day")),
    };
    let again = format!(
        "the oldest event is from {oldest} ({ago}). All consumers get these events like new ones, not marked \
         as a replay: projections drop events that they have seen, but reactors repeat their side effects, \
         unless they remember the events"
    );
    let may_come = now.duration_since(*times.end()).unsigned_abs() < retention;
    let hours = count(retention.as_secs() / 3600, "hour");
    let late = format!(
        "events from the last {hours} may still arrive: check the alarms capture-behind and archive-behind \
         before you republish"
    );
    std::iter::once(again).chain(may_come.then_some(late)).collect()
}
