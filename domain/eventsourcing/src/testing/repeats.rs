//! Repeated commands, whatever happened since the first time.

use std::fmt::Debug;

use uuid::Uuid;

use crate::{
    aggregate::Aggregate,
    commit::{Commit, Context},
    history::History,
    id::AggregateId,
    occurred_at::OccurredAt,
};

/// Carries out commands one after another, each under an id of its own, and asserts after each that
/// every earlier one, when it is repeated, adds nothing and is answered as the first time.
///
/// # Panics
/// A repeated command is answered in another way.
#[track_caller]
pub fn assert_repeats_change_nothing<A>(commands: impl IntoIterator<Item = A::Command>)
where
    A: Aggregate + PartialEq,
    A::Error: Debug,
{
    let id = AggregateId::of::<A>(Uuid::nil());
    let noon: OccurredAt = "2026-11-21T12:00:00.000000Z".parse().expect("the time is spelt as it is stored");
    let mut history = History::<A>::new(id.clone());
    let mut committed = Vec::new();
    for (number, command) in (0..).zip(commands) {
        let command_id = Uuid::from_u128(number);
        let Ok(decision) = history.decide(command_id, &command) else { continue };
        if decision.events.is_empty() {
            continue;
        }
        let context = Context::new(command_id, noon);
        let commit = Commit::of(id.clone(), history.version(), &decision.events, context, Uuid::nil);
        let commit = commit.expect("what was decided can be written down");
        history.fold(&commit).expect("what was decided on a history continues it");
        committed.push((command_id, command, decision));
        for (command_id, command, first) in &committed {
            let again = history.decide(*command_id, command).expect("a repeated command is allowed");
            assert!(again.events.is_empty(), "a repeat adds nothing: {again:?}");
            assert_eq!((&again.state, again.version), (&first.state, first.version));
        }
    }
}
