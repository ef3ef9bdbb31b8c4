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

/// Where the events of a commit came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The command that was decided; a command id commits at most once per aggregate.
    pub command_id: Uuid,
    /// What was asked under that id.
    pub request_hash: RequestHash,
    /// What all messages of one conversation share.
    pub correlation_id: Uuid,
    /// The message that the command was an answer to, if it was one.
    pub causation_id: Option<Uuid>,
    /// Who asked for it, as the caller says.
    pub actor: Option<String>,
    /// When it was decided.
    pub occurred_at: OccurredAt,
}

impl Context {
    /// Returns the context of what starts a conversation of its own, and no request asked for.
    pub fn new(command_id: Uuid, occurred_at: OccurredAt) -> Self {
        let request_hash = RequestHash::default();
        let (correlation_id, causation_id, actor) = (command_id, None, None);
        Self { command_id, request_hash, correlation_id, causation_id, actor, occurred_at }
    }

    /// Returns the context of what a request asked for.
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

/// The most events of one commit. Each is a call to the stream, since two events of an aggregate cannot go
/// together, and everything behind waits for them.
pub const MAX_EVENTS: usize = 100;
/// The most bytes that the data of a commit have together. With all else it has to fit into an item of
/// 400 KB ("Constraints in Amazon DynamoDB").
pub const MAX_BYTES: usize = 300_000;

/// Why a decision makes no commit.
#[derive(Debug, Error)]
pub enum CommitError {
    /// An event cannot be written down.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// More was decided at once than a commit holds.
    #[error(
        "{events} events were decided at once, and a commit has {MAX_EVENTS} at most: make it several commands"
    )]
    TooMany {
        /// How many events.
        events: usize,
    },
    /// What was decided at once is larger than a commit may be.
    #[error(
        "the data of the decided events have {bytes} bytes, and those of a commit have {MAX_BYTES} at most: \
         make it several commands, or keep what is large elsewhere"
    )]
    TooLarge {
        /// The size of their data.
        bytes: usize,
    },
}

/// One event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// What tells the event from all others.
    pub id: Uuid,
    /// The stored name of its type.
    pub event_type: String,
    /// The version of the schema that its data follow.
    pub schema_version: u32,
    /// The data, as text that is never written anew.
    pub data: JsonText,
    /// What a later release says of the event, and this one does not know.
    pub more: More,
}

/// The events of one decision on one aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The aggregate that was decided on.
    pub aggregate_id: AggregateId,
    /// The version of the first event; the first of an aggregate has version 1.
    pub version: u64,
    /// The events in order, never none.
    pub events: Vec<StoredEvent>,
    /// Where they came from.
    pub context: Context,
}

impl Commit {
    /// Returns the commit that puts events right behind `behind` earlier ones.
    ///
    /// # Errors
    /// An event cannot be stored, or there is too much of them.
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

    /// Returns whether the other is this very commit.
    ///
    /// Event ids are made anew for each attempt to decide, so equal ids mean that an attempt
    /// of our own came through although its answer got lost.
    pub fn is(&self, other: &Self) -> bool {
        self.events.iter().map(|event| event.id).eq(other.events.iter().map(|event| event.id))
    }

    /// Returns each event in the form in which it is published, in order.
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
