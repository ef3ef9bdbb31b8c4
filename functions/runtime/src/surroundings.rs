//! The machine that a function runs on: its clock, and new ids.
//!
//! (`storage::patience` waits. It uses tokio's clock, which can be paused, and fastrand, which can be
//! seeded.)

use eventsourcing::Surroundings;
use jiff::Timestamp;
use uuid::Uuid;

/// The machine's clock and ids.
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
