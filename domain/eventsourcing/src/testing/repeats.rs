//! Repeated commands, whatever happened since the first time.

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

/// Carries out commands one after another, each under an id of its own, and asserts after each that
/// every earlier one, when it is repeated, adds nothing and is answered as the first time.
///
/// # Panics
/// A repeated command is answered in another way.
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
        let commit = commit.expect("what was decided can be written down");
        history.fold(&commit).expect("what was decided on a history continues it");
        committed.push((request, decision));
        for (request, first) in &committed {
            let again = history.decide(request, &moment).expect("a repeated command is allowed");
            assert!(again.events.is_empty(), "a repeat adds nothing: {again:?}");
            assert_eq!((&again.state, again.version), (&first.state, first.version));
        }
    }
}
