//! Where an event stands to a state that is built from the events of one aggregate.

use thiserror::Error;

/// What a state that has come to some version has to do with an event.
///
/// ```
/// use eventsourcing::testing::tally::{Tally, TallyEvent};
/// use runtime::handler::{Delivered, EventPosition, Trouble};
///
/// /// A row of a table: how much a tally has counted, and which version says so.
/// struct Row { version: u64, counted: u32 }
///
/// fn apply(row: &mut Row, delivered: &Delivered<Tally>) -> Result<(), Trouble> {
///     match EventPosition::of(delivered.envelope.version, row.version) {
///         EventPosition::Seen => return Ok(()),
///         // Or: build the row from the events table, which is always right.
///         EventPosition::Behind(gap) => return Err(Trouble::poison(gap)),
///         EventPosition::Next => row.version = delivered.envelope.version,
///     }
///     if let TallyEvent::Counted { times, .. } = delivered.event {
///         row.counted += times;
///     }
///     // Write both, on the condition that the version in the table is the one before.
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventPosition {
    /// It is the next one: apply it.
    Next,
    /// It is part of the state: drop it.
    Seen,
    /// Others have to go before it, and they will not come by themselves: one of them was kept
    /// aside. Keep this one aside as well, as poison; a replay then brings all of them in order.
    Behind(VersionGap),
}

/// Events are missing before one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("version {came} came, and version {due} is the next: replay this aggregate")]
pub struct VersionGap {
    /// The version that came.
    pub came: u64,
    /// The version that is the next.
    pub due: u64,
}

impl EventPosition {
    /// Returns the place of an event of this version, for a state that has come to `taken`; 0
    /// is before the first event.
    pub fn of(version: u64, taken: u64) -> Self {
        if version <= taken {
            Self::Seen
        } else if version == taken + 1 {
            Self::Next
        } else {
            Self::Behind(VersionGap { came: version, due: taken + 1 })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_place_is_next_seen_or_behind() {
        assert_eq!(EventPosition::of(1, 0), EventPosition::Next);
        assert_eq!(EventPosition::of(5, 4), EventPosition::Next);
        assert_eq!(EventPosition::of(4, 4), EventPosition::Seen);
        assert_eq!(EventPosition::of(1, 4), EventPosition::Seen);
        let EventPosition::Behind(gap) = EventPosition::of(7, 4) else { panic!("two are missing") };
        assert_eq!(gap.to_string(), "version 7 came, and version 5 is the next: replay this aggregate");
    }
}
