//! Compares the events table with the archive: what differs, what is missing on which side, and what can be
//! restored.
//!
//! The comparison is pure and needs little memory: it keeps a hash of each event, not the event, so 100,000s
//! of events fit. `look` reads both sides concurrently; `publishing` and `restoring` add what one side lacks.

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
pub use kept::{Kept, discarded_batches, quarantined};
pub use ledger::{Fingerprint, Ledger};
pub use look::{Counted, Look};
pub use look_schedule::LookSchedule;
pub use publishing::{LeftOut, Published, publish_again};
pub use reference::{ArchiveOrTable, Other, Pages, Reference};
pub use report::{
    AuditReport, AuditVerdict, Broken, Contents, Difference, Finding, First, QuarantinedRecords, Side, Totals,
};
pub use restoring::{NotRestorable, Restorable, Restored, WriteBack, restorable, restore};
pub use versions::Versions;

/// How many objects or aggregates are read or written concurrently.
const AT_ONCE: usize = 32;

#[cfg(test)]
mod tests;
