//! A fixed clock, counted ids, and requests of commands.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    request::{Request, RequestHash},
    surroundings::Surroundings,
};

/// A fixed time, and ids from 0 upwards.
#[derive(Debug)]
pub struct Fixed {
    now: Timestamp,
    ids: AtomicU64,
}

impl Fixed {
    /// Returns surroundings with this fixed time.
    pub fn at(now: Timestamp) -> Self {
        Self { now, ids: AtomicU64::new(0) }
    }
}

impl Default for Fixed {
    fn default() -> Self {
        Self::at("2026-11-21T12:00:00Z".parse().expect("the time is well-formed"))
    }
}

impl Surroundings for Fixed {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn new_id(&self) -> Uuid {
        Uuid::from_u128(self.ids.fetch_add(1, Relaxed).into())
    }
}

/// Returns the request of a command with this id. Commands with different debug forms are different requests.
pub fn request<C: Debug>(aggregate_id: Uuid, command_id: Uuid, command: C) -> Request<C> {
    let hash = RequestHash::of(&format!("{command:?}"), &Map::<String, Value>::new());
    let (correlation_id, causation_id, actor) = (command_id, None, None);
    Request { aggregate_id, command, command_id, hash, correlation_id, causation_id, actor }
}
