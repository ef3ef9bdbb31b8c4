//! Makes what is live in a cloud equal to what a stack says, and tells drift from everything else.
//!
//! A stack is code. `survey` reads what is live, `plan` compares and decides without I/O, `apply`
//! acts without deciding. There is no state file: running it again is the recovery from anything.
//!
//! Which cloud it is, the engine does not know: a cloud is a type parameter, and a kind of
//! resource is a trait that is implemented elsewhere. It prints nothing.
//!
//! # Where to start reading
//!
//! * [`resource`]: what a kind of resource has to offer; [`scope`] and [`stack`]: what is desired.
//! * [`survey`], [`plan`], [`apply`], [`settle`]: what happens, in this order.
//! * [`diff`] and [`change`]: how desired and live are compared.
//! * [`release`]: what is remembered of each run; [`run`]: what it says as it begins and ends.
//! * [`error`], [`retry`], [`backoff`] and [`progress`]: what can go wrong, what is tried again, what is waited for.
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
