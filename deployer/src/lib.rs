//! Reconciles the AWS resources of an environment with a stack written in Rust.
//!
//! The desired world is code, the actual world is what AWS answers, and there is no state
//! file between them. `survey` looks, `plan` decides without I/O, `apply` acts without
//! deciding, `render` shows; `resources` has one file for each kind of AWS thing.

pub mod app;
pub mod apply;
pub mod audit;
pub mod aws;
pub mod build;
pub mod bundle;
pub mod change;
mod cli;
mod commands;
pub mod composites;
pub mod diff;
pub mod environment;
pub mod error;
pub mod exit;
mod global;
pub mod local;
pub mod permissions;
pub mod pipeline;
pub mod plan;
pub mod policy;
pub mod probe;
pub mod progress;
pub mod release;
pub mod render;
pub mod resource;
pub mod resources;
pub mod retry;
pub mod scope;
mod session;
pub mod settle;
mod signal;
pub mod stack;
pub mod survey;

pub use cli::run;
