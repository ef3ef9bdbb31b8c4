//! The machine that a function runs on: its clock, and ids that are new.
//!
//! (Waiting is `storage::patience`'s; its clock is tokio's, which can be stopped, and its chance is
//! fastrand's, which can be seeded.)

use eventsourcing::Surroundings;
use jiff::Timestamp;
use uuid::Uuid;

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
