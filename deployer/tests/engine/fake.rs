//! A cloud in memory, and two kinds of things in it: one with tags, one with a parent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use deployer::apply::{Report, apply};
use deployer::diff::Change;
use deployer::error::{Class, Error};
use deployer::plan::{Plan, Wishes, plan, teardown};
use deployer::policy::Statement;
use deployer::release::{Recorded, Release, Run, State};
use deployer::resource::{Cloud, Effect, Kind, Live, Resource, ResourceId, Risk, Tags};
use deployer::retry::retried;
use deployer::scope::Scope;
use deployer::stack::Stack;
use deployer::survey::{Survey, survey};
use serde::Serialize;
use tokio::sync::Notify;

/// What is in the cloud, and what was asked of it.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) things: BTreeMap<String, (Thing, Tags)>,
    pub(crate) parts: BTreeMap<String, Part>,
    /// Every call, as `Verb name`.
    pub(crate) calls: Vec<String>,
    /// What each call that begins like this answers, once.
    pub(crate) failures: Vec<Fault>,
    /// The release record.
    pub(crate) releases: Vec<Recorded>,
    /// Whether things are made without their tags, as some emulators do.
    pub(crate) forgets_tags: bool,
    /// How many more calls that write are made before the caller dies, and whether the last
    /// one still has its effect.
    pub(crate) dies: Option<(usize, When)>,
    /// Whether the caller is dead: nothing of it gets through any more.
    dead: bool,
}

/// Before a call has its effect, or after it and before its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Before,
    After,
}

/// A call that fails once.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    /// What the call begins with.
    pub(crate) call: String,
    /// What it answers.
    pub(crate) error: Error,
    /// Whether it has its effect all the same.
    pub(crate) when: When,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct FakeCloud(Arc<Mutex<World>>, Arc<Notify>);

impl FakeCloud {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().expect("no test panics while it holds the world")
    }

    /// Makes the next call that begins like this fail, without effect.
    pub(crate) fn fail(&self, call: &str, class: Class) {
        let error = Error::new(class, call, "asked to fail");
        self.world().failures.push(Fault { call: call.to_owned(), error, when: When::Before });
    }

    /// Returns the calls that write, since the last time, but for the release record's.
    pub(crate) fn writes(&self) -> Vec<String> {
        let calls = std::mem::take(&mut self.world().calls);
        let writes = |call: &String| !["Read", "List", "Tags"].iter().any(|read| call.starts_with(read));
        calls.into_iter().filter(writes).filter(|call| !call.ends_with(" release")).collect()
    }

    /// Returns when the caller has died, which revives it.
    pub(crate) async fn death(&self) {
        self.1.notified().await;
        let mut world = self.world();
        (world.dead, world.dies) = (false, None);
    }

    /// Answers a call that only looks.
    async fn look<T>(&self, verb: &str, name: &str, answer: impl FnOnce(&World) -> T) -> Result<T, Error> {
        self.call(verb, name, false, |world| Ok(answer(world))).await
    }

    /// Has the effect of a call that writes.
    async fn write<T>(
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
                    let answer = match fault {
                        None => effect(&mut world),
                        Some(Fault { error, when: When::Before, .. }) => Err(error),
                        Some(Fault { error, when: When::After, .. }) => effect(&mut world).and(Err(error)),
                    };
                    if dies.is_some() { world.die() } else { Some(answer) }
                }
            }
        };
        match answer {
            Some(answer) => answer,
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
    fn fresh(&self) -> Self {
        self.clone()
    }

    async fn last_release(&self) -> Result<Option<Recorded>, Error> {
        self.look("Read", "release", |world| world.releases.last().cloned()).await
    }

    async fn releases(&self) -> Result<Vec<Recorded>, Error> {
        self.look("List", "release", |world| world.releases.clone()).await
    }

    async fn record(&self, release: &Release, first: bool) -> Result<u64, Error> {
        let effect = |world: &mut World| {
            if first && !world.releases.is_empty() {
                return Err(Error::new(Class::Exists, "Record", "there is a record already"));
            }
            let number = world.releases.last().map_or(1, |last| last.number + 1);
            world.releases.push(Recorded { release: release.clone(), number, at: None });
            Ok(number)
        };
        self.write("Record", "release", effect).await
    }

    async fn forget_releases(&self) -> Result<(), Error> {
        let effect = |world: &mut World| {
            world.releases.clear();
            Ok(())
        };
        self.write("Forget", "release", effect).await
    }
}

/// A thing with tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Thing {
    pub(crate) name: String,
    pub(crate) size: u32,
    pub(crate) key: String,
    /// Its parts are bound to it.
    pub(crate) face: u32,
    #[serde(skip)]
    pub(crate) needs: Vec<ResourceId>,
}

