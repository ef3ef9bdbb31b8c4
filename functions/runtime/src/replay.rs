//! `replay`: delivers history to one handler, each aggregate in order, many aggregates at once.
//!
//! It reads the archive or the table from the beginning, lines events up by aggregate, and calls the handler
//! with batches of the events that are ready. It knows the handler's answers, but not what the handler does.
//!
//! # A replay survives a kill at any point
//!
//! All state is in one object, the [`progress`]. It says which events *were* delivered: it is saved after
//! deliveries were answered, never before. A runner that continues from it delivers some events again, and
//! skips none. Before its time ends, a runner saves first, and then sends a request for the next runner. In
//! the opposite order, the next runner could start with an older state, and be stopped by the save of the
//! first.
//!
//! When a runner dies between the two, the replay has no runner. Lambda repeats the invocation if it failed
//! (asynchronous ones twice, after one and two minutes: "How Lambda handles errors and retries with
//! asynchronous invocation"). After that, a client that follows the replay sees that nothing is saved any
//! more, and requests another runner. Lambda stops a chain of about 16 invocations of a function by itself,
//! unless the function's `RecursiveLoop` is `Allow` ("Use Lambda recursive loop detection to prevent infinite
//! loops"), as the stack sets it.
//!
//! # Two concurrent runners do no harm
//!
//! A runner takes a replay over by writing the progress, and each write is conditional on the state that the
//! runner knows ([`ledger`]). So the older of two runners is stopped by its next save, within a few seconds.
//! Until then both deliver, and the handler still sees the events of an aggregate in order, apart from
//! repetitions. Each runner delivers the versions of an aggregate one after another, waits for each answer,
//! and starts right after the versions that the saved progress marks as delivered. So whenever any runner
//! delivers version *n*, version *n* - 1 was delivered before, and each version that a handler sees for the
//! first time follows the previous one. The same holds for an invocation of the handler whose runner no
//! longer waits for it.
//!
//! # Missing events
//!
//! An event waits until all earlier events of its aggregate were delivered. Objects of the archive are read
//! in the order of their keys, so an event can be read before its predecessor: after a resharding, or because
//! an object was written behind the reader's position. Therefore, when events still wait at the end,
//! everything is read again, as long as that helps. If events still wait after that, an earlier one is
//! missing: this gap is reported, and no later event of the aggregate is delivered.
//!
//! # Events that are not archived yet
//!
//! If the last event of an aggregate is missing, it leaves no gap, and the archive gets events some seconds
//! later than handlers do. A user who clears a handler's state and starts a replay at once would lose such
//! events: the handler has already seen them, and the archive does not have them yet. So the end of the
//! archive is read only after it had time to receive the events from before the replay was started
//! ([`reader`]); older events are read and delivered meanwhile.

mod control;
mod delivery;
#[cfg(test)]
mod events;
pub mod lanes;
pub mod ledger;
pub mod lineup;
pub mod pace;
pub mod progress;
pub mod reader;
mod runner;

use std::time::SystemTime;

use eventsourcing::Surroundings;
use eventsourcing::replay::{ControlAnswer, Reason, Request};
use serde_json::Value;
use storage::{bucket::Bucket, scan::Scan};
use tokio::time::Instant;

use crate::{fault::Fault, invoke::Invoke};

/// Returns the moment at which an invocation is cut off, on tokio's clock.
pub fn cut_off(deadline: SystemTime) -> Instant {
    Instant::now() + deadline.duration_since(SystemTime::now()).unwrap_or_default()
}

/// Replays handlers; has all clients and settings for this.
#[derive(Debug, Clone)]
pub struct Replay<B, T, I, S> {
    /// The bucket with the archive and the progress of replays.
    pub bucket: B,
    /// The events table.
    pub table: T,
    /// Calls handlers, and this function itself.
    pub invoke: I,
    /// The time and new ids.
    pub surroundings: S,
    /// The names of all handlers' binaries.
    pub handlers: Vec<String>,
}

impl<B: Bucket, T: Scan, I: Invoke, S: Surroundings> Replay<B, T, I, S> {
    /// Answers one invocation that is cut off at `deadline`.
    pub async fn answer(&self, request: Value, deadline: Instant) -> Result<ControlAnswer, Fault> {
        let answer = match serde_json::from_value(request) {
            Ok(Request::Start(order)) => self.start(order).await?,
            Ok(Request::Status(which)) => self.status(&which).await?,
            Ok(Request::Cancel(which)) => self.cancel(&which).await?,
            Ok(Request::Continue(runner)) => self.run(&runner, deadline).await?,
            Err(error) => ControlAnswer::refused(Reason::InvalidRequest, error.to_string()),
        };
        if let Some(refused) = &answer.refused {
            tracing::info!(error = ?refused.error, message = refused.message, "refused");
        }
        Ok(answer)
    }
}
