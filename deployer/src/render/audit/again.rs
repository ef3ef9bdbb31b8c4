//! What is said before events are published once more.

use jiff::Timestamp;

use crate::render::style::count;

/// Returns what whoever publishes events once more has to know.
pub fn published_again(oldest: Timestamp, now: Timestamp) -> String {
    let ago = match now.duration_since(oldest).as_hours().max(0) {
        0 => "of the last hour".to_owned(),
        hours @ 1..48 => format!("{} ago", count(hours.unsigned_abs(), "hour")),
        hours => format!("{} ago", count((hours / 24).unsigned_abs(), "day")),
    };
    format!(
        "the oldest is of {oldest} ({ago}). Every consumer gets them like new ones, without the mark of a replay: one \
         that builds a state drops what it has seen, but one that acts on the outside acts once more, unless it \
         remembers them"
    )
}
