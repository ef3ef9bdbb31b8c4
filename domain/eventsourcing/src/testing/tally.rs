//! A tally: the smallest aggregate that uses every feature. The tests of this crate and of stores use it
//! instead of an aggregate of a real system.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use crate::{
    aggregate::Aggregate,
    answer::{Answering, RefusalKind},
    event::{Event, Schema},
    surroundings::Moment,
};

/// Counts items by name, after it is opened and until it is closed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    status: Option<Status>,
    counts: BTreeMap<String, u64>,
}

/// Whether a tally can count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It can count.
    Open,
    /// Its counts are final.
    Closed,
}

impl Tally {
    /// Returns the status; `None` if the tally was never opened.
    pub fn status(&self) -> Option<Status> {
        self.status
    }

    /// Returns the count of this item.
    pub fn count_of(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or_default()
    }

    /// Returns all counts.
    pub fn counts(&self) -> &BTreeMap<String, u64> {
        &self.counts
    }
}

/// The events of a tally.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", deny_unknown_fields)]
pub enum TallyEvent {
    /// Counting started.
    TallyOpened {},
    /// An item was counted.
    Counted {
        /// Its name.
        what: String,
        /// How often.
        times: u32,
    },
    /// Counting ended.
    TallyClosed {},
}

impl Event for TallyEvent {
    const SCHEMAS: &'static [Schema] =
        &[Schema::first("TallyOpened"), Schema::first("Counted"), Schema::first("TallyClosed")];
}

/// The commands on a tally.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TallyCommand {
    /// Opens it.
    Open,
    /// Counts an item.
    Count {
        /// Its name.
        what: String,
        /// How often.
        times: i64,
    },
    /// Closes it.
    Close,
}

/// Why a tally refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TallyError {
    /// It was never opened.
    #[error("the tally was never opened")]
    NotOpened,
    /// It is closed.
    #[error("the tally is closed")]
    Closed,
    /// The number of times is invalid.
    #[error("times must be 1 to 999")]
    InvalidTimes,
}

impl Aggregate for Tally {
    const TYPE: &'static str = "tally";
    const MAX_EVENTS: u64 = 500;
    type Event = TallyEvent;
    type Command = TallyCommand;
    type Error = TallyError;

    fn apply(&mut self, event: &TallyEvent) {
        match event {
            TallyEvent::TallyOpened {} => self.status = Some(Status::Open),
            TallyEvent::Counted { what, times } => {
                *self.counts.entry(what.clone()).or_default() += u64::from(*times);
            }
            TallyEvent::TallyClosed {} => self.status = Some(Status::Closed),
        }
    }

    fn is_final(&self) -> bool {
        self.status == Some(Status::Closed)
    }

    fn decide(&self, command: &TallyCommand, _: &Moment<'_>) -> Result<Vec<TallyEvent>, TallyError> {
        match (command, self.status) {
            (TallyCommand::Open, None) => Ok(vec![TallyEvent::TallyOpened {}]),
            (TallyCommand::Open, Some(Status::Open)) => Ok(vec![]),
            (TallyCommand::Open | TallyCommand::Count { .. }, Some(Status::Closed)) => {
                Err(TallyError::Closed)
            }
            (TallyCommand::Count { .. } | TallyCommand::Close, None) => Err(TallyError::NotOpened),
            (TallyCommand::Count { what, times }, Some(Status::Open)) => match u32::try_from(*times) {
                Ok(times @ 1..=999) => Ok(vec![TallyEvent::Counted { what: what.clone(), times }]),
                _ => Err(TallyError::InvalidTimes),
            },
            (TallyCommand::Close, Some(Status::Open)) => Ok(vec![TallyEvent::TallyClosed {}]),
            (TallyCommand::Close, Some(Status::Closed)) => Ok(vec![]),
        }
    }
}

/// The state of a tally.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TallyView {
    /// The tally.
    pub tally_id: Uuid,
    /// The version of the last event included.
    pub version: u64,
    /// The count of each item.
    pub counts: BTreeMap<String, u64>,
}

impl Answering for Tally {
    const ID_FIELD: &'static str = "tally_id";
    type View = TallyView;

    fn view(&self, tally_id: Uuid, version: u64) -> Result<TallyView, TallyError> {
        self.status.ok_or(TallyError::NotOpened)?;
        Ok(TallyView { tally_id, version, counts: self.counts.clone() })
    }

    fn rule(error: &TallyError) -> (RefusalKind, &'static str) {
        match error {
            TallyError::NotOpened => (RefusalKind::NotFound, "NotOpened"),
            TallyError::Closed => (RefusalKind::Forbidden, "Closed"),
            TallyError::InvalidTimes => (RefusalKind::InvalidRequest, "InvalidTimes"),
        }
    }
}
