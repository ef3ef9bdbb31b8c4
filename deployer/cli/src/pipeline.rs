//! The event pipeline of a stack: which of its things play which part, and what its
//! aggregates look like.
//!
//! The verbs that look after events (`events`, `audit`, `probe`, `replay`) know envelopes and
//! commits. What an event means is known by the aggregate, which the binary names.

mod reached;

use std::collections::BTreeMap;

use eventsourcing::event::{Event, Schema};
use eventsourcing::probe::{Probe, ProbeEvent};
use eventsourcing::{Aggregate, Answer, Answering, Commit, History};
use serde_json::Value;
use storage::fault::chain;

/// The parts of the event pipeline, by the names that the stack gives them.
#[derive(Debug, Clone, Copy)]
pub struct Pipeline {
    /// The table that keeps commits.
    pub table: &'static str,
    /// The stream that events are published to.
    pub stream: &'static str,
    /// The bucket of the archive.
    pub archive: &'static str,
    /// The function that feeds history to a handler.
    pub replay: &'static str,
    /// The function that publishes new commits.
    pub capture: &'static str,
    /// What most events of the table are about.
    pub aggregate: AggregateApp,
}

impl Pipeline {
    /// Returns the events that are stored, each with the highest version of its schema that the code reads.
    pub(crate) fn reads(&self) -> BTreeMap<String, u32> {
        let of = |aggregate: &'static str, schemas: &'static [Schema]| {
            schemas.iter().map(move |schema| (format!("{aggregate}/{}", schema.event_type), schema.version()))
        };
        let probes = of(Probe::TYPE, ProbeEvent::SCHEMAS);
        of(self.aggregate.type_name, self.aggregate.schemas).chain(probes).collect()
    }
}

/// The type of aggregate that a stack is made for.
#[derive(Debug, Clone, Copy)]
pub struct AggregateApp {
    /// The first part of the stored identifiers, before the `#`.
    pub type_name: &'static str,
    /// Folds the commits of one aggregate, from the first one on, to the state that a caller
    /// is shown; or says why they make none.
    pub state: fn(&[Commit]) -> Result<Value, String>,
    /// How its events are stored.
    pub schemas: &'static [Schema],
}

impl AggregateApp {
    /// Returns this type of aggregate, with the state that its queries answer.
    pub fn of<A: Answering>() -> Self {
        Self { type_name: A::TYPE, state: state::<A>, schemas: A::Event::SCHEMAS }
    }
}

/// Returns what a query answered right after the last of these commits.
fn state<A: Answering>(commits: &[Commit]) -> Result<Value, String> {
    let Some(first) = commits.first() else {
        return Ok(Value::Null);
    };
    let mut history = History::<A>::new(first.aggregate_id.clone());
    for commit in commits {
        history.fold(commit).map_err(|error| chain(&error))?;
    }
    serde_json::to_value(Answer::of(&history)).map_err(|error| chain(&error))
}
