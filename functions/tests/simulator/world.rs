//! A world in memory: AWS as the functions see it, with its semantics and its faults.
//!
//! Nothing here reads a clock or draws random numbers of its own. Time is tokio's paused clock, which
//! advances by itself when all tasks wait; random numbers are the schedule's. So a seed determines the
//! history.

pub(crate) mod bucket;
pub(crate) mod functions;
pub(crate) mod kinesis;
pub(crate) mod lambda;
pub(crate) mod mapping;
pub(crate) mod process;
pub(crate) mod shards;
pub(crate) mod table;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_lambda_events::event::{dynamodb, kinesis::KinesisEventRecord};
use jiff::Timestamp;
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

use crate::{
    callers::Function,
    chance::{Chance, Weather},
    observed::Observed,
    planted::Planted,
    trace::Trace,
};

use self::{bucket::Kept, shards::Shards, table::Items};

/// One second before midnight, so that hour and day change while a schedule runs.
const START: &str = "2026-11-21T23:59:59Z";

/// Everything in one schedule.
#[derive(Debug)]
pub(crate) struct World {
    /// The random numbers.
    pub(crate) chance: Chance,
    /// The trace.
    pub(crate) trace: Trace,
    /// The items of the events table.
    pub(crate) table: Mutex<Items>,
    /// The stream of the events table.
    pub(crate) table_stream: Mutex<Shards<Arc<dynamodb::EventRecord>>>,
    /// The Kinesis stream.
    pub(crate) kinesis: Mutex<Shards<Arc<KinesisEventRecord>>>,
    /// The objects of the bucket.
    pub(crate) bucket: Mutex<Kept>,
    /// Warm functions, which have answered commands.
    pub(crate) warm: Mutex<Vec<Function>>,
    /// The observations for the invariants.
    pub(crate) observed: Mutex<Observed>,
    /// The bug that is planted in this world, if there is one.
    pub(crate) planted: Option<Planted>,
    weather: Mutex<Weather>,
    start: Instant,
    changed: Notify,
    serial: Mutex<u64>,
}

impl World {
    /// Returns a new world. A trace is written only if requested.
    pub(crate) fn new(seed: u64, traced: bool, planted: Option<Planted>) -> Arc<Self> {
        let chance = Chance::of(seed);
        let weather = Weather::of(&chance);
        // The code under test waits for random times.
        fastrand::seed(seed);
        let shards = |most| 1 + chance.below(most) as u32;
        let (table_shards, kinesis_shards) = (shards(2), shards(3));
        Arc::new(Self {
            trace: Trace::new(traced),
            table: Mutex::default(),
            table_stream: Mutex::new(Shards::new("table", table_shards)),
            kinesis: Mutex::new(Shards::new("shardId", kinesis_shards)),
            bucket: Mutex::default(),
            warm: Mutex::default(),
            observed: Mutex::default(),
            planted,
            weather: Mutex::new(weather),
            start: Instant::now(),
            changed: Notify::new(),
            serial: Mutex::new(0),
            chance,
        })
    }

    /// Returns how often faults occur.
    pub(crate) fn weather(&self) -> Weather {
        *lock(&self.weather)
    }

    /// Stops all faults from now on.
    pub(crate) fn calm_down(&self) {
        self.set_weather(self.weather().calm());
    }

    /// Sets how often faults occur.
    pub(crate) fn set_weather(&self, weather: Weather) {
        *lock(&self.weather) = weather;
        self.trace.note("world", || format!("{weather:?}"));
    }

    /// Returns the correct time.
    pub(crate) fn now(&self) -> Timestamp {
        let start: Timestamp = START.parse().expect("the start is well-formed");
        start + self.start.elapsed()
    }

    /// Returns the next serial number; each is returned once.
    pub(crate) fn serial(&self) -> u64 {
        let mut serial = lock(&self.serial);
        *serial += 1;
        *serial
    }

    /// Waits for the duration of a step.
    pub(crate) async fn pause(&self) {
        let slowest = self.weather().slowest_step;
        sleep(Duration::from_millis(self.chance.mostly_small(slowest) as u64)).await;
    }

    /// Signals that something has changed.
    pub(crate) fn change(&self) {
        self.changed.notify_waiters();
    }

    /// Waits until a condition holds.
    pub(crate) async fn until(&self, mut is_so: impl FnMut() -> bool) {
        while !is_so() {
            self.changed.notified().await;
        }
    }
}

/// Locks a mutex that is never held for long. A poisoned lock is ignored: a handler's panic leaves the data
/// unchanged.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
