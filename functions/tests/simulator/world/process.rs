//! A process: an invocation of a function, or a program of somebody's.
//!
//! Each call that it makes has two steps, one on the way there and one on the way back, and at
//! each step somebody else may go first, or the process may die: before its effect, or after.

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

/// How often the SDK makes an attempt at a call ("Retry behavior", AWS SDKs and Tools
/// reference: the standard mode makes three).
const ATTEMPTS: u32 = 3;

/// All attempts of a call failed.
#[derive(Debug, Clone, Copy, Error)]
#[error("out of reach")]
pub(crate) struct OutOfReach;

/// One process.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    /// The world it is in.
    pub(crate) world: Arc<World>,
    /// Its name.
    pub(crate) name: Arc<str>,
    life: Arc<Life>,
    clock: SignedDuration,
}

/// How long a process lives.
#[derive(Debug)]
struct Life {
    /// After this many steps it dies.
    steps: AtomicU32,
    spared: bool,
    death: Notify,
}

impl Process {
    /// Returns a process that never dies and meets no faults.
    pub(crate) fn spared(world: &Arc<World>, name: &str) -> Self {
        Self::new(world, name, true)
    }

    /// Returns a process that the weather is for.
    pub(crate) fn mortal(world: &Arc<World>, name: &str) -> Self {
        Self::new(world, name, false)
    }

    fn new(world: &Arc<World>, name: &str, spared: bool) -> Self {
        let (chance, weather) = (&world.chance, world.weather());
        let dies = !spared && chance.happens(weather.deaths);
        let steps = if dies { 1 + chance.mostly_small(64) as u32 } else { u32::MAX };
        let wrong = !spared && chance.happens(weather.wrong_clocks);
        // By up to an hour, back or forth: more than the clocks of AWS are ever wrong.
        let clock = if wrong { chance.below(2 * 3600) as i64 - 3600 } else { 0 };
        Self {
            world: world.clone(),
            name: format!("{name}.{}", world.serial()).into(),
            life: Arc::new(Life { steps: AtomicU32::new(steps), spared, death: Notify::new() }),
            clock: SignedDuration::from_secs(clock),
        }
    }

    /// Returns how often things go wrong for this process.
    pub(crate) fn weather(&self) -> Weather {
        let weather = self.world.weather();
        if self.life.spared { weather.calm() } else { weather }
    }

    /// Notes what the process does.
    pub(crate) fn note(&self, what: impl FnOnce() -> String) {
        self.world.trace.note(&self.name, what);
    }

    /// Lets others go first. Whoever dies here never comes back.
    pub(crate) async fn step(&self) {
        if !self.survives().await {
            self.die().await;
        }
    }

    /// Makes a call: lost on the way there or back, late, repeated by the SDK, or as it should
    /// be. The effect happens once for each attempt that arrives.
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

    /// Returns the moment at which it is cut off that has just begun with so much time.
    pub(crate) fn time_left(&self, limit: Duration) -> Instant {
        Instant::now() + limit
    }

    /// Waits until the process dies.
    pub(crate) async fn death(&self) {
        self.life.death.notified().await;
    }

    /// A request that nobody waits for any more arrives all the same.
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
