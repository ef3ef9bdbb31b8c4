//! What event sourcing takes from the machine it runs on: the time, and ids that are new.
//!
//! They are asked for here and nowhere else, so that a simulator can run the same code with a
//! clock and ids of its own.

use jiff::Timestamp;
use uuid::Uuid;

/// The time and new ids.
pub trait Surroundings: Send + Sync {
    /// Returns the time of the machine's clock. It may be wrong, and it may go back.
    fn now(&self) -> Timestamp;

    /// Returns an id that nothing had before.
    fn new_id(&self) -> Uuid;
}

/// The moment in which a command is decided: one time for all that it leads to, and new ids.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    now: Timestamp,
    surroundings: &'a dyn Surroundings,
}

impl<'a> Moment<'a> {
    /// Returns this moment.
    pub fn of(surroundings: &'a dyn Surroundings) -> Self {
        Self { now: surroundings.now(), surroundings }
    }

    /// Returns its time, the same however often it is asked for.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns an id that nothing had before.
    pub fn new_id(&self) -> Uuid {
        self.surroundings.new_id()
    }
}

impl std::fmt::Debug for Moment<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Moment").field("now", &self.now).finish_non_exhaustive()
    }
}
