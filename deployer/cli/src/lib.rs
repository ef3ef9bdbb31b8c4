#![doc = include_str!("../README.md")]
//!
//! A binary calls [`run`] with its [`App`](app::App). The crate `engine` reads AWS, plans and applies; the
//! crate `aws` has the resource kinds. This crate has the commands (`commands`), their output (`render`), the
//! environment files, and the source of the functions: a cargo workspace (`build`) or an executable that
//! contains them (`bundle`).

pub mod app;
#[cfg(feature = "pipeline")]
pub mod audit;
pub mod build;
pub mod bundle;
mod commands;
pub mod environment;
pub mod exit;
mod global;
mod help_groups;
pub mod local;
pub mod permissions;
#[cfg(feature = "pipeline")]
pub mod pipeline;
#[cfg(feature = "pipeline")]
pub mod probe;
pub mod render;
mod run;
mod session;
mod signal;
#[cfg(feature = "pipeline")]
pub mod storage_errors;
mod suggestion;
pub mod template;
mod usage_error;

pub use run::{check_command_line, run};
