//! A probe: one marked event, and where on its way it was seen.
//!
//! The way is read off the stack, so a new handler is a hop without a line of code. What is
//! here is pure; [`follow`] looks.

pub mod follow;

use std::time::Duration;

use engine::resource::{Resource, ResourceId};
use engine::scope::Scope;
use serde::Serialize;

use crate::pipeline::Pipeline;
use aws::composites::Hops;
use aws::resources::stream::Stream;
use aws::resources::table::Table;

/// What a hop is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HopKind {
    /// The event is in the table.
    Table,
    /// A function has published it.
    Capture,
    /// It has come into the stream.
    Stream,
    /// A function that the stream feeds has had it.
    Handler,
    /// It is in an object of the archive.
    Archive,
}

/// Something that an event passes on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// What it is.
    #[serde(rename = "hop")]
    pub kind: HopKind,
    /// Its name: of a function, as it is deployed.
    pub name: String,
    /// How long after the event it was seen here, in milliseconds; nothing when it was not.
    pub after_ms: Option<u64>,
}

/// The way of one probe, and how far it has come.
#[derive(Debug, Clone, Serialize)]
pub struct Passage {
    /// The hops, in the order in which an event passes them.
    pub hops: Vec<Hop>,
}

impl Passage {
    /// Returns the way through a stack, on which nothing was seen yet.
    pub fn through(hops: &Hops, pipeline: &Pipeline, scope: &Scope) -> Self {
        let hop = |kind, name: &str| Hop { kind, name: name.to_owned(), after_ms: None };
        let consumers = |kind, source: &ResourceId| {
            let functions = hops.consumers_of(source).map(|consumer| consumer.function.as_str());
            functions.map(|function| hop(kind, function)).collect::<Vec<_>>()
        };
        let (table, stream) = (pipeline.table_name(scope), pipeline.stream_name(scope));
        let hops = [
            vec![hop(HopKind::Table, &table)],
            consumers(HopKind::Capture, &ResourceId::new(Table::KIND, &table)),
            vec![hop(HopKind::Stream, &stream)],
            consumers(HopKind::Handler, &ResourceId::new(Stream::KIND, &stream)),
            vec![hop(HopKind::Archive, &pipeline.bucket_name(scope))],
        ];
        Self { hops: hops.concat() }
    }

    /// Writes down that it was seen at a hop, and returns the hop if that is news.
    pub fn seen(&mut self, kind: HopKind, name: &str, after: Duration) -> Option<Hop> {
        let hop = self.hops.iter_mut().find(|hop| hop.kind == kind && hop.name == name)?;
        if hop.after_ms.is_some() {
            return None;
        }
        hop.after_ms = Some(u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
        Some(hop.clone())
    }

    /// Returns the hops at which it was not seen, in the order of the way.
    pub fn missing(&self) -> impl Iterator<Item = &Hop> {
        self.hops.iter().filter(|hop| hop.after_ms.is_none())
    }

    /// Returns the last hop on the way at which it was seen.
    pub fn last(&self) -> Option<&Hop> {
        self.hops.iter().rfind(|hop| hop.after_ms.is_some())
    }

    /// Tells whether it was seen everywhere.
    pub fn arrived(&self) -> bool {
        self.missing().next().is_none()
    }

    /// Returns the function that has to be looked at first: the first that did not have it. What
    /// a function that had it did not do, is its own doing.
    pub fn suspect(&self) -> Option<&Hop> {
        let functions = |hop: &&Hop| matches!(hop.kind, HopKind::Capture | HopKind::Handler);
        self.missing().find(functions).or_else(|| self.hops.iter().rfind(functions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::AggregateApp;
    use aws::testing::scope;

    fn passage() -> Passage {
        let aggregate =
            AggregateApp { type_name: "demo", state: |_| Ok(serde_json::Value::Null), schemas: &[] };
        let pipeline = Pipeline {
            table: "events",
            stream: "events",
            archive: "archive",
            replay: "replay",
            capture: "capture",
            aggregate,
        };
        Passage::through(&Hops::sample(), &pipeline, &scope())
    }

    fn names<'a>(hops: impl Iterator<Item = &'a Hop>) -> Vec<&'a str> {
        hops.map(|hop| hop.name.as_str()).collect()
    }

    #[test]
    fn probe_hops_follow_the_stack() {
        let kinds: Vec<HopKind> = passage().hops.iter().map(|hop| hop.kind).collect();
        use HopKind::*;
        assert_eq!(kinds, [Table, Capture, Stream, Handler, Handler, Archive]);
        assert_eq!(
            names(passage().hops.iter()),
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
    fn lost_probe_suspect_follows_the_last_seen_hop() {
        let mut passage = passage();
        let second = Duration::from_secs(1);
        assert!(passage.seen(HopKind::Table, "demo-dev-events", second).is_some());
        assert_eq!(passage.suspect().map(|hop| hop.name.as_str()), Some("demo-dev-capture"));
        assert!(passage.seen(HopKind::Capture, "demo-dev-capture", second).is_some());
        assert!(passage.seen(HopKind::Stream, "demo-dev-events", second).is_some());
        assert!(passage.seen(HopKind::Handler, "demo-dev-archive", second).is_some());
        assert!(passage.seen(HopKind::Handler, "demo-dev-archive", second).is_none(), "no news");
        assert_eq!(passage.suspect().map(|hop| hop.name.as_str()), Some("demo-dev-log-events"));
        assert_eq!(
            names(passage.missing()),
            ["demo-dev-log-events", "demo-dev-archive-111111111111-eu-central-1-an"]
        );
        assert!(passage.seen(HopKind::Handler, "demo-dev-log-events", second).is_some());
        assert_eq!(passage.suspect().map(|hop| hop.name.as_str()), Some("demo-dev-archive"));
        assert!(!passage.arrived());
    }
}
