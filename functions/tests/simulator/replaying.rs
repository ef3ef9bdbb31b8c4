//! Replays: the real function, and operators who start replays, follow them, cancel some, and restart those
//! without a runner, as `deployer replay` does.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use eventsourcing::{
    Surroundings,
    contract::{EVENTS_PREFIX, REPLAY},
    replay::{
        ControlAnswer, Only, Order, Reason, ReplayBatch, ReplayState, Replayed, Request, Runner, Source,
        Which,
    },
};
use runtime::{
    invoke::{Invoke, Reply},
    replay::Replay,
};
use serde_json::json;
use storage::archive;
use tokio::{task::spawn_local, time::sleep};
use uuid::Uuid;

use crate::{
    consumers::{MAILER, PROJECTION},
    invariants::truth,
    observed::Replayed as Run,
    planted::{self, Planted, Shelf},
    world::{World, functions::Functions, lock, process::Process, table::Table},
};

/// The replay function, with all its dependencies.
pub(crate) type Real = Replay<Shelf, Table, planted::Calls, Process>;

/// How often an operator checks a replay.
const LOOKS_EVERY: Duration = Duration::from_secs(5);
/// After how many checks without progress an operator requests another runner. This is longer than the
/// function takes between two saves.
const LOOKS: u64 = 6;
/// After how many checks an operator meets no faults any more.
const ENOUGH: u64 = 300;
/// Before which time an early replay is ordered: when some events have happened but are not archived yet.
const EARLY: usize = 10_000;
/// How long a replay waits for the archive after its order, as documented in `docs/pipeline.md`.
const WAITED_FOR: Duration = Duration::from_secs(20);

/// Returns the function `replay` in a process.
pub(crate) fn replay(process: &Process) -> Real {
    Replay {
        bucket: Shelf(process.clone()),
        table: Table(process.clone()),
        invoke: planted::Calls(Functions(process.clone())),
        surroundings: process.clone(),
        handlers: vec![PROJECTION.to_owned(), MAILER.to_owned()],
    }
}

/// Returns how long an invocation of `replay` may take: mostly too short for one invocation to finish, and
/// long enough to make progress.
pub(crate) fn time_limit(process: &Process) -> Duration {
    let slowest = Duration::from_millis(process.world.weather().slowest_step as u64);
    let short = Duration::from_secs(2) + slowest * 60;
    [short, short * 3, Duration::from_secs(900)][process.world.chance.below(3)]
}

/// Replays each handler, or tries to; the results are in `observed`.
pub(crate) async fn operate(world: &Arc<World>, early: bool) {
    let operator = Process::spared(world, "operator");
    if early {
        sleep(Duration::from_millis(world.chance.below(EARLY) as u64)).await;
    }
    let handler = if world.chance.happens(700) { PROJECTION } else { MAILER };
    let order = order(world, handler);
    if world.chance.happens(200) {
        by_hand(&operator).await;
    }
    lock(&world.observed).replays.push(run(&order, early));
    if world.planted == Some(Planted::HoldsNothingBack) {
        planted::replay_as_it_reads(&Process::spared(world, "replay"), &order).await;
        return;
    }
    owe(world, &order, early);
    let started = ask(&operator, Request::Start(order.clone())).await;
    if let Some(refused) = started.refused {
        note(world, order.id, None, Some(refused.error));
        return;
    }
    if world.chance.happens(300) {
        rival(world, &operator, &order, early).await;
    }
    if world.chance.happens(150) {
        operator.note(|| "cancels".to_owned());
        let which = Which { handler: handler.to_owned(), dry_run: false };
        ask(&operator, Request::Cancel(which)).await;
    }
    let ended = follow(world, &operator, &order).await;
    note(world, order.id, ended, None);
}

/// Follows a replay to its end, and requests another runner if it has none. Returns `None` if it had ended
/// before, and another replay has replaced it.
async fn follow(world: &Arc<World>, operator: &Process, order: &Order) -> Option<ReplayState> {
    let which = Which { handler: order.handler.clone(), dry_run: false };
    let (mut saves, mut since) = (0, 0);
    for look in 0.. {
        sleep(LOOKS_EVERY).await;
        if look == ENOUGH {
            world.calm_down();
        }
        let answer = ask(operator, Request::Status(which.clone())).await;
        let status = answer.status.filter(|status| status.order.id == order.id)?;
        if status.state != ReplayState::Running {
            return Some(status.state);
        }
        if status.saves != saves {
            (saves, since) = (status.saves, look);
        } else if look - since >= LOOKS {
            since = look;
            let runner = Runner { saves: Some(saves), ..order.runner() };
            let request = serde_json::to_vec(&Request::Continue(runner))
                .expect("a request can always be serialized as JSON");
            operator.note(|| "requests another runner".to_owned());
            // A process without faults always succeeds.
            let sent = Functions(operator.clone()).send(REPLAY, request).await;
            sent.expect("an operator meets no faults");
        }
    }
    unreachable!("an operator checks for ever")
}

