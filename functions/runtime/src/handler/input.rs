//! What a handler is invoked with: a batch by its mapping, or one by a replay.

use aws_lambda_events::event::kinesis::KinesisEvent;
use eventsourcing::{
    Envelope,
    replay::{ReplayBatch, Replayed},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::delivery::Records;

/// What a handler is invoked with.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Fields")]
pub enum Input {
    /// Records of the event stream, from the mapping.
    Records(KinesisEvent),
    /// Events that are handed to the handler once more.
    Replay(ReplayBatch),
}

/// All fields of both. (An untagged enum would be shorter. Its errors say nothing, and the text
/// of an event's data does not survive what it does.)
#[derive(Deserialize)]
struct Fields {
    #[serde(rename = "Records")]
    records: Option<Vec<Box<RawValue>>>,
    replay: Option<Replayed>,
    events: Option<Vec<Envelope>>,
}

/// The payload is not what a handler takes.
#[derive(Debug, Error)]
enum NoInput {
    #[error(
        "a handler takes either `Records` of the event stream or, of a replay, `replay` and `events`; to hand \
         it events once more, use `deployer replay`"
    )]
    Neither,
    #[error("a record of the event stream is not as Lambda spells it: {0}")]
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
