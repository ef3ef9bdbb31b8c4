//! An event as a handler gets it, and which events it gets.

use eventsourcing::{Aggregate, Envelope, event::DecodeError};
use uuid::Uuid;

/// An event on its way into a handler; `T` says whose events that takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered<T: Takes> {
    /// The event, in the shape of today.
    pub event: T::Event,
    /// All that is known about it. `envelope.id` is the same each time it comes.
    pub envelope: Envelope,
    /// The replay that it is a part of; nothing when it comes for the first time, or again
    /// after a failure.
    pub replay: Option<Uuid>,
}

/// Whose events a handler takes: those of one type of [`Aggregate`], or of [`Everything`].
pub trait Takes {
    /// What the function over an event gets.
    type Event: Clone;

    /// Returns whether an event is for this handler.
    fn takes(envelope: &Envelope) -> bool;

    /// Returns the event in an envelope that is for this handler.
    fn event(envelope: &Envelope) -> Result<Self::Event, DecodeError>;
}

impl<A: Aggregate> Takes for A {
    type Event = A::Event;

    fn takes(envelope: &Envelope) -> bool {
        envelope.aggregate_type == A::TYPE
    }

    fn event(envelope: &Envelope) -> Result<A::Event, DecodeError> {
        envelope.event()
    }
}

/// The events of all aggregates, of which a handler wants no more than the envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Everything;

impl Takes for Everything {
    type Event = ();

    fn takes(_: &Envelope) -> bool {
        true
    }

    fn event(_: &Envelope) -> Result<(), DecodeError> {
        Ok(())
    }
}
