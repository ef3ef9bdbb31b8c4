//! A probe: one marked event that goes the way of all events, to show that the way is open.
//!
//! It is an ordinary commit of an aggregate of its own, so handlers of other aggregates leave
//! it alone. Everybody whom it passes writes one line into their log.

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    event::{Event, Schema},
    surroundings::Moment,
};

/// The message of the log lines that tell of a probe. Its id is in the field of that name, too.
pub const PROBE: &str = "probe";
/// The field of such a line with the time at which the record came into Kinesis.
pub const KINESIS_ARRIVAL: &str = "kinesis_arrival";

/// The aggregate that probes are events of: one probe, one aggregate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Probe;

/// What happens to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", deny_unknown_fields)]
pub enum ProbeEvent {
    /// Somebody wanted to know whether the way is open.
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
