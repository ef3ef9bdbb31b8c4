//! A probe: one marked event that is sent through the pipeline to test it.
//!
//! It is an ordinary commit of a separate aggregate type, so handlers of other aggregates ignore it. Each
//! stage that it passes writes one line into its log.

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    event::{Event, Schema},
    surroundings::Moment,
};

/// The message of the log lines about a probe. The field with its id has the same name.
pub const PROBE: &str = "probe";
/// The field of these log lines with the time at which the record arrived in Kinesis.
pub const KINESIS_ARRIVAL: &str = "kinesis_arrival";

/// The aggregate of probes: each probe is an aggregate of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Probe;

/// The events of a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", deny_unknown_fields)]
pub enum ProbeEvent {
    /// A test event was sent.
    Probed {},
}

impl Event for ProbeEvent {
    const SCHEMAS: &'static [Schema] = &[Schema::first("Probed")];
}

impl Aggregate for Probe {
    const TYPE: &'static str = "probe";
    const MAX_EVENTS: u64 = 1;
    type Event = ProbeEvent;
    type Command = ();
    type Error = std::convert::Infallible;

    fn apply(&mut self, _event: &ProbeEvent) {}

    fn is_final(&self) -> bool {
        false
    }

    fn decide(&self, (): &(), _: &Moment<'_>) -> Result<Vec<ProbeEvent>, Self::Error> {
        Ok(vec![ProbeEvent::Probed {}])
    }
}
