//! The functions to which mappings deliver: `capture`, `archive`, and two handlers made with the real
//! library. Their side effects are calls like any other.

use std::{sync::Arc, time::Duration};

use aws_lambda_events::event::{
    dynamodb::{Event, EventRecord},
    kinesis::{KinesisEvent, KinesisEventRecord},
};
use domain::cart::{CartEvent, ShoppingCart};
use eventsourcing::{
    contract::{ARCHIVE, CAPTURE},
    replay::ReplayAnswer,
};
use futures::FutureExt;
use runtime::{
    Fault,
    archive::archive,
    capture::capture,
    failed::Failed,
    handler::{Delivered, HandlerError, Input, projection, reactor},
};
use storage::patience::Patience;

use crate::{
    observed::Handled,
    planted::{self, Planted},
    world::{
        World,
        kinesis::Kinesis,
        lock,
        mapping::{Batches, Mapping},
        process::Process,
    },
};

/// The projection. It panics at a `boom`.
pub(crate) const PROJECTION: &str = "projection";
/// The reactor. A `never` is poison to it.
pub(crate) const MAILER: &str = "mailer";

/// How long the functions retry.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a batch of `archive` waits to be filled, as in the stack.
const WINDOW: Duration = Duration::from_secs(5);

/// The mapping of the table's stream.
pub(crate) type OfTable = Mapping<Arc<EventRecord>>;
/// A mapping of the Kinesis stream.
pub(crate) type OfKinesis = Mapping<Arc<KinesisEventRecord>>;

/// Returns the mapping of the table's stream to `capture`.
pub(crate) fn capturing() -> Arc<OfTable> {
    let deliver = |process: Process, records: Vec<Arc<EventRecord>>| {
        async move {
            let mut batch = Event::default();
            batch.records = records.iter().map(|record| record.as_ref().clone()).collect();
            match process.world.planted {
                Some(Planted::WithoutWaves) => return planted::capture_without_waves(batch, &process).await,
                Some(Planted::RestoredIsNew) => planted::forget_marks(&mut batch),
                _ => {}
            }
            let failed = Failed::new(planted::Shelf(process.clone()), CAPTURE);
            let patience = Patience::lasting(PATIENCE);
            let captured = capture(batch, &Kinesis(process.clone()), &failed, patience).await;
            if process.world.planted == Some(Planted::GivesUp) { Ok(()) } else { captured }
        }
        .boxed_local()
    };
    let key = |record: &Arc<EventRecord>| crate::world::table::id_of(&record.change.keys).to_owned();
    // One lane, as in the stack, because it keeps the order.
    let batches = Batches { size: 20, window: Duration::ZERO, lanes: 1 };
    Mapping::new(CAPTURE, batches, |world| &world.table_stream, key, Box::new(deliver))
}

/// Returns the mappings of the Kinesis stream to all other functions.
pub(crate) fn consuming(world: &World) -> Vec<Arc<OfKinesis>> {
    [ARCHIVE, PROJECTION, MAILER]
        .into_iter()
        .map(|function| {
            let deliver = move |process: Process, records: Vec<Arc<KinesisEventRecord>>| {
                async move {
                    let mut batch = KinesisEvent::default();
                    batch.records = records.iter().map(|record| record.as_ref().clone()).collect();
                    if function == ARCHIVE {
                        let failed = Failed::new(planted::Shelf(process), ARCHIVE);
                        archive(batch, &failed, &Patience::lasting(PATIENCE)).await
                    } else {
                        handle(process, function, Input::Records(batch)).await.map(drop)
                    }
                }
                .boxed_local()
            };
            let window = if function == ARCHIVE { WINDOW } else { Duration::ZERO };
            let batches = Batches { size: 30, window, lanes: 1 + world.chance.below(3) as u32 };
            let key = |record: &Arc<KinesisEventRecord>| record.kinesis.partition_key.clone();
            Mapping::new(function, batches, |world| &world.kinesis, key, Box::new(deliver))
        })
        .collect()
}

/// Invokes a handler.
pub(crate) async fn handle(
    process: Process,
    function: &'static str,
    mut input: Input,
) -> Result<Option<ReplayAnswer>, Fault> {
    let failed = Failed::new(planted::Shelf(process.clone()), function);
    let patience = Patience::lasting(PATIENCE);
    if process.world.planted == Some(Planted::ReplaysThrough) {
        planted::permit(&mut input);
    }
    if function == PROJECTION {
        let project = async |delivered| project(&process, delivered).await;
        projection(project).answer(input, &failed, &patience).await
    } else {
        let mail = async |delivered| mail(&process, delivered).await;
        reactor(mail).answer(input, &failed, &patience).await
    }
}

async fn project(process: &Process, delivered: Delivered<ShoppingCart>) -> Result<(), HandlerError> {
    if let CartEvent::ItemAdded { item, .. } = &delivered.event
        && !lock(&process.world.observed).mended
    {
        assert_ne!(item, "boom", "went off");
    }
    observe(process, PROJECTION, &delivered).await
}

async fn mail(process: &Process, delivered: Delivered<ShoppingCart>) -> Result<(), HandlerError> {
    match &delivered.event {
        CartEvent::ItemAdded { item, .. } if item == "never" && !lock(&process.world.observed).mended => {
            Err(HandlerError::poison("never, ever"))
        }
        _ => observe(process, MAILER, &delivered).await,
    }
}

/// Records the handler's side effect for the invariants.
async fn observe(
    process: &Process,
    function: &'static str,
    delivered: &Delivered<ShoppingCart>,
) -> Result<(), HandlerError> {
    let envelope = &delivered.envelope;
    let (aggregate, version) = (envelope.aggregate_id, envelope.version);
    if process.world.planted == Some(Planted::Skips) && process.world.chance.happens(10) {
        return Ok(());
    }
    let handled = Handled { version, id: envelope.id, replay: delivered.replay };
    let effect = move |world: &World| {
        lock(&world.observed).handled.entry((function, aggregate)).or_default().push(handled);
    };
    Ok(process.call(|| format!("handles {aggregate} {version}"), effect).await?)
}
