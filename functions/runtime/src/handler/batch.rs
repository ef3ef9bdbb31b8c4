//! Handles the events of one invocation: those of one aggregate one after another, different aggregates
//! concurrently.

use std::{
    any::Any,
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, Ordering},
};

use aws_lambda_events::event::kinesis::KinesisEventRecord;
use eventsourcing::{Envelope, replay::QuarantinedEvent};
use futures::{FutureExt, StreamExt, stream};
use storage::{bucket::Bucket, fault::chain, patience::Patience};
use thiserror::Error;
use uuid::Uuid;

use super::{Delivered, Handler, HandlerError, Reason, Takes};
use crate::{
    failed::{Failed, in_short},
    fault::Fault,
};

/// How many aggregates are handled at a time: enough to overlap waiting for calls, and few enough for the
/// smallest memory size of a function.
const AT_ONCE: usize = 10;
/// After how many panics an event is poison. Most panics happen each time; some are caused by another
/// failure.
const PANICS: usize = 3;

/// An event, with the record that contained it, if there was one.
pub(super) struct Item<'a> {
    pub(super) envelope: Envelope,
    pub(super) record: Option<&'a KinesisEventRecord>,
}

/// The outcome of a batch.
#[derive(Default)]
pub(super) struct BatchOutcome {
    pub(super) handled: usize,
    pub(super) quarantined: Vec<QuarantinedEvent>,
}

/// An event could not be handled before `patience` ended.
#[derive(Debug, Error)]
#[error("version {version} of {aggregate_type} {aggregate_id} could not be handled for now")]
struct NotNow {
    aggregate_type: String,
    aggregate_id: Uuid,
    version: u64,
    source: Reason,
}

/// The handler panicked at each attempt.
#[derive(Debug, Error)]
#[error("the handler panicked: {0}")]
struct Panicked(String);

/// One invocation.
pub(super) struct Run<'a, T, F, B> {
    handler: &'a Handler<T, F>,
    failed: &'a Failed<B>,
    patience: &'a Patience,
    replay: Option<Uuid>,
    /// Whether an event failed. The whole batch is delivered again then, so no further event is started: it
    /// would be handled twice, and there is no time left.
    over: AtomicBool,
}

impl<'a, T, F, B> Run<'a, T, F, B>
where
    T: Takes,
    F: AsyncFn(Delivered<T>) -> Result<(), HandlerError>,
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

    /// Handles all events.
    pub(super) async fn handle(&self, items: impl Iterator<Item = Item<'a>>) -> Result<BatchOutcome, Fault> {
        let lines = by_aggregate(items.filter(|item| T::takes(&item.envelope)));
        let lines: Vec<_> = lines.into_iter().map(|line| self.line(line)).collect();
        let outcomes: Vec<_> = stream::iter(lines).buffer_unordered(AT_ONCE).collect().await;
        let mut all = BatchOutcome::default();
        for outcome in outcomes {
            let outcome = outcome?;
            all.handled += outcome.handled;
            all.quarantined.extend(outcome.quarantined);
        }
        Ok(all)
    }

    /// Handles the events of one aggregate in their order.
    async fn line(&self, line: Vec<Item<'a>>) -> Result<BatchOutcome, Fault> {
        let mut outcome = BatchOutcome::default();
        for item in line {
            if self.over.load(Ordering::Relaxed) {
                break;
            }
            match self.item(item).await {
                Ok(None) => outcome.handled += 1,
                Ok(Some(quarantined)) => outcome.quarantined.push(quarantined),
                Err(fault) => {
                    // Only one of the faults is returned to Lambda, so each of them is logged.
                    tracing::error!(reason = %fault, "the batch fails and has to be delivered again");
                    self.over.store(true, Ordering::Relaxed);
                    return Err(fault);
                }
            }
        }
        Ok(outcome)
    }

    /// Handles one event, or quarantines it if it is poison.
    async fn item(&self, item: Item<'_>) -> Result<Option<QuarantinedEvent>, Fault> {
        let Item { envelope, record } = item;
        let reason = match self.event(&envelope).await {
            Ok(()) => return Ok(None),
            Err(HandlerError::Transient(source)) => {
                let Envelope { aggregate_type, aggregate_id, version, .. } = envelope;
                return Err(NotNow { aggregate_type, aggregate_id, version, source }.into());
            }
            Err(HandlerError::Poison(reason)) => reason,
        };
        self.failed.keep_event(&envelope, reason.as_ref(), record, self.patience).await?;
        let reason = in_short(chain(reason.as_ref()));
        let Envelope { aggregate_type, aggregate_id, version, .. } = envelope;
        Ok(Some(QuarantinedEvent { aggregate_type, aggregate_id, version, reason }))
    }

    /// Calls the handler with one event until it succeeds, the event is poison, or `patience` ends.
    async fn event(&self, envelope: &Envelope) -> Result<(), HandlerError> {
        let event = T::event(envelope).map_err(HandlerError::poison)?;
        let mut patience = self.patience.clone();
        let mut panics = 0;
        loop {
            let delivered =
                Delivered { event: event.clone(), envelope: envelope.clone(), replay: self.replay };
            let attempt = async { (self.handler.handle)(delivered).await };
            // Each attempt has its own copy of the event, so it never sees one that a failed attempt left
            // half-processed.
            let reason = match AssertUnwindSafe(attempt).catch_unwind().await {
                Ok(Err(HandlerError::Transient(reason))) => reason,
                Ok(done) => return done,
                Err(panic) => {
                    panics += 1;
                    let panicked = Panicked(message(panic.as_ref()));
                    if panics == PANICS {
                        return Err(HandlerError::poison(panicked));
                    }
                    panicked.into()
                }
            };
            tracing::warn!(
                aggregate_id = %envelope.aggregate_id,
                version = envelope.version,
                reason = chain(reason.as_ref()),
                "retrying an event"
            );
            if !patience.wait().await {
                return Err(HandlerError::Transient(reason));
            }
        }
    }
}

/// Returns the items grouped by aggregate, in their order; the aggregates are in the order of their first
/// item.
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

/// Returns the message of a panic: `panic!` leaves a text of one of two types.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "no message".to_owned())
}
