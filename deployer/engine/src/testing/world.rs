//! The cloud itself: what is in it, which calls fail, and when the caller dies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::error::{Class, Error};
use crate::progress::{refused, sending};
use crate::release::{Recorded, Release, ReleaseRecord};
use crate::resource::{Cloud, ResourceId, Tags};
use crate::scope::Scope;
use tokio::sync::Notify;

use super::{Part, Thing};

/// What is in the cloud, and what was asked of it.
#[derive(Debug, Default)]
pub struct World {
    /// The things with their tags, by name.
    pub things: BTreeMap<String, (Thing, Tags)>,
    /// The number that each thing got when it was made, and no other has.
    pub made: BTreeMap<String, usize>,
    /// The last of these numbers.
    pub serial: usize,
    /// The parts, by name.
    pub parts: BTreeMap<String, Part>,
    /// The parts that were disabled.
    pub idle: BTreeSet<String>,
    /// Every call, as `Verb name`.
    pub calls: Vec<String>,
    /// What each call that begins like this answers, once.
    pub failures: Vec<Fault>,
    /// The release record.
    pub releases: Vec<Recorded>,
    /// Whether things are made without their tags, as some emulators do.
    pub forgets_tags: bool,
    /// How many more calls that write are made before the caller dies, and whether the last
    /// one still has its effect.
    pub dies: Option<(usize, When)>,
    /// Whether the caller is dead: nothing of it gets through any more.
    dead: bool,
}

/// Before a call has its effect, or after it and before its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// It has no effect.
    Before,
    /// It has its effect, and its answer is lost.
    After,
}

/// A call that fails once.
#[derive(Debug, Clone)]
pub struct Fault {
    /// What the call begins with.
    pub call: String,
    /// What it answers.
    pub error: Error,
    /// Whether it has its effect all the same.
    pub when: When,
}

/// A cloud in memory. Clones share what is in it.
#[derive(Debug, Clone, Default)]
pub struct FakeCloud(Arc<Mutex<World>>, Arc<Notify>);

impl FakeCloud {
    /// Returns what is in it, to be looked at and changed. No call gets through meanwhile.
    ///
    /// # Panics
    /// A test panicked while it held the world.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().expect("no test panics while it holds the world")
    }

    /// Makes the next call that begins like this fail, without effect.
    pub fn fail(&self, call: &str, class: Class) {
        let error = Error::new(class, call, "asked to fail");
        self.world().failures.push(Fault { call: call.to_owned(), error, when: When::Before });
    }

    /// Returns the calls that write, since the last time, but for the release record's.
    pub fn writes(&self) -> Vec<String> {
        let calls = std::mem::take(&mut self.world().calls);
        let writes =
            |call: &String| !["Read", "Ready", "List", "Tags"].iter().any(|read| call.starts_with(read));
        calls.into_iter().filter(writes).filter(|call| !call.ends_with(" release")).collect()
    }

    /// Returns when the caller has died, which revives it.
    pub async fn death(&self) {
        self.1.notified().await;
        let mut world = self.world();
        (world.dead, world.dies) = (false, None);
    }

    /// Answers a call that only looks.
    pub(super) async fn look<T>(
        &self,
        verb: &str,
        name: &str,
        answer: impl FnOnce(&World) -> T,
    ) -> Result<T, Error> {
        self.call(verb, name, false, |world| Ok(answer(world))).await
    }

    /// Has the effect of a call that writes.
    pub(super) async fn write<T>(
        &self,
        verb: &str,
        name: &str,
        effect: impl FnOnce(&mut World) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.call(verb, name, true, effect).await
    }

    async fn call<T>(
        &self,
        verb: &str,
        name: &str,
        writes: bool,
        effect: impl FnOnce(&mut World) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if writes {
            sending();
        }
        // Others get their turn, as they do when calls take time.
        tokio::task::yield_now().await;
        let answer = {
            let mut world = self.world();
            let dies = world.counts_down(writes);
            let call = format!("{verb} {name}");
            match (world.dead, dies) {
                (true, _) => None,
                (false, Some(When::Before)) => world.die(),
                (false, dies) => {
                    world.calls.push(call.clone());
                    let failing = world.failures.iter().position(|fault| call.starts_with(&fault.call));
                    let fault = failing.map(|position| world.failures.remove(position));
                    let lost = fault.as_ref().is_some_and(|fault| fault.when == When::After);
                    let answer = match fault {
                        None => effect(&mut world),
                        Some(Fault { error, when: When::Before, .. }) => Err(error),
                        Some(Fault { error, when: When::After, .. }) => effect(&mut world).and(Err(error)),
                    };
                    if dies.is_some() { world.die() } else { Some((answer, lost)) }
                }
            }
        };
        match answer {
            Some((answer, lost)) => {
                // Of an answer that says nothing in particular, nobody knows whether it had an effect.
                let told = answer.as_ref().is_err_and(|error| error.class != Class::Other);
                if writes && told && !lost {
                    refused();
                }
                answer
            }
            None => {
                self.1.notify_one();
                std::future::pending().await
            }
        }
    }
}

impl World {
    /// Counts a call that writes, and tells when the caller dies if this is its last.
    fn counts_down(&mut self, writes: bool) -> Option<When> {
        let (left, when) = self.dies.as_mut().filter(|_| writes)?;
        match left.checked_sub(1) {
            Some(fewer) => {
                *left = fewer;
                None
            }
            None => Some(*when),
        }
    }

    /// The caller dies: there is no answer.
    fn die<T>(&mut self) -> Option<T> {
        self.dead = true;
        None
    }
}

impl Cloud for FakeCloud {
    type Permission = String;

    fn fresh(&self) -> Self {
        self.clone()
    }
}

impl ReleaseRecord for FakeCloud {
    fn record_id(scope: &Scope) -> ResourceId {
        ResourceId::new("fake.record", format!("/{}/{}/release", scope.stack, scope.environment))
    }

    fn kept_in(_scope: &Scope) -> Option<ResourceId> {
        None
    }

    async fn last_release(&self) -> Result<Option<Recorded>, Error> {
        self.look("Read", "release", |world| world.releases.last().cloned()).await
    }

    async fn releases(&self, from: u64) -> Result<Vec<Recorded>, Error> {
        let since = |world: &World| {
            let since = world.releases.iter().filter(|recorded| recorded.number >= from);
            since.cloned().collect()
        };
        self.look("List", "release", since).await
    }

    async fn record(&self, release: &Release, number: u64) -> Result<(), Error> {
        let effect = |world: &mut World| {
            if world.releases.is_empty() && number > 1 {
                return Err(Error::new(Class::Gone, "Record", "there is no record"));
            }
            if world.releases.iter().any(|recorded| recorded.number == number) {
                return Err(Error::new(Class::Exists, "Record", "the number is taken"));
            }
            world.releases.push(Recorded { release: release.clone(), number, at: None });
            world.releases.sort_by_key(|recorded| recorded.number);
            Ok(())
        };
        self.write("Record", "release", effect).await
    }

    async fn withdraw(&self, number: u64) -> Result<(), Error> {
        let effect = |world: &mut World| {
            world.releases.retain(|recorded| recorded.number != number);
            Ok(())
        };
        self.write("Withdraw", "release", effect).await
    }

    async fn forget_releases(&self) -> Result<(), Error> {
        let effect = |world: &mut World| {
            world.releases.clear();
            Ok(())
        };
        self.write("Forget", "release", effect).await
    }
}
