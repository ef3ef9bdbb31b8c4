//! The envelope: one event in its published and archived form.

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

/// One event with all its metadata.
///
/// The fields are in the order of their JSON names. `data` is canonical when it is stored, and is carried as
/// text afterwards. So [`to_bytes`](Self::to_bytes) writes canonical JSON without sorting.
///
/// Readers carry unknown fields along. So a later release can add a field without breaking older releases,
/// and without losing it on the way through them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Envelope {
    /// Who requested it, as stated by the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The aggregate of the event.
    pub aggregate_id: Uuid,
    /// The type of that aggregate.
    pub aggregate_type: String,
    /// The message that the command answered, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<Uuid>,
    /// The command that produced the event.
    pub command_id: Uuid,
    /// The id that all messages of one conversation share.
    pub correlation_id: Uuid,
    /// The data of the event, exactly as stored.
    pub data: JsonText,
    /// The unique id of the event.
    pub id: Uuid,
    /// When it was decided.
    pub occurred_at: OccurredAt,
    /// The hash of the command's request.
    pub request_hash: RequestHash,
    /// The version of the schema of the data.
    pub schema_version: u32,
    /// The stored name of the event's type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The position of the event in its aggregate, starting at 1.
    pub version: u64,
    /// Fields that a later release has added.
    #[serde(skip)]
    pub more: More,
}

impl Envelope {
    /// Returns the envelope as canonical JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an envelope can be serialised")
    }

    /// Returns the envelope with this JSON.
    pub fn from_bytes(bytes: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }

    /// Returns the id of the event's aggregate.
    ///
    /// # Errors
    /// Returns an error if the type is not valid in an aggregate id.
    pub fn aggregate(&self) -> Result<AggregateId, InvalidAggregateId> {
        format!("{}#{}", self.aggregate_type, self.aggregate_id).parse()
    }

    /// Returns the event, upcast to the current schema.
    pub fn event<E: Event>(&self) -> Result<E, DecodeError> {
        decode(&self.event_type, self.schema_version, &self.data)
    }
}