/// Orders another replay of the same handler at the same time.
async fn rival(world: &Arc<World>, operator: &Process, order: &Order, early: bool) {
    let other = Order { id: world.chance.id(), by: "a rival".to_owned(), ..order.clone() };
    owe(world, &other, early);
    let answer = ask(operator, Request::Start(other.clone())).await;
    match answer.refused {
        Some(refused) => {
            lock(&world.observed).replays.push(run(&other, true));
            note(world, other.id, None, Some(refused.error));
        }
        // The first replay had ended by then.
        None => {
            lock(&world.observed).replays.push(run(&other, early));
            let ended = follow(world, operator, &other).await;
            note(world, other.id, ended, None);
        }
    }
}

/// Notes which events an early replay that is ordered now must deliver: those that are archived when it stops
/// waiting for the archive. Later ones, which faults can cause, are not promised.
fn owe(world: &Arc<World>, order: &Order, early: bool) {
    if !early || order.from == Source::Table {
        return;
    }
    let (world, id) = (world.clone(), order.id);
    spawn_local(async move {
        sleep(WAITED_FOR).await;
        let bucket = lock(&world.bucket);
        let objects = bucket.iter().filter(|(key, _)| key.starts_with(EVENTS_PREFIX));
        let events = objects.flat_map(|(_, object)| archive::events(&object.body).unwrap_or_default());
        let owed = events.map(|event| (event.aggregate_id, event.version)).collect();
        lock(&world.observed).owed.insert(id, owed);
    });
}

/// Sends events to the reactor, without permission and without `replay`.
async fn by_hand(operator: &Process) {
    let events = truth(&operator.world).into_values().flatten().take(3).map(|event| event.envelope).collect();
    let replay = Replayed { id: operator.new_id(), repeat_side_effects: false };
    let batch = serde_json::to_vec(&ReplayBatch { replay, events })
        .expect("a batch can always be serialized as JSON");
    let called = Functions(operator.clone()).call(MAILER, batch).await;
    operator.note(|| format!("gets {called:?}"));
}

/// Calls the function until it answers.
async fn ask(operator: &Process, request: Request) -> ControlAnswer {
    let request = serde_json::to_vec(&request).expect("a request can always be serialized as JSON");
    loop {
        if let Ok(Reply::Answer(answer)) = Functions(operator.clone()).call(REPLAY, request.clone()).await {
            operator.note(|| format!("gets {}", String::from_utf8_lossy(&answer)));
            return serde_json::from_slice(&answer).expect("the answer of replay can be parsed");
        }
        sleep(LOOKS_EVERY).await;
    }
}

fn order(world: &World, handler: &str) -> Order {
    let aggregates: Vec<Uuid> = truth(world).into_keys().collect();
    let only = match world.chance.below(4) {
        0 => Only { types: BTreeSet::from(["ItemAdded".to_owned()]), ..Only::default() },
        1 if !aggregates.is_empty() => {
            let one = aggregates[world.chance.below(aggregates.len())];
            Only { aggregates: BTreeSet::from([one]), ..Only::default() }
        }
        _ => Only::default(),
    };
    Order {
        handler: handler.to_owned(),
        id: world.chance.id(),
        by: "an operator".to_owned(),
        from: if world.chance.happens(700) { Source::Archive } else { Source::Table },
        only,
        rate: [2, 20, 1000][world.chance.below(3)],
        repeat_side_effects: world.chance.happens(500),
        dry_run: false,
    }
}

fn run(order: &Order, early: bool) -> Run {
    Run { order: order.clone(), early, ended: None, refused: None }
}

fn note(world: &World, id: Uuid, ended: Option<ReplayState>, refused: Option<Reason>) {
    world
        .trace
        .note("operator", || format!("replay {id}: {}", json!([ended, refused.map(|reason| json!(reason))])));
    let mut observed = lock(&world.observed);
    let run = observed.replays.iter_mut().find(|run| run.order.id == id).expect("the replay was started");
    (run.ended, run.refused) = (ended, refused);
}
