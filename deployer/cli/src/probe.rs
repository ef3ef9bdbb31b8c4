//! A probe: one marked event, and the stages of the pipeline where it was seen.
//!
//! The stages come from the stack, so a new handler needs no code here. This module is pure; [`follow`] reads
//! AWS.

pub mod follow;

use std::time::Duration;

use engine::resource::{Resource, ResourceId};
use engine::scope::Scope;
use serde::Serialize;

use crate::pipeline::Pipeline;
use aws::composites::Stages;
use aws::resources::stream::Stream;
use aws::resources::table::Table;

/// The kind of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StageKind {
    /// The events table: the event is stored.
    Table,
    /// The function that publishes the event.
    Capture,
    /// The stream: the event arrived there.
    Stream,
    /// A function that received the event from the stream.
    Handler,
    /// The archive: an object has the event.
    Archive,
}

/// A stage of the pipeline that an event passes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// The kind of stage.
    #[serde(rename = "stage")]
    pub kind: StageKind,
    /// The full name of the resource.
    pub name: String,
    /// How long after sending the probe was seen here, in milliseconds; `None` if it was not seen.
    pub after_ms: Option<u64>,
}

/// The stages of one probe, and where it was seen.
#[derive(Debug, Clone, Serialize)]
pub struct Passage {
    /// The stages, in the order in which an event passes them.
    pub stages: Vec<Stage>,
}

impl Passage {
    /// Returns the stages of a stack; the probe was seen at none of them.
    pub fn through(stages: &Stages, pipeline: &Pipeline, scope: &Scope) -> Self {
        let stage = |kind, name: &str| Stage { kind, name: name.to_owned(), after_ms: None };
        let consumers = |kind, source: &ResourceId| {
            let functions = stages.consumers_of(source).map(|consumer| consumer.function.as_str());
            functions.map(|function| stage(kind, function)).collect::<Vec<_>>()
        };
        let (table, stream) = (pipeline.table_name(scope), pipeline.stream_name(scope));
        let stages = [
            vec![stage(StageKind::Table, &table)],
            consumers(StageKind::Capture, &ResourceId::new(Table::KIND, &table)),
            vec![stage(StageKind::Stream, &stream)],
            consumers(StageKind::Handler, &ResourceId::new(Stream::KIND, &stream)),
            vec![stage(StageKind::Archive, &pipeline.bucket_name(scope))],
        ];
        Self { stages: stages.concat() }
    }

    /// Records that the probe was seen at a stage. Returns the stage if that is new.
    pub fn seen(&mut self, kind: StageKind, name: &str, after: Duration) -> Option<Stage> {
        let stage = self.stages.iter_mut().find(|stage| stage.kind == kind && stage.name == name)?;
        if stage.after_ms.is_some() {
            return None;
        }
        stage.after_ms = Some(u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
        Some(stage.clone())
    }

    /// Returns the stages where the probe was not seen, in order.
    pub fn missing(&self) -> impl Iterator<Item = &Stage> {
        self.stages.iter().filter(|stage| stage.after_ms.is_none())
    }

    /// Returns the last stage where the probe was seen.
    pub fn last(&self) -> Option<&Stage> {
        self.stages.iter().rfind(|stage| stage.after_ms.is_some())
    }

    /// Returns whether the probe was seen at every stage.
    pub fn arrived(&self) -> bool {
        self.missing().next().is_none()
    }

    /// Returns the function to check first: the one at the first stage without the probe. If that stage is not
    /// a function, it is the function before it, which did not pass the probe on.
    pub fn suspect(&self) -> Option<&Stage> {
        let functions = |stage: &&Stage| matches!(stage.kind, StageKind::Capture | StageKind::Handler);
        let first = self.stages.iter().position(|stage| stage.after_ms.is_none());
        let up_to_first = &self.stages[..first.map_or(self.stages.len(), |first| first + 1)];
        up_to_first.iter().rfind(functions).or_else(|| self.missing().find(functions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws::testing::scope;

    fn passage() -> Passage {
        let pipeline = Pipeline { aggregates: &[] };
        Passage::through(&Stages::sample(), &pipeline, &scope())
    }

    fn names<'a>(stages: impl Iterator<Item = &'a Stage>) -> Vec<&'a str> {
        stages.map(|stage| stage.name.as_str()).collect()
    }

    #[test]
    fn probe_stages_follow_the_stack() {
        let kinds: Vec<StageKind> = passage().stages.iter().map(|stage| stage.kind).collect();
        use StageKind::*;
        assert_eq!(kinds, [Table, Capture, Stream, Handler, Handler, Archive]);
        assert_eq!(
            names(passage().stages.iter()),
            [
                "demo-dev-events",
                "demo-dev-capture",
                "demo-dev-events",
                "demo-dev-log-events",
                "demo-dev-archive",
                "demo-dev-archive-111111111111-eu-central-1-an",
            ]
        );
    }

    #[test]
    fn lost_probe_suspect_follows_the_last_seen_stage() {
        let mut passage = passage();
        let second = Duration::from_secs(1);
        assert!(passage.seen(StageKind::Table, "demo-dev-events", second).is_some());
        assert_eq!(passage.suspect().map(|stage| stage.name.as_str()), Some("demo-dev-capture"));
        assert!(passage.seen(StageKind::Capture, "demo-dev-capture", second).is_some());
        assert_eq!(passage.suspect().map(|stage| stage.name.as_str()), Some("demo-dev-capture"));
        assert!(passage.seen(StageKind::Stream, "demo-dev-events", second).is_some());
        assert!(passage.seen(StageKind::Handler, "demo-dev-archive", second).is_some());
        assert!(passage.seen(StageKind::Handler, "demo-dev-archive", second).is_none(), "it was seen before");
        assert_eq!(passage.suspect().map(|stage| stage.name.as_str()), Some("demo-dev-log-events"));
        assert_eq!(
            names(passage.missing()),
            ["demo-dev-log-events", "demo-dev-archive-111111111111-eu-central-1-an"]
        );
        assert!(passage.seen(StageKind::Handler, "demo-dev-log-events", second).is_some());
        assert_eq!(passage.suspect().map(|stage| stage.name.as_str()), Some("demo-dev-archive"));
        assert!(!passage.arrived());
    }
}
