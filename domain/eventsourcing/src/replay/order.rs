//! The order of a replay: which events, to which handler, how fast.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Runner;
use crate::envelope::Envelope;

/// The order of a replay, and who requested it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The handler, by the name of its binary.
    pub handler: String,
    /// The id of the replay; its events are marked with it.
    pub id: Uuid,
    /// Who requested it.
    pub by: String,
    /// The source of the events.
    #[serde(default)]
    pub from: Source,
    /// The events to deliver.
    #[serde(default)]
    pub only: Only,
    /// The maximum number of events per second.
    pub rate: u32,
    /// Whether a handler may repeat its side effects.
    #[serde(default)]
    pub repeat_side_effects: bool,
    /// Whether to do everything except delivering.
    #[serde(default)]
    pub dry_run: bool,
}

/// The source of a replay's events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The objects of the archive.
    #[default]
    Archive,
    /// The events table.
    Table,
}

/// A filter of events: an event has to match all its conditions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Only {
    /// The event types; empty for all types.
    pub types: BTreeSet<String>,
    /// The aggregate types; empty for all types. Left out if empty: a function of an earlier release refuses
    /// fields that it does not know.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub aggregate_types: BTreeSet<String>,
    /// The aggregates; empty for all aggregates.
    pub aggregates: BTreeSet<Uuid>,
    /// Events at this time or later.
    pub since: Option<Timestamp>,
    /// Events before this time.
    pub until: Option<Timestamp>,
}

impl Order {
    /// Returns the mistake in the order, if there is one.
    pub fn mistake(&self) -> Option<String> {
        if self.handler.is_empty() {
            return Some("the name of the handler is empty".to_owned());
        }
        if self.rate == 0 {
            return Some("a rate of 0 delivers no events".to_owned());
        }
        match (self.only.since, self.only.until) {
            (Some(since), Some(until)) if since >= until => {
                Some(format!("no event can be since {since} and before {until}"))
            }
            _ => None,
        }
    }

    /// Returns the request to continue this replay.
    pub fn runner(&self) -> Runner {
        Runner { handler: self.handler.clone(), dry_run: self.dry_run, id: self.id, saves: None }
    }
}

impl Only {
    /// Returns whether the event's aggregate matches.
    pub fn has_aggregate_of(&self, event: &Envelope) -> bool {
        (self.aggregates.is_empty() || self.aggregates.contains(&event.aggregate_id))
            && (self.aggregate_types.is_empty() || self.aggregate_types.contains(&event.aggregate_type))
    }

    /// Returns whether the filter selects aggregates, so that the others are not even ordered.
    pub fn selects_aggregates(&self) -> bool {
        !(self.aggregates.is_empty() && self.aggregate_types.is_empty())
    }

    /// Returns whether the event is to be delivered.
    pub fn has(&self, event: &Envelope) -> bool {
        let occurred = event.occurred_at.timestamp();
        self.has_aggregate_of(event)
            && (self.types.is_empty() || self.types.contains(&event.event_type))
            && self.since.is_none_or(|since| occurred >= since)
            && self.until.is_none_or(|until| occurred < until)
    }
}
