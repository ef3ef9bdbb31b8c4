//! The business rules of helpdesk. Everything here is a function from values to values: this crate knows no AWS, no
//! clock and no randomness.
//!
//! * [`support_ticket`]: state, events, decisions and answers of a support ticket.

pub mod support_ticket;
