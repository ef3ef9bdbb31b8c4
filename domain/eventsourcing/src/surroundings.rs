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
