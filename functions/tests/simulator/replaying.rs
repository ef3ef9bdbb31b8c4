//! Replays: the real function, and operators who start replays, follow them, stop some, and
//! have them go on when nobody runs them any more, as `deployer replay` does.

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

/// The function with all that it takes.
pub(crate) type Real = Replay<Shelf, Table, planted::Calls, Process>;

/// How often an operator looks.
const LOOKS_EVERY: Duration = Duration::from_secs(5);
/// After how many looks without a change an operator has somebody else go on. Longer than the
/// function takes between two saves.
const LOOKS: u64 = 6;
/// After how many looks an operator gets better weather.
const ENOUGH: u64 = 300;
/// Before which time an early replay is ordered: while some things have happened, and are not in
/// the archive.
const EARLY: usize = 10_000;
/// How long after the order of a replay the archive is waited for, as `docs/pipeline.md` says.
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

/// Returns how long an invocation of `replay` may take. Mostly so short that one does not do,
/// and long enough to get anywhere at all.
pub(crate) fn time_limit(process: &Process) -> Duration {
    let slowest = Duration::from_millis(process.world.weather().slowest_step as u64);
    let short = Duration::from_secs(2) + slowest * 60;
    [short, short * 3, Duration::from_secs(900)][process.world.chance.below(3)]
}

/// Replays each handler, or tries to; what comes of it is in `observed`.
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

/// Follows a replay to its end, and has it go on when nobody runs it. Returns nothing when it
/// had ended before, and another is in its place.
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
            let request = serde_json::to_vec(&Request::Continue(runner)).expect("it is JSON");
            operator.note(|| "has somebody else go on".to_owned());
            // A spared one is always heard.
            let sent = Functions(operator.clone()).send(REPLAY.name, request).await;
            sent.expect("nothing is in the way of an operator");
        }
    }
    unreachable!("somebody looks for ever")
}

/// Somebody else wants another replay of the same handler at the same time.
async fn rival(world: &Arc<World>, operator: &Process, order: &Order, early: bool) {
    let other = Order { id: world.chance.id(), by: "a rival".to_owned(), ..order.clone() };
    owe(world, &other, early);
    let answer = ask(operator, Request::Start(other.clone())).await;
    match answer.refused {
        Some(refused) => {
            lock(&world.observed).replays.push(run(&other, true));
            note(world, other.id, None, Some(refused.error));
        }
        // The other one had ended by then.
        None => {
            lock(&world.observed).replays.push(run(&other, early));
            let ended = follow(world, operator, &other).await;
            note(world, other.id, ended, None);
        }
    }
}

/// Notes what an early replay that is ordered now must have: what is in the archive as soon as that is
/// not waited for any longer. What comes later, as faults can have it, is nobody's promise.
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

/// Somebody hands events to the handler that acts, without permission and without `replay`.
async fn by_hand(operator: &Process) {
    let events = truth(&operator.world).into_values().flatten().take(3).map(|event| event.envelope).collect();
    let replay = Replayed { id: operator.new_id(), even_if_it_acts: false };
    let batch = serde_json::to_vec(&ReplayBatch { replay, events }).expect("it is JSON");
    let called = Functions(operator.clone()).call(MAILER, batch).await;
    operator.note(|| format!("hears {called:?}"));
}

/// Asks the function until it answers.
async fn ask(operator: &Process, request: Request) -> ControlAnswer {
    let request = serde_json::to_vec(&request).expect("it is JSON");
    loop {
        if let Ok(Reply::Answer(answer)) =
            Functions(operator.clone()).call(REPLAY.name, request.clone()).await
        {
            operator.note(|| format!("hears {}", String::from_utf8_lossy(&answer)));
            return serde_json::from_slice(&answer).expect("replay answers");
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
        even_if_it_acts: world.chance.happens(500),
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
    let run = observed.replays.iter_mut().find(|run| run.order.id == id).expect("it was begun");
    (run.ended, run.refused) = (ended, refused);
}
