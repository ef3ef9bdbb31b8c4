//! The behaviour of event sourcing through its public interface: one module per subject.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod carrying;
mod filtering;
mod golden;
mod history;
mod interleavings;
mod kit;
mod numbers;
mod probe;
mod properties;
mod regrouping;
mod repeating;
mod repo;
mod stores;
mod transaction;
mod upcasting;
mod warm;
