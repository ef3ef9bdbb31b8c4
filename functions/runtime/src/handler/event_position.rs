//! The position of an event relative to a state that is built from the events of one aggregate.

use thiserror::Error;

/// The position of an event relative to a state that has reached some version: what a projection does with
/// the event.
///
/// ```
/// use eventsourcing::testing::tally::{Tally, TallyEvent};
/// use runtime::handler::{Delivered, EventPosition, HandlerError};
///
/// /// A row of a table: how much a tally has counted, and up to which version.
/// struct Row { version: u64, counted: u32 }
///
/// fn apply(row: &mut Row, delivered: &Delivered<Tally>) -> Result<(), HandlerError> {
///     match EventPosition::of(delivered.envelope.version, row.version) {
///         EventPosition::Seen => return Ok(()),
///         // Or build the row from the events table, which is always correct.
///         EventPosition::Behind(gap) => return Err(HandlerError::poison(gap)),
///         EventPosition::Next => row.version = delivered.envelope.version,
///     }
///     if let TallyEvent::Counted { times, .. } = delivered.event {
///         row.counted += times;
///     }
///     // Write both, on the condition that the version in the table is the previous one.
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventPosition {
    /// It is the next event: apply it.
    Next,
    /// It is already part of the state: drop it.
    Seen,
    /// Earlier events are missing, and will not be delivered by themselves: one of them was quarantined.
    /// Quarantine this one too, as poison; a replay then delivers all of them in order.
    Behind(VersionGap),
}

/// Events are missing before this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("version {came} came before version {due}: replay this aggregate")]
pub struct VersionGap {
    /// The version that was delivered.
    pub came: u64,
    /// The version that the state needs next.
    pub due: u64,
}

impl EventPosition {
    /// Returns the position of an event of this version, for a state that has reached `taken`. Version 0 is
    /// before the first event.
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
        let EventPosition::Behind(gap) = EventPosition::of(7, 4) else { panic!("two versions are missing") };
        assert_eq!(gap.to_string(), "version 7 came before version 5: replay this aggregate");
    }
}
