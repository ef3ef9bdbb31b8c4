//! A commit: the events of one decision, stored together or not at all.

use thiserror::Error;
use uuid::Uuid;

use crate::{
    envelope::{Envelope, More},
    event::{EncodeError, Event, encode},
    id::AggregateId,
    json::JsonText,
    occurred_at::OccurredAt,
    request::{Request, RequestHash},
};

/// The origin of a commit's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The command that was decided; a command id commits at most once per aggregate.
    pub command_id: Uuid,
    /// The hash of the request with that id.
    pub request_hash: RequestHash,
    /// The id that all messages of one conversation share.
    pub correlation_id: Uuid,
    /// The message that the command answered, if there was one.
    pub causation_id: Option<Uuid>,
    /// Who requested it, as stated by the caller.
    pub actor: Option<String>,
    /// When it was decided.
    pub occurred_at: OccurredAt,
}

impl Context {
    /// Returns the context of a command that starts a new conversation and has no request.
    pub fn new(command_id: Uuid, occurred_at: OccurredAt) -> Self {
        let request_hash = RequestHash::default();
        let (correlation_id, causation_id, actor) = (command_id, None, None);
        Self { command_id, request_hash, correlation_id, causation_id, actor, occurred_at }
    }

    /// Returns the context of a request.
    pub fn of<C>(request: &Request<C>, occurred_at: OccurredAt) -> Self {
        Self {
            request_hash: request.hash,
            correlation_id: request.correlation_id,
            causation_id: request.causation_id,
            actor: request.actor.clone(),
            ..Self::new(request.command_id, occurred_at)
        }
    }
}

/// The maximum number of events in one commit. Each event is one call to the stream, because two events of an
/// aggregate cannot go into the same call, and all later records wait for these calls.
pub const MAX_EVENTS: usize = 100;
/// The maximum size of all event data in a commit, in bytes. The whole commit has to fit into an item of 400
/// KB ("Constraints in Amazon DynamoDB").
pub const MAX_BYTES: usize = 300_000;

/// Why a decision cannot become a commit.
#[derive(Debug, Error)]
pub enum CommitError {
    /// An event cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The decision has more events than a commit may have.
    #[error("the decision has {events} events, but a commit has at most {MAX_EVENTS}: use several commands")]
    TooMany {
        /// How many events.
        events: usize,
    },
    /// The events of the decision are larger than a commit may be.
    #[error(
        "the events of the decision have {bytes} bytes of data, but a commit has at most {MAX_BYTES}: \
         use several commands, or store large data elsewhere"
    )]
    TooLarge {
        /// The size of their data.
        bytes: usize,
    },
}

/// One stored event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// The unique id of the event.
    pub id: Uuid,
    /// The stored name of its type.
    pub event_type: String,
    /// The version of the schema of the data.
    pub schema_version: u32,
    /// The data, as text that is never serialised again.
    pub data: JsonText,
    /// Fields of the event that a later release added and this release does not know.
    pub more: More,
}

/// The events of one decision on one aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The aggregate of the events.
    pub aggregate_id: AggregateId,
    /// The version of the first event; the first of an aggregate has version 1.
    pub version: u64,
    /// The events in order; at least one.
    pub events: Vec<StoredEvent>,
    /// The origin of the events.
    pub context: Context,
}

impl Commit {
    /// Returns the commit that appends events after version `behind`.
    ///
    /// # Errors
    /// Returns an error if an event cannot be stored, or if there are too many events or too much data.
    pub fn of<E: Event>(
        aggregate_id: AggregateId,
        behind: u64,
        events: &[E],
        context: Context,
        mut new_id: impl FnMut() -> Uuid,
    ) -> Result<Self, CommitError> {
        if events.len() > MAX_EVENTS {
            return Err(CommitError::TooMany { events: events.len() });
        }
        let stored = |event| {
            encode(event).map(|encoded| StoredEvent {
                id: new_id(),
                event_type: encoded.event_type.to_owned(),
                schema_version: encoded.schema_version,
                data: encoded.data,
                more: More::new(),
            })
        };
        let events: Vec<_> = events.iter().map(stored).collect::<Result<_, _>>()?;
        let bytes = events.iter().map(|event| event.data.as_str().len()).sum();
        if bytes > MAX_BYTES {
            return Err(CommitError::TooLarge { bytes });
        }
        Ok(Self { aggregate_id, version: behind + 1, events, context })
    }

    /// Returns the version of the event after the last of this commit.
    pub fn next_version(&self) -> u64 {
        self.version + self.events.len() as u64
    }

    /// Returns whether `other` is this commit.
    ///
    /// Each attempt to decide creates new event ids, so equal ids mean that an earlier append of this attempt
    /// succeeded although its answer was lost.
    pub fn is(&self, other: &Self) -> bool {
        self.events.iter().map(|event| event.id).eq(other.events.iter().map(|event| event.id))
    }

    /// Returns the events in their published form, in order.
    pub fn into_envelopes(self) -> impl Iterator<Item = Envelope> {
        let Self { aggregate_id, version, events, context } = self;
        (version..).zip(events).map(move |(version, event)| Envelope {
            actor: context.actor.clone(),
            aggregate_id: aggregate_id.uuid(),
            aggregate_type: aggregate_id.aggregate_type().to_owned(),
            causation_id: context.causation_id,
            command_id: context.command_id,
            correlation_id: context.correlation_id,
            data: event.data,
            id: event.id,
            occurred_at: context.occurred_at,
            request_hash: context.request_hash,
            schema_version: event.schema_version,
            event_type: event.event_type,
            version,
            more: event.more,
        })
    }
}
