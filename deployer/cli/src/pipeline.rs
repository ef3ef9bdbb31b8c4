//! The event pipeline of a stack: its parts in an environment, and its types of aggregates.
//!
//! The commands for events (`events`, `audit`, `probe`, `replay`) know only envelopes and commits. The
//! meaning of an event is known to the aggregate types, which the binary passes in.

mod reached;

use std::collections::{BTreeMap, BTreeSet};

use eventsourcing::contract;
use eventsourcing::event::{Event, Schema};
use eventsourcing::probe::{Probe, ProbeEvent};
use eventsourcing::{Aggregate, Answer, Answering, Commit, History};
use serde_json::Value;
use storage::fault::chain;

use crate::build::ProvidedFunctions;

/// The functions of every pipeline. A system that depends on them has no files for them.
pub(crate) const PROVIDED: ProvidedFunctions =
    ProvidedFunctions { package: contract::PIPELINE_PACKAGE, names: &contract::PIPELINE };

/// The event pipeline of a stack ([`EventPipeline`](aws::composites::EventPipeline)), and what its events mean.
#[derive(Debug, Clone, Copy)]
pub struct Pipeline {
    /// The application's aggregate types. The events table has aggregates of these types, and probes.
    pub aggregates: &'static [AggregateApp],
}

impl Pipeline {
    /// Returns the schemas of all events, with the type of their aggregate.
    fn schemas(&self) -> impl Iterator<Item = (&'static str, &'static Schema)> {
        let of =
            |aggregate, schemas: &'static [Schema]| schemas.iter().map(move |schema| (aggregate, schema));
        let own = self.aggregates.iter().flat_map(move |app| of(app.type_name, app.schemas));
        own.chain(of(Probe::TYPE, ProbeEvent::SCHEMAS))
    }

    /// Returns the names of all event types. Aggregates of two types may have events of the same name.
    pub(crate) fn event_types(&self) -> BTreeSet<&'static str> {
        self.schemas().map(|(_, schema)| schema.event_type).collect()
    }

    /// Returns the names of the aggregate types, and that of probes.
    pub(crate) fn aggregate_types(&self) -> impl Iterator<Item = &'static str> {
        self.aggregates.iter().map(|app| app.type_name).chain([Probe::TYPE])
    }

    /// Returns a name that two aggregate types share: their events could not be distinguished.
    pub(crate) fn shared_name(&self) -> Option<&'static str> {
        let mut names = BTreeSet::new();
        self.aggregate_types().find(|name| !names.insert(*name))
    }

    /// Returns the stored event types, each with the highest schema version that the code reads.
    pub(crate) fn reads(&self) -> BTreeMap<String, u32> {
        let of = |(aggregate, schema): (&str, &Schema)| {
            (format!("{aggregate}/{}", schema.event_type), schema.version())
        };
        self.schemas().map(of).collect()
    }
}

/// One type of aggregate that a stack stores.
#[derive(Debug, Clone, Copy)]
pub struct AggregateApp {
    /// The part of a stored aggregate id before the `#`.
    pub type_name: &'static str,
    /// Folds the commits of one aggregate, from the first one on, into the state that callers see, or returns
    /// why that fails.
    pub state: fn(&[Commit]) -> Result<Value, String>,
    /// The schemas of its events.
    pub schemas: &'static [Schema],
}

impl AggregateApp {
    /// Returns the description of the aggregate type `A`. The state is the one that its queries return.
    pub const fn of<A: Answering>() -> Self {
        Self { type_name: A::TYPE, state: state::<A>, schemas: A::Event::SCHEMAS }
    }
}

/// Returns the answer to a query after these commits, or null without commits.
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

#[cfg(test)]
mod tests {
    use super::*;

    const OPENED: &[Schema] = &[Schema::first("Opened")];

    const fn app(type_name: &'static str) -> AggregateApp {
        AggregateApp { type_name, state: |_| Ok(Value::Null), schemas: OPENED }
    }

    #[test]
    fn aggregate_types_have_names_of_their_own() {
        let shared = |aggregates| Pipeline { aggregates }.shared_name();
        assert_eq!(shared(const { &[app("cart"), app("order")] }), None);
        assert_eq!(shared(const { &[app("cart"), app("order"), app("cart")] }), Some("cart"));
        assert_eq!(shared(const { &[app("probe")] }), Some("probe"), "probes have this name");
    }

    #[test]
    fn events_of_two_types_may_have_one_name() {
        let pipeline = Pipeline { aggregates: const { &[app("cart"), app("order")] } };
        assert_eq!(pipeline.event_types(), ["Opened", "Probed"].into());
        let read: Vec<String> = pipeline.reads().into_keys().collect();
        assert_eq!(read, ["cart/Opened", "order/Opened", "probe/Probed"]);
    }
}
