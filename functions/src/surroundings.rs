//! What a function takes from the machine it runs on: the time, and ids that are new.
//!
//! They are asked for here and nowhere else, so that the simulator can run the same code with
//! a clock and ids of its own. (Waiting is `storage::patience`'s; its clock is tokio's, which
//! can be stopped, and its chance is fastrand's, which can be seeded.)

use jiff::Timestamp;
use uuid::Uuid;

/// The time and new ids.
pub trait Surroundings: Send + Sync {
    /// Returns the time of the machine's clock. It may be wrong, and it may go back.
    fn now(&self) -> Timestamp;

    /// Returns an id that nobody has had before.
    fn new_id(&self) -> Uuid;
}

/// The machine itself.
#[derive(Debug, Clone, Copy)]
pub struct Machine;

impl Surroundings for Machine {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}
