//! The events of one invocation, handed to the function over an event: each aggregate's one
//! after another, different aggregates side by side.

use std::{
    any::Any,
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, Ordering},
};

use aws_lambda_events::event::kinesis::KinesisEventRecord;
use eventsourcing::{Envelope, replay::KeptAside};
use futures::{FutureExt, StreamExt, stream};
use storage::{bucket::Bucket, fault::chain, patience::Patience};
use thiserror::Error;
use uuid::Uuid;

use super::{Delivered, Handler, Reason, Takes, Trouble};
use crate::{
    failed::{Failed, in_short},
    fault::Fault,
};

/// How many aggregates are handled at a time. Enough to not wait for one call after another,
/// and few enough for the least memory that a function can have.
const AT_ONCE: usize = 10;
/// How often an event is tried at which the handler panics. What panics does so each time, as
/// a rule; some do it when something else goes wrong.
const PANICS: usize = 3;

/// An event, and the record that it came in, if it came in one.
pub(super) struct Item<'a> {
    pub(super) envelope: Envelope,
    pub(super) record: Option<&'a KinesisEventRecord>,
}

/// What became of a batch.
#[derive(Default)]
pub(super) struct BatchOutcome {
    pub(super) handled: usize,
    pub(super) kept_aside: Vec<KeptAside>,
}

/// Something was in the way of an event for longer than there was patience.
#[derive(Debug, Error)]
#[error("version {version} of {aggregate_type} {aggregate_id} could not be handled for now")]
struct NotNow {
    aggregate_type: String,
    aggregate_id: Uuid,
    version: u64,
    source: Reason,
}

/// The function over an event panicked each time.
#[derive(Debug, Error)]
#[error("the handler panicked: {0}")]
struct Panicked(String);

/// One invocation.
pub(super) struct Run<'a, T, F, B> {
    handler: &'a Handler<T, F>,
    failed: &'a Failed<B>,
    patience: &'a Patience,
    replay: Option<Uuid>,
    /// Whether something failed. All of the batch comes again then, so nothing more is begun:
    /// it would be done twice, and there is no time left.
    over: AtomicBool,
}

impl<'a, T, F, B> Run<'a, T, F, B>
where
    T: Takes,
    F: AsyncFn(Delivered<T>) -> Result<(), Trouble>,
    B: Bucket,
{
    pub(super) fn new(
        handler: &'a Handler<T, F>,
        failed: &'a Failed<B>,
        patience: &'a Patience,
        replay: Option<Uuid>,
    ) -> Self {
        Self { handler, failed, patience, replay, over: AtomicBool::new(false) }
    }

    /// Handles all events, or fails when something was in the way.
    pub(super) async fn handle(&self, items: impl Iterator<Item = Item<'a>>) -> Result<BatchOutcome, Fault> {
        let lines = by_aggregate(items.filter(|item| T::takes(&item.envelope)));
        let lines: Vec<_> = lines.into_iter().map(|line| self.line(line)).collect();
        let outcomes: Vec<_> = stream::iter(lines).buffer_unordered(AT_ONCE).collect().await;
        let mut all = BatchOutcome::default();
        for outcome in outcomes {
            let outcome = outcome?;
            all.handled += outcome.handled;
            all.kept_aside.extend(outcome.kept_aside);
        }
        Ok(all)
    }

    /// Handles events of one aggregate, in their order.
    async fn line(&self, line: Vec<Item<'a>>) -> Result<BatchOutcome, Fault> {
        let mut outcome = BatchOutcome::default();
        for item in line {
            if self.over.load(Ordering::Relaxed) {
                break;
            }
            match self.item(item).await {
                Ok(None) => outcome.handled += 1,
                Ok(Some(kept_aside)) => outcome.kept_aside.push(kept_aside),
                Err(fault) => {
                    // One of them is the answer to Lambda; each of them is in the log.
                    tracing::error!(reason = %fault, "the batch has to come again");
                    self.over.store(true, Ordering::Relaxed);
                    return Err(fault);
                }
            }
        }
        Ok(outcome)
    }

    /// Handles one event, or keeps it aside when it is poison.
    async fn item(&self, item: Item<'_>) -> Result<Option<KeptAside>, Fault> {
        let Item { envelope, record } = item;
        let reason = match self.event(&envelope).await {
            Ok(()) => return Ok(None),
            Err(Trouble::Passing(source)) => {
                let Envelope { aggregate_type, aggregate_id, version, .. } = envelope;
                return Err(NotNow { aggregate_type, aggregate_id, version, source }.into());
            }
            Err(Trouble::Poison(reason)) => reason,
        };
        self.failed.keep_event(&envelope, reason.as_ref(), record, self.patience).await?;
        let reason = in_short(chain(reason.as_ref()));
        let Envelope { aggregate_type, aggregate_id, version, .. } = envelope;
        Ok(Some(KeptAside { aggregate_type, aggregate_id, version, reason }))
    }

    /// Hands one event to the function over an event, until it is done, or poison, or there is
    /// no time left.
    async fn event(&self, envelope: &Envelope) -> Result<(), Trouble> {
        let event = T::event(envelope).map_err(Trouble::poison)?;
        let mut patience = self.patience.clone();
        let mut panics = 0;
        loop {
            let delivered =
                Delivered { event: event.clone(), envelope: envelope.clone(), replay: self.replay };
            let attempt = async { (self.handler.handle)(delivered).await };
            // Each attempt has an event of its own, so none sees what another left half-done.
            let reason = match AssertUnwindSafe(attempt).catch_unwind().await {
                Ok(Err(Trouble::Passing(reason))) => reason,
                Ok(done) => return done,
                Err(panic) => {
                    panics += 1;
                    let panicked = Panicked(message(panic.as_ref()));
                    if panics == PANICS {
                        return Err(Trouble::poison(panicked));
                    }
                    panicked.into()
                }
            };
            tracing::warn!(
                aggregate_id = %envelope.aggregate_id,
                version = envelope.version,
                reason = chain(reason.as_ref()),
                "an event is tried again"
            );
            if !patience.wait().await {
                return Err(Trouble::Passing(reason));
            }
        }
    }
}

/// Returns the items of each aggregate in their order, the aggregates in that of their first.
fn by_aggregate<'a>(items: impl Iterator<Item = Item<'a>>) -> Vec<Vec<Item<'a>>> {
    let mut places = HashMap::new();
    let mut lines: Vec<Vec<Item<'_>>> = Vec::new();
    for item in items {
        let aggregate = (item.envelope.aggregate_type.clone(), item.envelope.aggregate_id);
        let place = *places.entry(aggregate).or_insert(lines.len());
        if place == lines.len() {
            lines.push(Vec::new());
        }
        lines[place].push(item);
    }
    lines
}

/// Returns what a panic said: `panic!` leaves text behind, in one of two types.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "it did not say why".to_owned())
}
