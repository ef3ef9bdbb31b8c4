//! Event source mappings: they read a stream for a function, as Lambda does.
//!
//! Delivery is at least once and in order: each shard is read from its beginning, parents before children, in
//! batches of any size, with one batch at a time for each lane of the shard. A failed batch is delivered
//! again, cut differently; sometimes a successful one is, too.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::LocalBoxFuture;
use runtime::Fault;
use tokio::time::sleep;

use super::{
    World, lambda, lock,
    process::Process,
    shards::{Shards, place},
};

/// After this many failures in a row, the next attempt meets no faults. That Lambda discards a batch to the
/// bucket after a thousand failures, with its payload, is not simulated.
const PATIENCE: u32 = 7;

/// Delivers a batch to a function.
pub(crate) type Deliver<R> = Box<dyn Fn(Process, Vec<R>) -> LocalBoxFuture<'static, Result<(), Fault>>>;

/// How a stream is cut into batches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batches {
    /// The most records in a batch.
    pub(crate) size: usize,
    /// How long a batch waits to be filled.
    pub(crate) window: Duration,
    /// How many batches of a shard are in flight at once, each with its own keys.
    pub(crate) lanes: u32,
}

/// A mapping.
pub(crate) struct Mapping<R> {
    /// The function.
    pub(crate) function: &'static str,
    batches: Batches,
    /// The stream.
    source: fn(&World) -> &Mutex<Shards<R>>,
    /// The key of a record.
    key: fn(&R) -> String,
    /// Delivers a batch to the function.
    deliver: Deliver<R>,
    /// How many records of each lane of each shard are done.
    done: Mutex<BTreeMap<(usize, u32), usize>>,
    /// The lanes that were read to the end of their shard.
    ended: Mutex<BTreeSet<(usize, u32)>>,
}

impl<R: Clone + 'static> Mapping<R> {
    /// Returns a mapping that starts at the beginning of a stream.
    pub(crate) fn new(
        function: &'static str,
        batches: Batches,
        source: fn(&World) -> &Mutex<Shards<R>>,
        key: fn(&R) -> String,
        deliver: Deliver<R>,
    ) -> Arc<Self> {
        let (done, ended) = Default::default();
        Arc::new(Self { function, batches, source, key, deliver, done, ended })
    }

    /// Reads the stream for as long as the world exists.
    pub(crate) fn start(self: &Arc<Self>, world: &Arc<World>) {
        let (mapping, world) = (self.clone(), world.clone());
        tokio::task::spawn_local(async move {
            let mut known = 0;
            loop {
                let shards = lock((mapping.source)(&world)).all().len();
                for shard in known..shards {
                    for lane in 0..mapping.batches.lanes {
                        tokio::task::spawn_local(mapping.clone().read(world.clone(), shard, lane));
                    }
                }
                known = shards;
                world.until(|| lock((mapping.source)(&world)).all().len() > known).await;
            }
        });
    }

    /// Returns how many records are not done.
    pub(crate) fn behind(&self, world: &World) -> usize {
        let records: usize = lock((self.source)(world)).all().iter().map(|shard| shard.records.len()).sum();
        records - lock(&self.done).values().sum::<usize>()
    }

    async fn read(self: Arc<Self>, world: Arc<World>, shard: usize, lane: u32) {
        world.until(|| self.has_read_parents(&world, shard)).await;
        let (mut done, mut failures, mut most) = (0, 0, self.batches.size);
        loop {
            world
                .until(|| {
                    self.is_closed(&world, shard) || !self.waiting(&world, shard, lane, done).is_empty()
                })
                .await;
            let full = || self.waiting(&world, shard, lane, done).len() == self.batches.size;
            if failures == 0 && !full() {
                sleep(self.batches.window).await;
            }
            world.pause().await;
            let mut batch = self.waiting(&world, shard, lane, done);
            if batch.is_empty() {
                lock(&self.ended).insert((shard, lane));
                world.change();
                return;
            }
            batch.truncate(1 + world.chance.mostly_small(batch.len().min(most)));
            let size = batch.len();
            let process = lambda::process(&world, self.function, failures >= PATIENCE);
            process.note(|| format!("gets {size} of shard {shard} lane {lane}, from {done}"));
            let delivered =
                lambda::run(&process, lambda::TIME_LIMIT, |process| (self.deliver)(process, batch)).await;
            match delivered {
                Ok(()) => (done, failures, most) = (done + size, 0, self.batches.size),
                Err(_) => (failures, most) = (failures + 1, size.div_ceil(2)),
            }
            if world.chance.happens(world.weather().forgotten) {
                let before = done;
                done -= world.chance.mostly_small(done + 1);
                world.trace.note(self.function, || {
                    format!("shard {shard} lane {lane}: goes back from {before} to {done}")
                });
            }
            lock(&self.done).insert((shard, lane), done);
            world.change();
        }
    }

    fn waiting(&self, world: &World, shard: usize, lane: u32, done: usize) -> Vec<R> {
        let shards = lock((self.source)(world));
        let records = shards.all()[shard].records.iter();
        records
            .filter(|record| place(&(self.key)(record), self.batches.lanes) == lane)
            .skip(done)
            .take(self.batches.size)
            .cloned()
            .collect()
    }

    fn is_closed(&self, world: &World, shard: usize) -> bool {
        lock((self.source)(world)).all()[shard].closed
    }

    fn has_read_parents(&self, world: &World, shard: usize) -> bool {
        let parents = lock((self.source)(world)).all()[shard].parents.clone();
        let ended = lock(&self.ended);
        parents.iter().all(|&parent| (0..self.batches.lanes).all(|lane| ended.contains(&(parent, lane))))
    }
}
