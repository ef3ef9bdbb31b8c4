//! Table against archive: whether what is kept in both places is the same, what is missing
//! where, and what can be put back.
//!
//! The comparison is pure, and small in memory: of an event it keeps a hash, not the event, so
//! that 100,000s of events fit. `look` reads both sides into it at once; `publishing` and
//! `restoring` put back what one side lacks.

mod compare;
mod kept;
mod ledger;
mod look;
mod look_schedule;
mod publishing;
mod reference;
mod report;
mod restoring;
mod versions;

pub use compare::compare;
pub use kept::{Kept, given_up, kept_aside};
pub use ledger::{Fingerprint, Ledger};
pub use look::{Counted, Look};
pub use look_schedule::LookSchedule;
pub use publishing::{LeftOut, Published, publish_again};
pub use reference::{ArchiveOrTable, Other, Pages, Reference};
pub use report::{
    AuditReport, AuditVerdict, Broken, Contents, Difference, Finding, First, KeptAside, Side, Totals,
};
pub use restoring::{NotRestorable, Restorable, Restored, WriteBack, restorable, restore};
pub use versions::Versions;

/// How many objects, or aggregates, are read or written at once.
const AT_ONCE: usize = 32;

#[cfg(test)]
mod tests;
