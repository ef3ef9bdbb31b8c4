//! The envelope: one event in the form in which it is published, archived and handed on.

mod more;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    event::{DecodeError, Event, decode},
    id::{AggregateId, InvalidAggregateId},
    json::JsonText,
    occurred_at::OccurredAt,
    request::RequestHash,
};

pub use self::more::More;

/// One event and all that is known about it.
///
/// The fields stand in the order of their JSON names. Together with `data`, which is
/// canonical when it is stored and carried as text from then on, this makes what
/// [`to_bytes`](Self::to_bytes) writes canonical JSON without sorting anything.
///
/// A reader carries fields that it does not know, so that a field can be added some day without
/// stopping everybody who runs an older release, and without being lost on the way through one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Envelope {
    /// Who asked for it, as the caller says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The aggregate that the event happened to.
    pub aggregate_id: Uuid,
    /// The type of that aggregate.
    pub aggregate_type: String,
    /// The message that the command was an answer to, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<Uuid>,
    /// The command that led to the event.
    pub command_id: Uuid,
    /// What all messages of one conversation share.
    pub correlation_id: Uuid,
    /// The data of the event, exactly as stored.
    pub data: JsonText,
    /// What tells the event from all others.
    pub id: Uuid,
    /// When it was decided.
    pub occurred_at: OccurredAt,
    /// What was asked under the command's id.
    pub request_hash: RequestHash,
    /// The version of the schema that the data follow.
    pub schema_version: u32,
    /// The stored name of the event's type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The place of the event among those of its aggregate, from 1.
    pub version: u64,
    /// What a later release has added.
    #[serde(skip)]
    pub more: More,
}

impl Envelope {
    /// Returns the envelope as canonical JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an envelope holds nothing that JSON cannot")
    }

    /// Returns the envelope that the bytes hold.
    pub fn from_bytes(bytes: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }

    /// Returns the aggregate that the event happened to.
    ///
    /// # Errors
    /// Its type is one that no store takes.
    pub fn aggregate(&self) -> Result<AggregateId, InvalidAggregateId> {
        format!("{}#{}", self.aggregate_type, self.aggregate_id).parse()
    }

    /// Returns the event inside, lifted to the schema of today.
    pub fn event<E: Event>(&self) -> Result<E, DecodeError> {
        decode(&self.event_type, self.schema_version, &self.data)
    }
}
