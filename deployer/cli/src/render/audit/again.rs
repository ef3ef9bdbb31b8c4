//! What is said before events are published once more.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::Timestamp;

use crate::render::style::count;

/// Returns what whoever publishes events of these times once more has to know, where what is on its
/// way is kept for so long.
pub fn published_again(times: RangeInclusive<Timestamp>, now: Timestamp, retention: Duration) -> Vec<String> {
    let oldest = times.start();
    let ago = match now.duration_since(*oldest).as_hours().max(0) {
        0 => "of the last hour".to_owned(),
        hours @ 1..48 => format!("{} ago", count(hours.unsigned_abs(), "hour")),
        hours => format!("{} ago", count((hours / 24).unsigned_abs(), "day")),
    };
    let again = format!(
        "the oldest is of {oldest} ({ago}). Every consumer gets them like new ones, without the mark of a replay: one \
         that builds a state drops what it has seen, but one that acts on the outside acts once more, unless it \
         remembers them"
    );
    let may_come = now.duration_since(*times.end()).unsigned_abs() < retention;
    let hours = count(retention.as_secs() / 3600, "hour");
    let late = format!(
        "those of the last {hours} may be under way still: if `capture` or `archive` is behind (their alarms and \
         iterator ages tell), they come by themselves, and there is nothing to publish"
    );
    std::iter::once(again).chain(may_come.then_some(late)).collect()
}
