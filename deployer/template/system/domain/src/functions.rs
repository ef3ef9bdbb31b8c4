//! The Lambda functions: their names, and the variables that each reads.
//!
//! `functions` has a binary for each of them, and the stack has one line; both use these names. A handler needs no
//! entry here.

use eventsourcing::contract::{EVENTS_TABLE, Function};

/// Opens a support ticket.
pub const OPEN_SUPPORT_TICKET: Function =
    Function { name: "open-support-ticket", description: "Opens a support ticket", reads: &[EVENTS_TABLE] };
/// Returns a support ticket.
pub const GET_SUPPORT_TICKET: Function =
    Function { name: "get-support-ticket", description: "Returns a support ticket", reads: &[EVENTS_TABLE] };
