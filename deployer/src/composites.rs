//! What is made of several resources at once: a Lambda with all that belongs to it, and the alarms
//! and the dashboard of a whole stack.

mod alarms;
mod dashboard;
mod hops;
mod lambda;

pub use hops::{Consumer, Hops};
pub use lambda::{EventSource, Lambda};
