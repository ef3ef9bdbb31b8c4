//! A process: an invocation of a function, or a program that an operator runs.
//!
//! Each of its calls has two steps, one before and one after the effect. At each step, other processes may
//! run first, or the process may die.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use eventsourcing::Surroundings;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};
use uuid::Uuid;

use super::World;
use crate::chance::Weather;

/// How many attempts the SDK makes for a call ("Retry behavior", AWS SDKs and Tools reference: the standard
/// mode makes three).
const ATTEMPTS: u32 = 3;

/// All attempts of a call failed.
#[derive(Debug, Clone, Copy, Error)]
#[error("out of reach")]
pub(crate) struct OutOfReach;

/// One process.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    /// Its world.
    pub(crate) world: Arc<World>,
    /// Its name.
    pub(crate) name: Arc<str>,
    life: Arc<Life>,
    clock: SignedDuration,
}

/// The lifetime of a process.
#[derive(Debug)]
struct Life {
    /// The number of steps after which it dies.
    steps: AtomicU32,
    spared: bool,
    death: Notify,
}

impl Process {
    /// Returns a process that never dies and meets no faults.
    pub(crate) fn spared(world: &Arc<World>, name: &str) -> Self {
        Self::new(world, name, true)
    }

    /// Returns a process that meets the schedule's faults.
    pub(crate) fn mortal(world: &Arc<World>, name: &str) -> Self {
        Self::new(world, name, false)
    }

    fn new(world: &Arc<World>, name: &str, spared: bool) -> Self {
        let (chance, weather) = (&world.chance, world.weather());
        let dies = !spared && chance.happens(weather.deaths);
        let steps = if dies { 1 + chance.mostly_small(64) as u32 } else { u32::MAX };
        let wrong = !spared && chance.happens(weather.wrong_clocks);
        // Wrong by up to an hour in either direction, which is more than AWS's clocks ever are.
        let clock = if wrong { chance.below(2 * 3600) as i64 - 3600 } else { 0 };
        Self {
            world: world.clone(),
            name: format!("{name}.{}", world.serial()).into(),
            life: Arc::new(Life { steps: AtomicU32::new(steps), spared, death: Notify::new() }),
            clock: SignedDuration::from_secs(clock),
        }
    }

    /// Returns how often this process meets faults.
    pub(crate) fn weather(&self) -> Weather {
        let weather = self.world.weather();
        if self.life.spared { weather.calm() } else { weather }
    }

    /// Notes what the process does.
    pub(crate) fn note(&self, what: impl FnOnce() -> String) {
        self.world.trace.note(&self.name, what);
    }

    /// Lets other processes run first. A process that dies here never continues.
    pub(crate) async fn step(&self) {
        if !self.survives().await {
            self.die().await;
        }
    }

    /// Makes a call, which may be lost on either way, late, or repeated by the SDK. The effect happens once
    /// for each attempt that arrives.
    pub(crate) async fn call<T>(
        &self,
        what: impl Fn() -> String,
        effect: impl Fn(&World) -> T + Clone + Send + 'static,
    ) -> Result<T, OutOfReach> {
        for _ in 0..ATTEMPTS {
            let (chance, weather) = (&self.world.chance, self.weather());
            if !self.survives().await {
                if chance.happens(300) {
                    self.later(&what, effect.clone());
                }
                self.die().await;
            }
            if chance.happens(weather.lost_requests) {
                self.note(|| format!("{}: the request is lost", what()));
                continue;
            }
            if chance.happens(weather.late_requests) {
                self.later(&what, effect.clone());
                continue;
            }
            let answer = effect(&self.world);
            self.note(&what);
            self.step().await;
            if chance.happens(weather.lost_answers) {
                self.note(|| format!("{}: the answer is lost", what()));
                continue;
            }
            return Ok(answer);
        }
        Err(OutOfReach)
    }

    /// Returns the moment at which an invocation with this timeout is cut off, if it starts now.
    pub(crate) fn time_left(&self, limit: Duration) -> Instant {
        Instant::now() + limit
    }

    /// Waits until the process dies.
    pub(crate) async fn death(&self) {
        self.life.death.notified().await;
    }

    /// Executes an abandoned request later.
    fn later<T>(&self, what: impl Fn() -> String, effect: impl Fn(&World) -> T + Send + 'static) {
        let what = what();
        self.note(|| format!("{what}: the request is late"));
        let process = self.clone();
        tokio::task::spawn_local(async move {
            process.world.pause().await;
            process.world.pause().await;
            drop(effect(&process.world));
            process.note(|| format!("{what}, late"));
        });
    }

    async fn survives(&self) -> bool {
        self.world.pause().await;
        if self.world.chance.happens(self.weather().freezes) {
            self.note(|| "is frozen".to_owned());
            sleep(Duration::from_secs(60 + self.world.chance.below(600) as u64)).await;
        }
        if self.life.steps.load(Ordering::Relaxed) == u32::MAX {
            return true;
        }
        self.life.steps.fetch_sub(1, Ordering::Relaxed) > 1
    }

    async fn die(&self) {
        self.note(|| "dies".to_owned());
        self.life.steps.store(1, Ordering::Relaxed);
        self.life.death.notify_one();
        std::future::pending().await
    }
}

impl Surroundings for Process {
    fn now(&self) -> Timestamp {
        self.world.now() + self.clock
    }

    fn new_id(&self) -> Uuid {
        self.world.chance.id()
    }
}
