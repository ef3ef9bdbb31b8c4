//! What tests of others need: a kit to test decisions with, and the suite that every store
//! of events has to pass. Comes with the feature `testing`.

pub mod conformance;
mod given;

pub use given::{Given, When, given};
