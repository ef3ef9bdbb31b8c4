//! Looking again and again at what the archive gets: mostly where it comes as a rule, now and
//! then everywhere it could come.
//!
//! An object is named after the hour in which its first record came into the stream. As long as
//! `archive` keeps up, that is this hour, or the one before it. When it catches up after an outage
//! on a quiet stream, one batch has what is hours old together with what has come just now: as old
//! as anything that the stream still keeps.

use std::time::Duration;

use jiff::Timestamp;

/// How much older than an event an object that has it may be named, as a rule.
const AS_A_RULE: Duration = Duration::from_secs(3_600);
/// Every how many looks one is far. A far look lists all that the stream still keeps.
const FAR: usize = 10;

/// LookSchedule at what has come since a moment.
#[derive(Debug, Clone, Copy)]
pub struct LookSchedule {
    near: Timestamp,
    far: Timestamp,
    begun: usize,
    was_far: bool,
}

impl LookSchedule {
    /// Returns the looks at what has come since a moment by way of a stream that keeps records for
    /// this long.
    pub fn since(since: Timestamp, retention: Duration) -> Self {
        let near = since.checked_sub(AS_A_RULE).unwrap_or(since);
        Self { near, far: near.checked_sub(retention).unwrap_or(near), begun: 0, was_far: false }
    }

    /// Returns from which hour on the next look lists. What the last one does not find is said to
    /// be missing, so that one is far.
    pub fn next(&mut self, last: bool) -> Timestamp {
        self.begun += 1;
        self.was_far = last || self.begun.is_multiple_of(FAR);
        if self.was_far { self.far } else { self.near }
    }

    /// Tells whether the look begun last was one to which nothing is missing that is there.
    pub fn were_far(&self) -> bool {
        self.was_far
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audit_looks_are_near_except_every_tenth_and_last() {
        let since = "2026-11-22T04:30:00Z".parse().expect("it is a time");
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