impl Thing {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: format!("cart-dev-{name}"), size: 1, key: "k".into(), face: 0, needs: Vec::new() }
    }

    pub(crate) fn needing(mut self, other: &Self) -> Self {
        self.needs.push(ResourceId::new(Self::KIND, other.name.clone()));
        self
    }

    pub(crate) fn size(mut self, size: u32) -> Self {
        self.size = size;
        self
    }
}

impl Resource for Thing {
    type Cloud = FakeCloud;
    const KIND: &'static str = "fake.thing";
    const STANDS_ON: &'static [&'static str] = &[];
    const STATEFUL: bool = true;

    fn name(&self) -> &str {
        &self.name
    }

    fn needs(&self) -> Vec<ResourceId> {
        self.needs.clone()
    }

    fn renews(&self, change: &Change) -> bool {
        change.path == "face"
    }

    fn effect(&self, change: &Change) -> Effect {
        let shrinks = change.desired.as_u64() < change.live.as_u64();
        match change.path.as_str() {
            "key" => Effect::Refuse("copy what is in it to another thing"),
            "size" if shrinks => Effect::InPlace(Risk::LosesData),
            _ => Effect::InPlace(Risk::Safe),
        }
    }

    fn permissions(_scope: &Scope) -> Vec<Statement> {
        Vec::new()
    }

    async fn read(&self, cloud: &FakeCloud) -> Result<Option<Live<Self>>, Error> {
        let found = cloud.look("Read", &self.name, |world| world.things.get(&self.name).cloned()).await?;
        Ok(found.map(|(resource, tags)| Live { resource, tags: Some(tags) }))
    }

    async fn create(&self, tags: &Tags, cloud: &FakeCloud) -> Result<(), Error> {
        let effect = |world: &mut World| {
            let tags = if world.forgets_tags { Tags::new() } else { tags.clone() };
            match world.things.get(&self.name) {
                // An attempt cut short made it.
                Some((_, live)) if scope().owns(live) || live.is_empty() => {}
                Some(_) => return Err(Error::new(Class::Exists, "Create", "somebody made it meanwhile")),
                None => drop(world.things.insert(self.name.clone(), (self.clone(), tags))),
            }
            Ok(())
        };
        cloud.write("Create", &self.name, effect).await?;
        match Resource::read(self, cloud).await? {
            Some(live) if live.resource.size != self.size => self.update(&live.resource, cloud).await,
            _ => Ok(()),
        }
    }

    async fn update(&self, _live: &Self, cloud: &FakeCloud) -> Result<(), Error> {
        let effect = |world: &mut World| {
            let (thing, _) = world.things.get_mut(&self.name).expect("what is updated exists");
            *thing = self.clone();
            Ok(())
        };
        cloud.write("Update", &self.name, effect).await
    }

    async fn tag(&self, tags: &Tags, cloud: &FakeCloud) -> Result<(), Error> {
        let effect = |world: &mut World| {
            let (_, live) = world.things.get_mut(&self.name).expect("what is tagged exists");
            live.extend(tags.clone());
            Ok(())
        };
        cloud.write("Tag", &self.name, effect).await
    }

    async fn delete(name: &str, cloud: &FakeCloud) -> Result<(), Error> {
        let effect = |world: &mut World| {
            world.things.remove(name);
            Ok(())
        };
        cloud.write("Delete", name, effect).await
    }

    async fn list(scope: &Scope, cloud: &FakeCloud) -> Result<Vec<String>, Error> {
        let ours = |name: &&String| name.starts_with(&scope.prefix());
        cloud.look("List", Self::KIND, |world| world.things.keys().filter(ours).cloned().collect()).await
    }

    async fn tags(name: &str, cloud: &FakeCloud) -> Result<Option<Tags>, Error> {
        cloud.look("Tags", name, |world| world.things.get(name).map(|(_, tags)| tags.clone())).await
    }
}

/// A part of a thing, without tags: it can only be made anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) speed: u32,
    #[serde(skip)]
    pub(crate) of: String,
}

impl Part {
    pub(crate) fn of(thing: &Thing) -> Self {
        Self { name: format!("{}/part", thing.name), speed: 1, of: thing.name.clone() }
    }

    pub(crate) fn speed(mut self, speed: u32) -> Self {
        self.speed = speed;
        self
    }
}

