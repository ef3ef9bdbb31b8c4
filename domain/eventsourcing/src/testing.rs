//! Support for tests of other crates: a kit for decisions, and the conformance suite for event stores. Needs
//! the feature `testing`.

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
