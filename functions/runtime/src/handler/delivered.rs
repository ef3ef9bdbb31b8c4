//! Delivered events, and which events a handler gets.

use eventsourcing::{Aggregate, Envelope, event::DecodeError};
use uuid::Uuid;

/// An event as it is delivered to a handler; `T` chooses which events the handler takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered<T: Takes> {
    /// The event, converted to the current schema version.
    pub event: T::Event,
    /// The event with all of its metadata. `envelope.id` is the same at each delivery.
    pub envelope: Envelope,
    /// The replay that delivers the event. `None` for a live delivery, including a retry.
    pub replay: Option<Uuid>,
}

/// Which events a handler takes: those of one type of [`Aggregate`], or of [`Everything`].
pub trait Takes {
    /// The decoded event.
    type Event: Clone;

    /// Returns whether an event is for this handler.
    fn takes(envelope: &Envelope) -> bool;

    /// Returns the decoded event of an envelope that is for this handler.
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

/// Takes the events of all aggregates, for a handler that only reads envelopes.
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
