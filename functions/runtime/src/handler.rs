//! Handlers: a Lambda function made from one function that handles an event.
//!
//! The inner function gets one event, decoded and converted to the current schema version, and returns
//! success or a [`HandlerError`]. This module does the rest: it reads the batch, skips events that are not for
//! this handler, retries, catches panics, quarantines poison events and answers replays.
//!
//! A handler is one file in `src/bin/`; `examples/say-goodbye.rs` is a complete one.
//!
//! # What a handler may rely on
//!
//! * Every event of its aggregate is delivered at least once, or is under `failed/` with the reason, or is in
//!   a batch that Lambda discarded to the bucket after its retries.
//! * Events of one aggregate are delivered one after another in their order. After a failure, some are
//!   delivered again. Different aggregates are handled concurrently.
//! * An event that cannot be handled for now ([`HandlerError::Transient`]) is delivered again. An event that can
//!   never be handled ([`HandlerError::Poison`]) is quarantined, and so is an event for which the handler panics
//!   each time.
//!
//! # What it has to do itself
//!
//! Drop the events that it has already seen. `docs/pipeline.md` has the recipes; in short:
//!
//! * [`projection`]: store the version that a state has reached together with the state, and change both
//!   in one write, on the condition that the stored version is still the one that was read.
//!   [`EventPosition`] says what to do with an event.
//! * [`reactor`]: pass the event's id to the external system as the idempotency key.

mod batch;
mod delivered;
mod event_position;
mod handler_error;
mod input;

use std::marker::PhantomData;

use aws_lambda_events::event::kinesis::KinesisEvent;
use eventsourcing::replay::{HandlerKind, ReplayAnswer, ReplayBatch};
use lambda_runtime::LambdaEvent;
use storage::{bucket::Bucket, patience::Patience};

use self::batch::{Item, Run};
pub use self::{
    delivered::{Delivered, Everything, Takes},
    event_position::{EventPosition, VersionGap},
    handler_error::{HandlerError, Reason},
    input::Input,
};
use crate::{
    delivery::understand,
    failed::Failed,
    fault::Fault,
    start::{Start, serve},
};

/// A Lambda function made from one function over events, and whether it has side effects.
#[derive(Debug)]
pub struct Handler<T, F> {
    handler_kind: HandlerKind,
    handle: F,
    takes: PhantomData<fn(T)>,
}

/// Returns a *reactor*: a handler with side effects, which sends, charges or calls. It refuses a replay
/// unless the caller asks for the side effects to be repeated.
pub fn reactor<T, F>(handle: F) -> Handler<T, F>
where
    T: Takes,
    F: AsyncFn(Delivered<T>) -> Result<(), HandlerError>,
{
    Handler { handler_kind: HandlerKind::Reactor, handle, takes: PhantomData }
}

/// Returns a *projection*: a handler that only builds state. The same events produce the same state, however
/// often they are delivered.
pub fn projection<T, F>(handle: F) -> Handler<T, F>
where
    T: Takes,
    F: AsyncFn(Delivered<T>) -> Result<(), HandlerError>,
{
    Handler { handler_kind: HandlerKind::Projection, handle, takes: PhantomData }
}

impl<T, F> Handler<T, F>
where
    T: Takes,
    F: AsyncFn(Delivered<T>) -> Result<(), HandlerError>,
{
    /// Handles invocations for the lifetime of the process.
    pub async fn serve(&self, start: &Start) -> Result<(), Fault> {
        let failed = &start.failed()?;
        serve(async |event: LambdaEvent<Input>| {
            let patience = Patience::until(event.context.deadline());
            self.answer(event.payload, failed, &patience).await
        })
        .await
    }

    /// Handles one invocation. Only a replay gets an answer; a mapping expects none.
    pub async fn answer<B: Bucket>(
        &self,
        input: Input,
        failed: &Failed<B>,
        patience: &Patience,
    ) -> Result<Option<ReplayAnswer>, Fault> {
        match input {
            Input::Records(batch) => self.records(&batch, failed, patience).await.map(|()| None),
            Input::Replay(batch) => self.replay(batch, failed, patience).await.map(Some),
        }
    }

    /// Handles a batch of the event stream.
    ///
    /// # Errors
    /// Fails if an event could not be handled before `patience` ended. The batch has to be delivered again.
    pub async fn records<B: Bucket>(
        &self,
        batch: &KinesisEvent,
        failed: &Failed<B>,
        patience: &Patience,
    ) -> Result<(), Fault> {
        let deliveries = understand(batch, failed, patience).await?;
        let probes: Vec<_> = deliveries.iter().filter(|delivery| delivery.is_probe()).cloned().collect();
        let items = deliveries
            .into_iter()
            .map(|delivery| Item { envelope: delivery.envelope, record: Some(delivery.record) });
        Run::new(self, failed, patience, None).handle(items).await?;
        // Only now is the whole batch handled.
        probes.iter().for_each(|probe| probe.tell_of_a_probe());
        Ok(())
    }

    /// Handles replayed events, or refuses to.
    ///
    /// # Errors
    /// Fails if an event could not be handled before `patience` ended. Some of the events may have been
    /// handled; all of them have to be delivered again.
    pub async fn replay<B: Bucket>(
        &self,
        batch: ReplayBatch,
        failed: &Failed<B>,
        patience: &Patience,
    ) -> Result<ReplayAnswer, Fault> {
        let mut answer = ReplayAnswer {
            handler: failed.function().to_owned(),
            handler_kind: self.handler_kind,
            handled: 0,
            quarantined: Vec::new(),
            refused: self.handler_kind == HandlerKind::Reactor && !batch.replay.repeat_side_effects,
        };
        if !answer.refused {
            let items = batch.events.into_iter().map(|envelope| Item { envelope, record: None });
            let outcome = Run::new(self, failed, patience, Some(batch.replay.id)).handle(items).await?;
            (answer.handled, answer.quarantined) = (outcome.handled, outcome.quarantined);
        }
        Ok(answer)
    }
}
