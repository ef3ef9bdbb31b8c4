//! What a set of business rules looks like: state, events and decisions, in that order.
//!
//! An aggregate is the boundary inside which rules hold at once. It is rebuilt from its
//! events before each decision, and nothing but its own events ever changes it.

use std::fmt::Debug;

use crate::{event::Event, surroundings::Moment};

/// A state that is the fold of its events, and the decisions that make new ones.
///
/// `Default` is the state before the first event.
pub trait Aggregate: Default + Clone + Debug {
    /// The name that stored identifiers start with; stored, so it can never change.
    const TYPE: &'static str;

    /// The most events that one of them can have. A command reads them all, unless the function is warm, so
    /// this bounds what it costs: 1 MB, a page of a query, takes 256 of the 3,000 read units that one aggregate
    /// has a second. What leads to a final state is carried out beyond it.
    const MAX_EVENTS: u64;

    /// What happened: facts, named in the past tense.
    type Event: Event;
    /// What somebody wants to happen: it may well be refused.
    type Command;
    /// Why a command was refused.
    type Error: std::error::Error;

    /// Folds one event into the state.
    ///
    /// This must not fail and must not check rules: the event is history already.
    fn apply(&mut self, event: &Self::Event);

    /// Tells whether nothing can happen any more. A decision that leads there is stored whatever
    /// [`Aggregate::MAX_EVENTS`] says, so that what is full can always be ended.
    fn is_final(&self) -> bool;

    /// Returns the events that a command leads to, or why it is refused.
    ///
    /// A decision never changes the state; folding what it returned does. A command whose
    /// wish has already come true returns no event. The time and new ids are those of the moment: a
    /// command need not carry them, and a repeat of it is not decided again.
    fn decide(&self, command: &Self::Command, moment: &Moment<'_>) -> Result<Vec<Self::Event>, Self::Error>;
}
