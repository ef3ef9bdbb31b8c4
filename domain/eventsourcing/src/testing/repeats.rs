//! A check that repeated commands change nothing.

use std::fmt::Debug;

use uuid::Uuid;

use super::{Fixed, request};
use crate::{
    aggregate::Aggregate,
    commit::{Commit, Context},
    history::History,
    id::AggregateId,
    occurred_at::OccurredAt,
    surroundings::Moment,
};

/// Carries out commands in order, each with its own id. After each command, asserts that a repeat of every
/// earlier one adds no event and gets the same answer as the first time.
///
/// # Panics
/// Panics if a repeated command gets a different answer.
#[track_caller]
pub fn assert_repeats_change_nothing<A>(commands: impl IntoIterator<Item = A::Command>)
where
    A: Aggregate + PartialEq,
    A::Command: Debug + Clone,
    A::Error: Debug,
{
    let id = AggregateId::of::<A>(Uuid::nil());
    let surroundings = Fixed::default();
    let moment = Moment::of(&surroundings);
    let mut history = History::<A>::new(id.clone());
    let mut committed = Vec::new();
    for (number, command) in (0..).zip(commands) {
        let request = request(id.uuid(), Uuid::from_u128(number), command);
        let Ok(decision) = history.decide(&request, &moment) else { continue };
        if decision.events.is_empty() {
            continue;
        }
        let context = Context::of(&request, OccurredAt::new(moment.now()));
        let commit = Commit::of(id.clone(), history.version(), &decision.events, context, Uuid::nil);
        let commit = commit.expect("the events can be encoded");
        history.fold(&commit).expect("the commit continues its history");
        committed.push((request, decision));
        for (request, first) in &committed {
            let again = history.decide(request, &moment).expect("a repeated command is allowed");
            assert!(again.events.is_empty(), "a repeat adds nothing: {again:?}");
            assert_eq!((&again.state, again.version), (&first.state, first.version));
        }
    }
}
