//! What is to be replayed: whose events, to whom, how fast.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Runner;
use crate::envelope::Envelope;

/// What is to be replayed, to whom, and who wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The handler, by the name of its binary.
    pub handler: String,
    /// What tells the replay from others; events are marked with it.
    pub id: Uuid,
    /// Who wants it.
    pub by: String,
    /// Where the events are read.
    #[serde(default)]
    pub from: Source,
    /// Which of them are delivered.
    #[serde(default)]
    pub only: Only,
    /// How many events are delivered in a second at most.
    pub rate: u32,
    /// Whether a handler shall act on the outside once more.
    #[serde(default)]
    pub even_if_it_acts: bool,
    /// Whether everything is done but delivering.
    #[serde(default)]
    pub dry_run: bool,
}

/// Where a replay reads events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The objects of the archive.
    #[default]
    Archive,
    /// The events table.
    Table,
}

/// Which events are delivered: those for which everything that is said here holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Only {
    /// Events of one of these types; of all types when there is none.
    pub types: BTreeSet<String>,
    /// Events of one of these aggregates; of all aggregates when there is none.
    pub aggregates: BTreeSet<Uuid>,
    /// Events that occurred then or later.
    pub since: Option<Timestamp>,
    /// Events that occurred before.
    pub until: Option<Timestamp>,
}

impl Order {
    /// Returns what is wrong with the order, if something is.
    pub fn mistake(&self) -> Option<String> {
        if self.handler.is_empty() {
            return Some("the handler has no name".to_owned());
        }
        if self.rate == 0 {
            return Some("at a rate of 0 nothing would ever be delivered".to_owned());
        }
        match (self.only.since, self.only.until) {
            (Some(since), Some(until)) if since >= until => {
                Some(format!("nothing can have occurred since {since} and before {until}"))
            }
            _ => None,
        }
    }

    /// Returns the replay as somebody would run it.
    pub fn runner(&self) -> Runner {
        Runner { handler: self.handler.clone(), dry_run: self.dry_run, id: self.id, saves: None }
    }
}

impl Only {
    /// Tells whether events of this aggregate can be delivered at all.
    pub fn has_aggregate(&self, aggregate: Uuid) -> bool {
        self.aggregates.is_empty() || self.aggregates.contains(&aggregate)
    }

    /// Tells whether the event is to be delivered.
    pub fn has(&self, event: &Envelope) -> bool {
        let occurred = event.occurred_at.timestamp();
        self.has_aggregate(event.aggregate_id)
            && (self.types.is_empty() || self.types.contains(&event.event_type))
            && self.since.is_none_or(|since| occurred >= since)
            && self.until.is_none_or(|until| occurred < until)
    }
}
