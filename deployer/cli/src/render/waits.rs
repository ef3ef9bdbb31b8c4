//! How long steps have been waiting, and when to report that without a terminal.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use engine::resource::ResourceId;

use super::style::duration;

/// The time between two reports of a wait. Shorter waits are not worth a line in a log.
const EVERY: Duration = Duration::from_secs(10);

/// The current waits.
#[derive(Debug, Default)]
pub(super) struct Waits(BTreeMap<ResourceId, Wait>);

#[derive(Debug)]
struct Wait {
    what: String,
    since: Instant,
    reported: Instant,
}

impl Waits {
    /// Records what a step waits for. Returns whether that has changed.
    pub(super) fn heard(&mut self, id: &ResourceId, what: &str, now: Instant) -> bool {
        let known = self.0.get(id).is_some_and(|wait| wait.what == what);
        if !known {
            self.0.insert(id.clone(), Wait { what: what.to_owned(), since: now, reported: now });
        }
        !known
    }

    /// Returns the report of a wait, if one is due.
    pub(super) fn due(&mut self, id: &ResourceId, now: Instant) -> Option<String> {
        let wait = self.0.get_mut(id)?;
        if now.duration_since(wait.reported) < EVERY {
            return None;
        }
        wait.reported = now;
        let waited = duration(now.duration_since(wait.since));
        Some(format!("{id} waiting for {}, {waited}", wait.what))
    }

    /// Forgets a step that ended.
    pub(super) fn ended(&mut self, id: &ResourceId) {
        self.0.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_is_reported_every_ten_seconds() {
        let (mut waits, start) = (Waits::default(), Instant::now());
        let role = ResourceId::new("iam.role", "a");
        let mut said = Vec::new();
        for second in 0..30 {
            let now = start + Duration::from_secs(second);
            waits.heard(&role, "the role to be assumable", now);
            said.extend(waits.due(&role, now));
        }
        assert_eq!(
            said,
            [
                "iam.role/a waiting for the role to be assumable, 10 s",
                "iam.role/a waiting for the role to be assumable, 20 s",
            ],
        );
    }

    #[test]
    fn new_wait_is_timed_from_its_own_start() {
        let (mut waits, start) = (Waits::default(), Instant::now());
        let table = ResourceId::new("dynamodb.table", "a");
        assert!(waits.heard(&table, "the table to be ACTIVE", start));
        assert!(!waits.heard(&table, "the table to be ACTIVE", start + Duration::from_secs(9)));
        let later = start + Duration::from_secs(15);
        assert!(waits.heard(&table, "its stream", later));
        assert_eq!(waits.due(&table, later), None);
        waits.ended(&table);
        assert_eq!(waits.due(&table, later + Duration::from_secs(60)), None);
    }
}
