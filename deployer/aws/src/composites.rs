//! Composites: a Lambda with its other resources, the event pipeline, and the alarms and the dashboard of a
//! whole stack.

#[cfg(feature = "pipeline")]
mod alarms;
#[cfg(feature = "pipeline")]
mod dashboard;
#[cfg(feature = "pipeline")]
mod event_pipeline;
#[cfg(feature = "pipeline")]
mod events_table;
mod lambda;
#[cfg(feature = "pipeline")]
mod stages;

#[cfg(feature = "pipeline")]
pub use event_pipeline::{EventPipeline, EventPipelineSettings};
#[cfg(feature = "pipeline")]
pub use events_table::EventsTable;
#[cfg(feature = "sources")]
pub use lambda::EventSource;
pub use lambda::{Lambda, LambdaDefaults, LambdaSettings};
#[cfg(feature = "pipeline")]
pub use stages::{Consumer, Stages};

use std::collections::BTreeSet;

use engine::stack::Stack;

use crate::resources::existing::Existing;
use crate::resources::function::Function;
use crate::{Aws, Fingerprints};

/// Adds several resources to a stack at once.
pub trait Composites {
    /// Adds a Lambda and its resources.
    fn lambda(&mut self, lambda: Lambda) -> &mut Self;

    /// Adds an event pipeline and its functions.
    #[cfg(feature = "pipeline")]
    fn pipeline(&mut self, pipeline: EventPipeline) -> &mut Self;

    /// Adds an events table and its functions.
    #[cfg(feature = "pipeline")]
    fn events_table(&mut self, events: EventsTable) -> &mut Self;

    /// Returns the resources outside the stack that its functions use.
    fn existing(&self) -> BTreeSet<Existing>;

    /// Sets the fingerprints of the functions, which are known only after their sources were read.
    fn fingerprint_functions(&mut self, fingerprints: &Fingerprints);

    /// Adds the alarms for all stages of the pipeline. They notify these topics.
    #[cfg(feature = "pipeline")]
    fn alarms(&mut self, topics: &BTreeSet<String>) -> &mut Self;

    /// Adds a dashboard with the stages of the pipeline, and with the alarms that were added before.
    #[cfg(feature = "pipeline")]
    fn dashboard(&mut self) -> &mut Self;
}

impl Composites for Stack<Aws> {
    fn lambda(&mut self, lambda: Lambda) -> &mut Self {
        lambda.add_to(self);
        self
    }

    #[cfg(feature = "pipeline")]
    fn pipeline(&mut self, pipeline: EventPipeline) -> &mut Self {
        pipeline.add_to(self);
        self
    }

    #[cfg(feature = "pipeline")]
    fn events_table(&mut self, events: EventsTable) -> &mut Self {
        events.add_to(self);
        self
    }

    fn existing(&self) -> BTreeSet<Existing> {
        let resources = self.neighbours();
        resources.of_kind::<Function>().flat_map(Function::existing).cloned().collect()
    }

    fn fingerprint_functions(&mut self, fingerprints: &Fingerprints) {
        for function in self.of_kind_mut::<Function>() {
            let fingerprint = fingerprints.of(function.binary());
            function.set_fingerprint(fingerprint);
        }
    }

    #[cfg(feature = "pipeline")]
    fn alarms(&mut self, topics: &BTreeSet<String>) -> &mut Self {
        for alarm in alarms::of(self) {
            self.add(alarm.telling(topics));
        }
        self
    }

    #[cfg(feature = "pipeline")]
    fn dashboard(&mut self) -> &mut Self {
        let dashboard = dashboard::of(self);
        self.add(dashboard)
    }
}
