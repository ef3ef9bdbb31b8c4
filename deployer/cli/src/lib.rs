//! The command line of a stack written in Rust: a binary calls [`run`] with its [`App`](app::App).
//!
//! The crate `engine` looks, plans and applies, and `aws` has the kinds of AWS things. Here are the
//! verbs (`commands`), what they show (`render`), environment files, and where functions come from: the
//! sources (`build`), or a program that has them with it (`bundle`).

pub mod app;
#[cfg(feature = "pipeline")]
pub mod audit;
pub mod build;
pub mod bundle;
mod commands;
pub mod environment;
pub mod exit;
mod global;
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

pub use run::run;
