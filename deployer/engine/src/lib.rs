#![doc = include_str!("../README.md")]
//!
//! # Where to start reading
//!
//! * [`resource`]: the trait of a kind of resource; [`scope`] and [`stack`]: the desired state.
//! * [`survey`], [`plan`], [`apply`], [`settle`]: the stages of a run, in this order. `survey` reads the live
//!   state, `plan` compares and decides without I/O, and `apply` carries out the plan without decisions.
//! * [`diff`] and [`change`]: how desired and live state are compared.
//! * [`release`]: the record of each run; [`run`]: the entries that a run writes at its start and end.
//! * [`error`], [`retry`], [`backoff`] and [`progress`]: errors, retries, delays, and reports of waits.
//! * `testing`, a feature: a cloud in memory.

mod action;
pub mod apply;
pub mod backoff;
pub mod change;
pub mod diff;
pub mod error;
pub mod plan;
pub mod progress;
pub mod release;
pub mod resource;
pub mod retry;
pub mod run;
pub mod scope;
pub mod settle;
pub mod stack;
pub mod survey;
#[cfg(feature = "testing")]
pub mod testing;
