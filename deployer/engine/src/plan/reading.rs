//! Checks whether the code can read all stored data. A release that may have written a new version of a
//! schema cannot be rolled back to code that does not know that version.

use std::collections::BTreeMap;

use super::{Action, Step, Verdict, Wishes};
use crate::release::{Release, also_reads};
use crate::resource::{Cloud, ResourceId};
use crate::stack::Stack;

/// The kind of the steps about stored data that the code cannot read.
pub const STORED_SCHEMA: &str = "stored.schema";

/// Returns a step for each schema version that deployed code could write and that this code cannot read.
pub(super) fn unread<C: Cloud>(stack: &Stack<C>, record: Option<&Release>, wishes: &Wishes) -> Vec<Step> {
    let deployed = record.into_iter().flat_map(|record| &record.reads);
    let unread = deployed.filter_map(|(name, version)| {
        let read = stack.reads.get(name).copied();
        read.is_none_or(|read| read < *version).then(|| step(name, *version, read, wishes))
    });
    unread.collect()
}

/// Returns the schema versions for the new release record: the highest of each schema, except where the
/// caller allows stored data to become unreadable.
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
    let why =
        format!("version {version} was deployed here, so events of it may be stored, but this code {known}");
    let (action, verdict, reason) = if wishes.allow.contains(&id.to_string()) {
        (Action::Keep, Verdict::InSync, format!("{why}: stored data of this version can no longer be read"))
    } else {
        let ways = format!("deploy code that reads it or, if none was stored, use --allow {id}");
        (Action::Refuse, Verdict::Pending, format!("{why}; {ways}"))
    };
    Step { action, verdicts: vec![verdict], reason: Some(reason), ..Step::blank(id) }
}
