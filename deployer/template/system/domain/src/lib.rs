//! The business rules of helpdesk. Everything here is a function from values to values: this crate knows no AWS, no
//! clock and no randomness.
//!
//! * [`support_ticket`]: state, events, decisions and answers of a support ticket.
//! * [`functions`]: the names that the functions share with the program that deploys them.

pub mod functions;
pub mod support_ticket;
