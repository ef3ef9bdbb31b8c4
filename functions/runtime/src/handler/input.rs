//! The payload of a handler's invocation: a batch from its mapping, or from a replay.

use aws_lambda_events::event::kinesis::KinesisEvent;
use eventsourcing::{
    Envelope,
    replay::{ReplayBatch, Replayed},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::delivery::Records;

/// The payload of a handler's invocation.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Fields")]
pub enum Input {
    /// Records of the event stream, from the mapping.
    Records(KinesisEvent),
    /// Events that a replay delivers again.
    Replay(ReplayBatch),
}

/// The fields of both. (An untagged enum would be shorter, but its errors say nothing, and it does not
/// preserve the text of an event's data.)
#[derive(Deserialize)]
struct Fields {
    #[serde(rename = "Records")]
    records: Option<Vec<Box<RawValue>>>,
    replay: Option<Replayed>,
    events: Option<Vec<Envelope>>,
}

/// The payload is not a valid input of a handler.
#[derive(Debug, Error)]
enum NoInput {
    #[error(
        "a handler takes either `Records` of the event stream, or `replay` and `events` of a replay; to \
         replay events, use `deployer replay`"
    )]
    Neither,
    #[error("invalid record of the event stream: {0}")]
    Record(#[from] serde_json::Error),
}

impl TryFrom<Fields> for Input {
    type Error = NoInput;

    fn try_from(fields: Fields) -> Result<Self, NoInput> {
        match fields {
            Fields { records: Some(records), replay: None, events: None } => {
                let Records(batch) = Records::of(&records)?;
                Ok(Self::Records(batch))
            }
            Fields { records: None, replay: Some(replay), events: Some(events) } => {
                Ok(Self::Replay(ReplayBatch { replay, events }))
            }
            _ => Err(NoInput::Neither),
        }
    }
}
