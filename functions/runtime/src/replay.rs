//! `replay`: feeds history to one handler, each aggregate in order, many aggregates at once.
//!
//! It reads the archive or the table from its beginning, lines events up by their aggregate,
//! and calls the handler with batches of what may go. It knows what a handler answers, and
//! nothing about what it does.
//!
//! # Killed at any point, it goes on
//!
//! All that is known is one object, the [`progress`], and it says what *has* gone: it is saved
//! after deliveries were answered, never before. Whoever goes on from it delivers some events
//! once more, and leaves none out. Before its time is over a runner saves, and only then leaves
//! a request for the next one: were it the other way around, the next one could begin with an
//! older state, and be stopped by the save of the first. When it dies between the two, nobody
//! runs the replay; then Lambda repeats the invocation if it failed (asynchronous ones twice,
//! after one and two minutes: "How Lambda handles errors and retries with asynchronous
//! invocation"), and after that whoever follows the replay sees that nothing is saved any more,
//! and asks for another runner. Lambda stops a chain of about 16 invocations of a function by
//! itself, unless the function's `RecursiveLoop` is `Allow` ("Use Lambda recursive loop
//! detection to prevent infinite loops"), as the stack makes it.
//!
//! # Two runners at once do no harm
//!
//! A runner takes a replay over by writing the progress, and each write is conditional on the
//! state that the runner knows ([`ledger`]). So the older of two is stopped by its next save, at
//! the latest every few seconds. Until then both deliver, and still the sequence that a handler
//! sees of an aggregate, without what it has seen before, is in order. For each runner delivers
//! the versions of an aggregate one after the other, the next when the one before is answered,
//! beginning right behind versions of which the saved progress says that they had gone. So
//! whenever version *n* is delivered by anybody, *n* - 1 has been delivered before; and what a
//! handler sees for the first time is the version behind the last that it saw for the first
//! time. The same holds for an invocation of the handler that nobody waits for any more.
//!
//! # What does not come
//!
//! An event waits until those before it have gone. Objects of the archive are read in the order
//! of their keys, so one can come before its predecessor: after a re-sharding, or because an
//! object was written behind the reader's back. Therefore, when something waits at the end,
//! everything is read once more, and again as long as that helps. What waits then waits for
//! something that is not there: a gap, which is told, and behind which nothing is delivered.
//!
//! # What is still to come
//!
//! The last event of an aggregate leaves no gap when it is missing, and the archive gets events
//! some seconds later than handlers do. Who clears what a handler has built and orders a replay
//! at once would lose them: the handler has had them, and the archive has not. So the end of the
//! archive is read when it has had the time to get what happened before the order
//! ([`reader`]); all that is older is read and delivered meanwhile.

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

/// Returns the moment at which an invocation is cut off, by the clock that waits are made with.
pub fn cut_off(deadline: SystemTime) -> Instant {
    Instant::now() + deadline.duration_since(SystemTime::now()).unwrap_or_default()
}

/// What replays handlers, and all that it takes.
#[derive(Debug, Clone)]
pub struct Replay<B, T, I, S> {
    /// Holds the archive, and how far replays have come.
    pub bucket: B,
    /// The events table.
    pub table: T,
    /// Calls handlers, and this function itself.
    pub invoke: I,
    /// The time, and new ids.
    pub surroundings: S,
    /// The handlers that there are, by the names of their binaries.
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
