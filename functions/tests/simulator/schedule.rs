//! A schedule: one seed determines everything from the first command to the last comparison.

use std::{cell::Cell, sync::Arc, time::Duration};

use tokio::{
    runtime::Builder,
    task::LocalSet,
    time::{sleep, timeout},
};

use crate::{
    callers, consumers, foreign_data,
    invariants::{self, Broken},
    planted::Planted,
    replaying,
    world::{World, lock},
};

/// How long the world may take to come to rest, in its own time.
const LONG_ENOUGH: Duration = Duration::from_secs(24 * 3600);
/// After this time, no abandoned request is in flight any more.
const LATEST: Duration = Duration::from_secs(900);

thread_local! {
    static RUNNING: Cell<bool> = const { Cell::new(false) };
}

/// A schedule to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    /// The seed, which determines everything.
    pub(crate) seed: u64,
    /// A bug to find.
    pub(crate) planted: Option<Planted>,
    /// Whether to write a trace.
    pub(crate) traced: bool,
}

/// The outcome of a schedule.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The violated invariant, if there is one.
    pub(crate) broken: Option<Broken>,
    /// The trace, if one was requested.
    pub(crate) trace: Vec<String>,
    /// The number of events in the table at the end.
    pub(crate) events: usize,
}

/// Returns whether this thread runs a schedule: its panics are part of it.
pub(crate) fn is_running() -> bool {
    RUNNING.get()
}

impl Schedule {
    /// Returns the schedule of a seed, without a bug and without a trace.
    pub(crate) fn of(seed: u64) -> Self {
        Self { seed, planted: None, traced: false }
    }

    /// Runs the schedule.
    pub(crate) fn run(self) -> Outcome {
        RUNNING.set(true);
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("a runtime without I/O can be built");
        let outcome = LocalSet::new().block_on(&runtime, self.history());
        RUNNING.set(false);
        outcome
    }

    async fn history(self) -> Outcome {
        let world = World::new(self.seed, self.traced, self.planted);
        let weather = world.weather();
        world.trace.note("world", || format!("seed {}: {weather:?}", self.seed));
        let broken = match timeout(LONG_ENOUGH, come_to_rest(&world)).await {
            Ok(()) => invariants::check(&world).err(),
            Err(_) => Some(Broken {
                invariant: "rest",
                because: "a process has not finished after a day".to_owned(),
            }),
        };
        if let Some(Broken { invariant, because }) = &broken {
            world.trace.note("world", || format!("{invariant}: {because}"));
        }
        let events = invariants::truth(&world).values().map(Vec::len).sum();
        Outcome { broken, trace: world.trace.lines(), events }
    }
}

async fn come_to_rest(world: &Arc<World>) {
    let storm = world.weather();
    let (capturing, consuming) = (consumers::capturing(), consumers::consuming(world));
    capturing.start(world);
    consuming.iter().for_each(|mapping| mapping.start(world));
    callers::start(world);
    foreign_data::start(world);
    if world.chance.happens(100) {
        replaying::operate(world, true).await;
    }
    world.until(|| lock(&world.observed).busy == 0).await;
    world.calm_down();
    sleep(LATEST).await;
    let behind =
        || capturing.behind(world) + consuming.iter().map(|mapping| mapping.behind(world)).sum::<usize>();
    world.until(|| behind() == 0).await;
    world.trace.note("world", || "is at rest".to_owned());
    if world.chance.happens(500) {
        lock(&world.observed).mended = world.chance.happens(500);
        world.set_weather(storm);
        replaying::operate(world, false).await;
        world.calm_down();
        sleep(LATEST).await;
    }
}
