//! A handler: one function over an event, made into a Lambda.
//!
//! The function gets one event, decoded and lifted to the schema of today, and says that it
//! is done, or what trouble it is in. All around it is here: reading the batch, leaving out
//! what is not for it, trying again, catching panics, keeping poison aside, answering a replay.
//!
//! A handler is one file in `src/bin/`; `examples/say-goodbye.rs` shows all of one.
//!
//! # What a handler may rely on
//!
//! * Every event of its aggregate comes, at least once, or is under `failed/` with the reason,
//!   or in a batch that Lambda gave up to the bucket when its attempts were over.
//! * Those of one aggregate come one after another in their order. After a failure, some
//!   come again. Different aggregates are handled side by side.
//! * What it cannot handle now ([`Trouble::Passing`]) comes again; what it can never handle
//!   ([`Trouble::Poison`]) is kept aside, and so is an event at which it panics each time.
//!
//! # What it has to do itself
//!
//! Drop what it has seen. `docs/pipeline.md` has the recipes; in short:
//!
//! * [`builds_state`]: keep the version that a state has come to beside the state, and change
//!   both in one write, on the condition that the version still is what was read. [`EventPosition`]
//!   says what to do with an event.
//! * [`acts`]: hand the event's id to the outside as the key by which it knows a repetition.

mod batch;
mod delivered;
mod event_position;
mod input;
mod trouble;

use std::marker::PhantomData;

use aws_lambda_events::event::kinesis::KinesisEvent;
use eventsourcing::replay::{Does, ReplayAnswer, ReplayBatch};
use lambda_runtime::LambdaEvent;
use storage::{bucket::Bucket, patience::Patience};

use self::batch::{Item, Run};
pub use self::{
    delivered::{Delivered, Everything, Takes},
    event_position::{EventPosition, VersionGap},
    input::Input,
    trouble::{Reason, Trouble},
};
use crate::{
    delivery::understand,
    failed::Failed,
    fault::Fault,
    start::{Start, serve},
};

/// One function over an event, and what it does with it.
#[derive(Debug)]
pub struct Handler<T, F> {
    does: Does,
    handle: F,
    takes: PhantomData<fn(T)>,
}

/// Returns the handler that acts on the outside: it sends, charges, calls. A replay is refused
/// unless somebody wants all of it done once more.
pub fn acts<T, F>(handle: F) -> Handler<T, F>
where
    T: Takes,
    F: AsyncFn(Delivered<T>) -> Result<(), Trouble>,
{
    Handler { does: Does::Acts, handle, takes: PhantomData }
}

/// Returns the handler that only builds state: the same events make the same state, however
/// often they come.
pub fn builds_state<T, F>(handle: F) -> Handler<T, F>
where
    T: Takes,
    F: AsyncFn(Delivered<T>) -> Result<(), Trouble>,
{
    Handler { does: Does::BuildsState, handle, takes: PhantomData }
}

impl<T, F> Handler<T, F>
where
    T: Takes,
    F: AsyncFn(Delivered<T>) -> Result<(), Trouble>,
{
    /// Handles invocations until Lambda has no more.
    pub async fn serve(&self, start: &Start) -> Result<(), Fault> {
        let failed = &start.failed()?;
        serve(async |event: LambdaEvent<Input>| {
            let patience = Patience::until(event.context.deadline());
            self.answer(event.payload, failed, &patience).await
        })
        .await
    }

    /// Handles one invocation. A replay is answered, a mapping expects nothing.
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
    /// Something was in the way for longer than there was patience. The batch has to come again.
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
        // Only now is the batch through.
        probes.iter().for_each(|probe| probe.tell_of_a_probe());
        Ok(())
    }

    /// Handles events that are replayed, or refuses to.
    ///
    /// # Errors
    /// Something was in the way for longer than there was patience. Some of the events may
    /// have been handled; all of them have to come again.
    pub async fn replay<B: Bucket>(
        &self,
        batch: ReplayBatch,
        failed: &Failed<B>,
        patience: &Patience,
    ) -> Result<ReplayAnswer, Fault> {
        let mut answer = ReplayAnswer {
            handler: failed.function().name.to_owned(),
            does: self.does,
            handled: 0,
            kept_aside: Vec::new(),
            refused: self.does == Does::Acts && !batch.replay.even_if_it_acts,
        };
        if !answer.refused {
            let items = batch.events.into_iter().map(|envelope| Item { envelope, record: None });
            let outcome = Run::new(self, failed, patience, Some(batch.replay.id)).handle(items).await?;
            (answer.handled, answer.kept_aside) = (outcome.handled, outcome.kept_aside);
        }
        Ok(answer)
    }
}
