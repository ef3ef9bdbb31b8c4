//! A cloud in memory, and two kinds of things in it: one with tags, one with a parent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use deployer::error::{Class, Error};
use deployer::policy::Statement;
use deployer::resource::{Cloud, Effect, Kind, Live, Resource, ResourceId, Risk, Tags};
use deployer::scope::Scope;
use deployer::stack::Stack;
use deployer::{diff::Change, plan, survey};
use serde::Serialize;

/// What is in the cloud, and what was asked of it.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) things: BTreeMap<String, (Thing, Tags)>,
    pub(crate) parts: BTreeMap<String, Part>,
    /// Every call, as `Verb name`.
    pub(crate) calls: Vec<String>,
    /// What each call that begins like this answers, once.
    pub(crate) failures: Vec<(String, Error)>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct FakeCloud(Arc<Mutex<World>>);

impl FakeCloud {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().expect("no test panics while it holds the world")
    }

    /// Makes the next call that begins like this fail.
    pub(crate) fn fail(&self, call: &str, class: Class) {
        self.world().failures.push((call.to_owned(), Error::new(class, call, "asked to fail")));
    }

    /// Returns the calls that write, since the last time.
    pub(crate) fn writes(&self) -> Vec<String> {
        let calls = std::mem::take(&mut self.world().calls);
        calls
            .into_iter()
            .filter(|call| !["Read", "List", "Tags"].iter().any(|read| call.starts_with(read)))
            .collect()
    }

    fn call(&self, verb: &str, name: &str) -> Result<MutexGuard<'_, World>, Error> {
        let call = format!("{verb} {name}");
        let mut world = self.world();
        world.calls.push(call.clone());
        match world.failures.iter().position(|(failing, _)| call.starts_with(failing.as_str())) {
            Some(position) => Err(world.failures.remove(position).1),
            None => Ok(world),
        }
    }
}

impl Cloud for FakeCloud {
    fn fresh(&self) -> Self {
        self.clone()
    }
}

/// A thing with tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Thing {
    pub(crate) name: String,
    pub(crate) size: u32,
    pub(crate) key: String,
    #[serde(skip)]
    pub(crate) needs: Vec<ResourceId>,
}

impl Thing {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: format!("cart-dev-{name}"), size: 1, key: "k".into(), needs: Vec::new() }
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
        let world = cloud.call("Read", &self.name)?;
        let found = world.things.get(&self.name).cloned();
        Ok(found.map(|(resource, tags)| Live { resource, tags: Some(tags) }))
    }

    async fn create(&self, tags: &Tags, cloud: &FakeCloud) -> Result<(), Error> {
        let mut world = cloud.call("Create", &self.name)?;
        world.things.insert(self.name.clone(), (self.clone(), tags.clone()));
        Ok(())
    }

    async fn update(&self, _live: &Self, cloud: &FakeCloud) -> Result<(), Error> {
        let mut world = cloud.call("Update", &self.name)?;
        let (thing, _) = world.things.get_mut(&self.name).expect("what is updated exists");
        *thing = self.clone();
        Ok(())
    }

    async fn tag(&self, tags: &Tags, cloud: &FakeCloud) -> Result<(), Error> {
        let mut world = cloud.call("Tag", &self.name)?;
        let (_, live) = world.things.get_mut(&self.name).expect("what is tagged exists");
        live.extend(tags.clone());
        Ok(())
    }

    async fn delete(name: &str, cloud: &FakeCloud) -> Result<(), Error> {
        cloud.call("Delete", name)?.things.remove(name);
        Ok(())
    }

    async fn list(scope: &Scope, cloud: &FakeCloud) -> Result<Vec<String>, Error> {
        let world = cloud.call("List", Self::KIND)?;
        Ok(world.things.keys().filter(|name| name.starts_with(&scope.prefix())).cloned().collect())
    }

    async fn tags(name: &str, cloud: &FakeCloud) -> Result<Option<Tags>, Error> {
        Ok(cloud.call("Tags", name)?.things.get(name).map(|(_, tags)| tags.clone()))
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

    fn effect(&self, _change: &Change) -> Effect {
        Effect::Recreate(Risk::LosesPosition)
    }

    fn permissions(_scope: &Scope) -> Vec<Statement> {
        Vec::new()
    }

    async fn read(&self, cloud: &FakeCloud) -> Result<Option<Live<Self>>, Error> {
        let world = cloud.call("Read", &self.name)?;
        Ok(world.parts.get(&self.name).map(|part| Live { resource: part.clone(), tags: None }))
    }

    async fn create(&self, _tags: &Tags, cloud: &FakeCloud) -> Result<(), Error> {
        let mut world = cloud.call("Create", &self.name)?;
        assert!(world.things.contains_key(&self.of), "a part is made after its thing");
        world.parts.insert(self.name.clone(), self.clone());
        Ok(())
    }

    async fn update(&self, _live: &Self, _cloud: &FakeCloud) -> Result<(), Error> {
        unreachable!("a part can only be made anew")
    }

    async fn tag(&self, _tags: &Tags, _cloud: &FakeCloud) -> Result<(), Error> {
        unreachable!("a part has no tags")
    }

    async fn delete(name: &str, cloud: &FakeCloud) -> Result<(), Error> {
        cloud.call("Delete", name)?.parts.remove(name);
        Ok(())
    }

    async fn list(scope: &Scope, cloud: &FakeCloud) -> Result<Vec<String>, Error> {
        let world = cloud.call("List", Self::KIND)?;
        Ok(world.parts.keys().filter(|name| name.starts_with(&scope.prefix())).cloned().collect())
    }

    async fn tags(name: &str, cloud: &FakeCloud) -> Result<Option<Tags>, Error> {
        let world = cloud.call("Tags", name)?;
        let of = world.parts.get(name).map(|part| part.of.clone());
        Ok(of.and_then(|of| world.things.get(&of).map(|(_, tags)| tags.clone())))
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
pub(crate) async fn planned(stack: &Stack<FakeCloud>, cloud: &FakeCloud) -> (survey::Survey, plan::Plan) {
    let survey = survey::survey(stack, cloud).await;
    let plan = plan::plan(&stack.scope, &stack.described(), &survey);
    (survey, plan)
}

/// Looks, plans and applies; returns the report.
pub(crate) async fn up(stack: &Stack<FakeCloud>, cloud: &FakeCloud) -> deployer::apply::Report {
    let (survey, plan) = planned(stack, cloud).await;
    deployer::apply::apply(&plan, stack, &survey, cloud, &Default::default(), |_| {}).await
}

/// Looks at everything of ours and removes it.
pub(crate) async fn down(cloud: &FakeCloud) -> deployer::apply::Report {
    let stack = stack();
    let survey = survey::survey(&stack, cloud).await;
    let plan = plan::teardown(&stack.scope, &stack.kinds, &survey);
    deployer::apply::apply(&plan, &stack, &survey, cloud, &Default::default(), |_| {}).await
}
