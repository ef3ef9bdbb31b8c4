//! Whether the code still reads what is stored. A release that may have written a new form of it cannot be
//! taken back by code that does not know that form.

use std::collections::BTreeMap;

use super::{Action, Step, Verdict, Wishes};
use crate::release::{Release, also_reads};
use crate::resource::{Cloud, ResourceId};
use crate::stack::Stack;

/// The kind under which a plan names stored data that the code does not read.
pub const STORED_SCHEMA: &str = "stored.schema";

/// Returns a step for each form of stored data that code which was deployed here could write, and this cannot
/// read.
pub(super) fn unread<C: Cloud>(stack: &Stack<C>, record: Option<&Release>, wishes: &Wishes) -> Vec<Step> {
    let deployed = record.into_iter().flat_map(|record| &record.reads);
    let unread = deployed.filter_map(|(name, version)| {
        let read = stack.reads.get(name).copied();
        read.is_none_or(|read| read < *version).then(|| step(name, *version, read, wishes))
    });
    unread.collect()
}

/// Returns what the record is to say from now on: the highest version of each, but for what the caller allows to
/// become unreadable.
pub(super) fn recorded<C: Cloud>(
    stack: &Stack<C>,
    record: Option<&Release>,
    wishes: &Wishes,
) -> BTreeMap<String, u32> {
    let mut reads = stack.reads.clone();
    let deployed = record.into_iter().flat_map(|record| &record.reads);
    let kept = deployed.filter(|(name, _)| !wishes.allow.contains(&id(name).to_string()));
    also_reads(&mut reads, kept);
    reads
}

fn id(name: &str) -> ResourceId {
    ResourceId::new(STORED_SCHEMA, name)
}

fn step(name: &str, version: u32, read: Option<u32>, wishes: &Wishes) -> Step {
    let id = id(name);
    let known = match read {
        Some(read) => format!("reads up to version {read}"),
        None => "does not know it".to_owned(),
    };
    let why = format!("version {version} of it was deployed here and may be stored, and this code {known}");
    let (action, verdict, reason) = if wishes.allow.contains(&id.to_string()) {
        (Action::Keep, Verdict::InSync, format!("{why}: what is stored of it can be read no more"))
    } else {
        let ways = format!("deploy code that reads it or, if none was stored, use --allow {id}");
        (Action::Refuse, Verdict::Pending, format!("{why}; {ways}"))
    };
    Step { action, verdicts: vec![verdict], reason: Some(reason), ..Step::blank(id) }
}
