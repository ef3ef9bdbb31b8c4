//! The inputs from the machine: the time and new ids.
//!
//! All code gets them from here, so that a simulator can run the same code with its own clock and ids.

use jiff::Timestamp;
use uuid::Uuid;

/// The time and new ids.
pub trait Surroundings: Send + Sync {
    /// Returns the time of the machine's clock. It may be wrong, and it may go backwards.
    fn now(&self) -> Timestamp;

    /// Returns a new unique id.
    fn new_id(&self) -> Uuid;
}

/// The moment of a decision: one time for all its events, and new ids.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    now: Timestamp,
    surroundings: &'a dyn Surroundings,
}

impl<'a> Moment<'a> {
    /// Returns the current moment.
    pub fn of(surroundings: &'a dyn Surroundings) -> Self {
        Self { now: surroundings.now(), surroundings }
    }

    /// Returns the time of the moment, the same on every call.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns a new unique id.
    pub fn new_id(&self) -> Uuid {
        self.surroundings.new_id()
    }
}

impl std::fmt::Debug for Moment<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Moment").field("now", &self.now).finish_non_exhaustive()
    }
}
