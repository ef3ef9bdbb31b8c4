//! The stages of a stack's pipeline, derived from its resources: where events are written, how they are
//! carried, and which functions handle them.
//!
//! Alarms, the dashboard and probes are derived from these stages, so they include every handler.

use std::time::Duration;

use engine::resource::{Cloud, Resource, ResourceId};
use engine::stack::Stack;

use crate::resources::bucket::Bucket;
use crate::resources::function::Function;
use crate::resources::mapping::Mapping;
use crate::resources::stream::Stream;
use crate::resources::table::{STREAM_KEEPS, Table};

/// The stages of a stack's pipeline. Names are full names, in the order of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stages {
    /// The tables.
    pub tables: Vec<String>,
    /// The Kinesis streams.
    pub streams: Vec<String>,
    /// The functions that handle records of a table or stream.
    pub consumers: Vec<Consumer>,
    /// The functions that are not consumers.
    pub invoked_functions: Vec<String>,
    /// The buckets.
    pub buckets: Vec<String>,
}

/// A function that handles the records of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// The function.
    pub function: String,
    /// The table or stream.
    pub source: ResourceId,
    /// The source's retention. Records that are not handled within it are lost.
    pub retention: Duration,
}

impl Stages {
    /// Returns the stages of a stack.
    pub fn of<C: Cloud>(stack: &Stack<C>) -> Self {
        let resources = stack.neighbours();
        let named = |kind| resources.names(kind).collect::<Vec<_>>();
        let consumer = |mapping: &Mapping| Consumer {
            function: mapping.function().to_owned(),
            source: mapping.source().id(),
            // The retention of an unmanaged stream is not known; one day is the shortest possible.
            retention: mapping.source().retention(&resources).unwrap_or(STREAM_KEEPS),
        };
        let consumers: Vec<Consumer> = resources.of_kind::<Mapping>().map(consumer).collect();
        let consumes = |function: &String| consumers.iter().any(|consumer| consumer.function == *function);
        Self {
            tables: named(Table::KIND),
            streams: named(Stream::KIND),
            invoked_functions: named(Function::KIND).into_iter().filter(|name| !consumes(name)).collect(),
            buckets: named(Bucket::KIND),
            consumers,
        }
    }

    /// Returns the functions that handle records of this source.
    pub fn consumers_of(&self, source: &ResourceId) -> impl Iterator<Item = &Consumer> {
        self.consumers.iter().filter(move |consumer| consumer.source == *source)
    }
}

#[cfg(feature = "testing")]
impl Stages {
    /// Returns an example with a handler and a function that is invoked directly.
    pub fn sample() -> Self {
        let consumer = |function: &str, kind| Consumer {
            function: function.to_owned(),
            source: ResourceId::new(kind, "demo-dev-events"),
            retention: STREAM_KEEPS,
        };
        Self {
            tables: vec!["demo-dev-events".into()],
            streams: vec!["demo-dev-events".into()],
            consumers: vec![
                consumer("demo-dev-capture", Table::KIND),
                consumer("demo-dev-log-events", Stream::KIND),
                consumer("demo-dev-archive", Stream::KIND),
            ],
            invoked_functions: vec!["demo-dev-count-up".into()],
            buckets: vec!["demo-dev-archive-111111111111-eu-central-1-an".into()],
        }
    }
}
