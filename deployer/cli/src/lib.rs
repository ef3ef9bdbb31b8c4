//! Reconciles the AWS resources of an environment with a stack written in Rust.
//!
//! The desired world is code, the actual world is what AWS answers, and there is no state
//! file between them. The crate `engine` looks, plans and applies; here, `resources` has one file for
//! each kind of AWS thing, and `render` shows.

pub mod app;
pub mod audit;
pub mod build;
pub mod bundle;
mod commands;
pub mod environment;
pub mod exit;
mod global;
pub mod local;
pub mod permissions;
pub mod pipeline;
pub mod probe;
pub mod render;
mod run;
mod session;
mod signal;
pub mod storage_errors;

pub use run::run;