impl Resource for Part {
    type Cloud = FakeCloud;
    const KIND: &'static str = "fake.part";
    const STANDS_ON: &'static [&'static str] = &["fake.thing"];

    fn name(&self) -> &str {
        &self.name
    }

    fn parent(&self) -> Option<ResourceId> {
        Some(ResourceId::new(Thing::KIND, self.of.clone()))
    }

    fn bound_to(&self) -> Option<ResourceId> {
        Resource::parent(self)
    }

    fn effect(&self, _change: &Change) -> Effect {
        Effect::Recreate(Risk::LosesPosition)
    }

    fn permissions(_scope: &Scope) -> Vec<Statement> {
        Vec::new()
    }

    async fn read(&self, cloud: &FakeCloud) -> Result<Option<Live<Self>>, Error> {
        let found = cloud.look("Read", &self.name, |world| world.parts.get(&self.name).cloned()).await?;
        Ok(found.map(|resource| Live { resource, tags: None }))
    }

    async fn create(&self, _tags: &Tags, cloud: &FakeCloud) -> Result<(), Error> {
        let effect = |world: &mut World| {
            assert!(world.things.contains_key(&self.of), "a part is made after its thing");
            world.parts.insert(self.name.clone(), self.clone());
            Ok(())
        };
        cloud.write("Create", &self.name, effect).await
    }

    async fn update(&self, _live: &Self, _cloud: &FakeCloud) -> Result<(), Error> {
        unreachable!("a part can only be made anew")
    }

    async fn tag(&self, _tags: &Tags, _cloud: &FakeCloud) -> Result<(), Error> {
        unreachable!("a part has no tags")
    }

    async fn delete(name: &str, cloud: &FakeCloud) -> Result<(), Error> {
        let effect = |world: &mut World| {
            world.parts.remove(name);
            Ok(())
        };
        cloud.write("Delete", name, effect).await
    }

    async fn list(scope: &Scope, cloud: &FakeCloud) -> Result<Vec<String>, Error> {
        let ours = |name: &&String| name.starts_with(&scope.prefix());
        cloud.look("List", Self::KIND, |world| world.parts.keys().filter(ours).cloned().collect()).await
    }

    async fn tags(name: &str, cloud: &FakeCloud) -> Result<Option<Tags>, Error> {
        let of_its_thing = |world: &World| {
            let part = world.parts.get(name)?;
            world.things.get(&part.of).map(|(_, tags)| tags.clone())
        };
        cloud.look("Tags", name, of_its_thing).await
    }
}

pub(crate) fn scope() -> Scope {
    Scope {
        stack: "cart".into(),
        environment: "dev".into(),
        account: "111111111111".into(),
        region: "eu-central-1".into(),
        extra_tags: Default::default(),
    }
}

pub(crate) fn stack() -> Stack<FakeCloud> {
    Stack::new(scope(), vec![Kind::of::<Thing>(), Kind::of::<Part>()])
}

/// Looks and plans.
pub(crate) async fn planned(stack: &Stack<FakeCloud>, cloud: &FakeCloud) -> (Survey, Plan) {
    planned_with(stack, cloud, &Wishes::default()).await
}

/// Looks and plans what the caller wishes.
pub(crate) async fn planned_with(
    stack: &Stack<FakeCloud>,
    cloud: &FakeCloud,
    wishes: &Wishes,
) -> (Survey, Plan) {
    let survey = survey(stack, cloud).await;
    let plan = plan(stack, &survey, wishes);
    (survey, plan)
}

/// Looks, plans and applies; returns the report.
pub(crate) async fn up(stack: &Stack<FakeCloud>, cloud: &FakeCloud) -> Report {
    up_with(stack, cloud, &Wishes::default()).await.expect("no other run is at work")
}

/// Looks, plans what the caller wishes, says so in the record, applies, and says how it ended.
pub(crate) async fn up_with(
    stack: &Stack<FakeCloud>,
    cloud: &FakeCloud,
    wishes: &Wishes,
) -> Result<Report, Error> {
    let (survey, plan) = planned_with(stack, cloud, wishes).await;
    let entry = Run::entry(&plan, survey.last_release(), None, "somebody".into());
    let run = Run::begin(cloud, survey.recorded.as_ref(), entry).await?;
    let report = apply(&plan, stack, &survey, cloud, &Default::default(), |_| {}).await;
    match run.end(cloud, &report).await? {
        None => Ok(report),
        Some(other) => Err(Error::other("release record", format!("{} was at work", other.by))),
    }
}

/// Looks at everything of ours and removes it, the record last.
pub(crate) async fn down(cloud: &FakeCloud) -> Report {
    let stack = stack();
    let survey = survey(&stack, cloud).await;
    let plan = teardown(&stack.scope, &stack.kinds, &survey);
    if let Some(last) = &survey.recorded {
        let entry = Run::entry(&plan, Some(&last.release), None, "somebody".into());
        let entry = Release { state: State::Removing, deployed: Default::default(), ..entry };
        Run::begin(cloud, Some(last), entry).await.expect("no other run is at work");
    }
    let report = apply(&plan, &stack, &survey, cloud, &Default::default(), |_| {}).await;
    if report.succeeded() {
        retried(async || cloud.forget_releases().await).await.expect("what passes is tried again");
    }
    report
}
