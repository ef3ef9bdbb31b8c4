//! What tests of others need: a kit to test decisions with, and the suite that every store
//! of events has to pass. Comes with the feature `testing`.

pub mod conformance;
mod fixed;
mod given;
mod golden;
mod repeats;
pub mod tally;

pub use fixed::{Fixed, request};
pub use given::{Given, When, given};
pub use golden::Golden;
pub use repeats::assert_repeats_change_nothing;
