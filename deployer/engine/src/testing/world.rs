//! The fake cloud: its contents, the calls that fail, and the death of the caller.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::error::{Class, Error};
use crate::progress::{refused, sending};
use crate::release::{Recorded, Release, ReleaseRecord};
use crate::resource::{Cloud, ResourceId, Tags};
use crate::scope::Scope;
use tokio::sync::Notify;

use super::{Part, Thing};

/// The contents of the cloud, and the calls that were sent to it.
#[derive(Debug, Default)]
pub struct World {
    /// The resources with their tags, by name.
    pub things: BTreeMap<String, (Thing, Tags)>,
    /// The unique number that each resource gets at its creation.
    pub made: BTreeMap<String, usize>,
    /// The last of these numbers.
    pub serial: usize,
    /// The parts, by name.
    pub parts: BTreeMap<String, Part>,
    /// The parts that were disabled.
    pub idle: BTreeSet<String>,
    /// Every call, as `Verb name`.
    pub calls: Vec<String>,
    /// The errors that calls return, once each.
    pub failures: Vec<Fault>,
    /// The release record.
    pub releases: Vec<Recorded>,
    /// Whether resources are created without their tags, as in some emulators.
    pub forgets_tags: bool,
    /// The number of writing calls before the caller dies, and whether the last one still has its effect.
    pub dies: Option<(usize, When)>,
    /// Whether the caller is dead: its calls have no effect any more.
    dead: bool,
}

/// Whether a fault comes before or after the effect of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The call has no effect.
    Before,
    /// The call has its effect, and its answer is lost.
    After,
}

/// A call that fails once.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The beginning of the call.
    pub call: String,
    /// The error that it returns.
    pub error: Error,
    /// Whether the call still has its effect.
    pub when: When,
}

/// A cloud in memory. Clones share its contents.
#[derive(Debug, Clone, Default)]
pub struct FakeCloud(Arc<Mutex<World>>, Arc<Notify>);

impl FakeCloud {
    /// Returns the contents, to be read and changed. Calls block until they are released.
    ///
    /// # Panics
    /// Panics if a test panicked while it held the lock.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().expect("the lock is never poisoned")
    }

    /// Makes the next call with this beginning fail, without effect.
    pub fn fail(&self, call: &str, class: Class) {
        let error = Error::new(class, call, "asked to fail");
        self.world().failures.push(Fault { call: call.to_owned(), error, when: When::Before });
    }

    /// Returns the writing calls since the last time, except those to the release record.
    pub fn writes(&self) -> Vec<String> {
        let calls = std::mem::take(&mut self.world().calls);
        let writes =
            |call: &String| !["Read", "Ready", "List", "Tags"].iter().any(|read| call.starts_with(read));
        calls.into_iter().filter(writes).filter(|call| !call.ends_with(" release")).collect()
    }

    /// Returns when the caller has died, and revives it.
    pub async fn death(&self) {
        self.1.notified().await;
        let mut world = self.world();
        (world.dead, world.dies) = (false, None);
    }

    /// Answers a call that only reads.
    pub(super) async fn look<T>(
        &self,
        verb: &str,
        name: &str,
        answer: impl FnOnce(&World) -> T,
    ) -> Result<T, Error> {
        self.call(verb, name, false, |world| Ok(answer(world))).await
    }

    /// Applies the effect of a call that writes.
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
        // Other tasks run in between, as they do when calls take time.
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
                // After an error of no particular class, it is unknown whether the call had an effect.
                let is_final = answer.as_ref().is_err_and(|error| error.class != Class::Other);
                if writes && is_final && !lost {
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
    /// Counts a call that writes, and returns when the caller dies if this is the last call.
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

    /// Marks the caller as dead: there is no answer.
    fn die<T>(&mut self) -> Option<T> {
        self.dead = true;
        None
    }
}

impl Cloud for FakeCloud {
    type Permission = String;
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
                return Err(Error::new(Class::Gone, "Record", "the record does not exist"));
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
