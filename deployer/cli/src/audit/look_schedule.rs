//! Schedules repeated reads of the archive: usually the recent hours, sometimes all hours in which new
//! objects can appear.
//!
//! An object is named after the hour in which its first record arrived in the stream. While `archive` keeps
//! up, that is the current hour or the one before. When it catches up after an outage on a quiet stream, one
//! batch mixes new records with records that are hours old: up to the retention of the stream.

use std::time::Duration;

use jiff::Timestamp;

/// How much older than its events the hour in an object's name usually is, at most.
const AS_A_RULE: Duration = Duration::from_secs(3_600);
/// Every tenth read is far: it lists all hours within the retention of the stream.
const FAR: usize = 10;

/// The hours from which successive reads list the archive.
#[derive(Debug, Clone, Copy)]
pub struct LookSchedule {
    near: Timestamp,
    far: Timestamp,
    begun: usize,
    was_far: bool,
}

impl LookSchedule {
    /// Returns the schedule for objects written since a moment, for a stream with this retention.
    pub fn since(since: Timestamp, retention: Duration) -> Self {
        let near = since.checked_sub(AS_A_RULE).unwrap_or(since);
        Self { near, far: near.checked_sub(retention).unwrap_or(near), begun: 0, was_far: false }
    }

    /// Returns the hour from which the next read lists. The last read is far, because events that it does not
    /// find are reported as missing.
    pub fn next(&mut self, last: bool) -> Timestamp {
        self.begun += 1;
        self.was_far = last || self.begun.is_multiple_of(FAR);
        if self.was_far { self.far } else { self.near }
    }

    /// Returns whether the latest read was far, so that it missed no object.
    pub fn were_far(&self) -> bool {
        self.was_far
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audit_looks_are_near_except_every_tenth_and_last() {
        let since = "2026-11-22T04:30:00Z".parse().expect("the text is a valid time");
        let mut looks = LookSchedule::since(since, Duration::from_secs(24 * 3_600));
        let from: Vec<String> = (1..=12).map(|look| looks.next(look == 12).to_string()).collect();
        let (near, far) = ("2026-11-22T03:30:00Z", "2026-11-21T03:30:00Z");
        assert_eq!(from[..9], [near; 9]);
        assert_eq!(from[9..], [far, near, far]);
        assert!(looks.were_far());
        assert_eq!(looks.next(false).to_string(), near);
        assert!(!looks.were_far());
    }
}
