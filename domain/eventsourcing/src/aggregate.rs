//! The trait of an aggregate: state, events and decisions.
//!
//! An aggregate is the boundary inside which business rules hold at all times. It is rebuilt from its events
//! before each decision, and only its own events change it.

use std::fmt::Debug;

use crate::{event::Event, surroundings::Moment};

/// A state that is folded from its events, with the decisions that produce new events.
///
/// `Default` is the state before the first event.
pub trait Aggregate: Default + Clone + Debug {
    /// The type in stored identifiers; stored, so it can never change.
    const TYPE: &'static str;

    /// The maximum number of events of one aggregate. A command reads them all, unless the function is warm,
    /// so this limits its cost: 1 MB, a page of a query, takes 256 of the 3,000 read units per second of one
    /// aggregate. A command that leads to a final state succeeds beyond the limit.
    const MAX_EVENTS: u64;

    /// The events: facts, named in the past tense.
    type Event: Event;
    /// The commands: requests that may be refused.
    type Command;
    /// The reasons to refuse a command.
    type Error: std::error::Error;

    /// Folds one event into the state.
    ///
    /// This must not fail and must not check rules: the event has already happened.
    fn apply(&mut self, event: &Self::Event);

    /// Returns whether no more events can follow. A decision that leads to a final state is stored despite
    /// [`Aggregate::MAX_EVENTS`], so that a full aggregate can always be ended.
    fn is_final(&self) -> bool;

    /// Returns the events of a command, or the reason to refuse it.
    ///
    /// A decision never changes the state; folding its events does. A command whose goal is already reached
    /// returns no event. Take the time and new ids from `moment`: commands need not carry them, and a
    /// repeated command is not decided again.
    fn decide(&self, command: &Self::Command, moment: &Moment<'_>) -> Result<Vec<Self::Event>, Self::Error>;
}
