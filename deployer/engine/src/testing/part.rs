//! A fake kind without tags: a part of a thing, which can only be recreated.

use crate::error::Error;
use crate::resource::{Changed, Effect, ImportId, KindInfo, Live, Resource, ResourceId, Risk, Tags};
use crate::scope::Scope;
use serde::{Deserialize, Serialize};
use struct_to_enum::FieldName;

use super::{FakeCloud, Thing, World};

/// A part of a thing, without tags, which can only be recreated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FieldName)]
#[stem_name_derive(PartialOrd, Ord, Deserialize)]
#[stem_name_attr(serde(rename_all = "snake_case"))]
pub struct Part {
    /// The name: the name of its thing, and `/part`.
    pub name: String,
    /// A setting.
    pub speed: u32,
    /// The name of its thing.
    #[serde(skip)]
    #[stem_name(skip)]
    pub of: String,
    /// The thing that it reads, if that is not its own.
    #[serde(skip)]
    #[stem_name(skip)]
    pub reads: Option<String>,
}

impl Part {
    /// Returns the part of a thing.
    pub fn of(thing: &Thing) -> Self {
        Self { name: format!("{}/part", thing.name), speed: 1, of: thing.name.clone(), reads: None }
    }

    /// Returns the part bound to another thing.
    pub fn reading(mut self, thing: &Thing) -> Self {
        self.reads = Some(thing.name.clone());
        self
    }

    /// Returns the part with this setting.
    pub fn speed(mut self, speed: u32) -> Self {
        self.speed = speed;
        self
    }
}

impl Resource for Part {
    type Cloud = FakeCloud;
    type Field = PartFieldName;
    const INFO: KindInfo =
        KindInfo { depends_on: &["fake.thing"], disables: true, ..KindInfo::new("fake.part") };

    fn name(&self) -> &str {
        &self.name
    }

    fn parent(&self) -> Option<ResourceId> {
        Some(ResourceId::new(Thing::KIND, self.of.clone()))
    }

    fn bound_to(&self) -> Option<ResourceId> {
        let reads = self.reads.as_ref().unwrap_or(&self.of);
        Some(ResourceId::new(Thing::KIND, reads.clone()))
    }

    fn import_ids(&self) -> Vec<ImportId> {
        vec![ImportId::new("fake_part", &self.name)]
    }

    fn effect(&self, _field: PartFieldName, _live: &Self) -> Effect {
        Effect::Recreate(Risk::LosesPosition)
    }

    fn permissions(_scope: &Scope) -> Vec<String> {
        Vec::new()
    }

    async fn read(&self, cloud: &FakeCloud) -> Result<Option<Live<Self>>, Error> {
        let found = cloud.look("Read", &self.name, |world| world.parts.get(&self.name).cloned()).await?;
        Ok(found.map(|resource| Live { resource, tags: None, identity: None }))
    }

    async fn create(&self, _tags: &Tags, cloud: &FakeCloud) -> Result<(), Error> {
        let effect = |world: &mut World| {
            assert!(world.things.contains_key(&self.of), "a part is created after its thing");
            world.parts.insert(self.name.clone(), self.clone());
            Ok(())
        };
        cloud.write("Create", &self.name, effect).await
    }

    async fn update(&self, _live: &Self, _changed: &Changed<Self>, _cloud: &FakeCloud) -> Result<(), Error> {
        unreachable!("a part can only be recreated")
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

    async fn activity(name: &str, cloud: &FakeCloud) -> Result<Option<&'static str>, Error> {
        let idle = cloud.look("Read", name, |world| world.idle.contains(name)).await?;
        Ok((!idle).then_some("still works"))
    }

    async fn disable(name: &str, tags: &Tags, cloud: &FakeCloud) -> Result<(), Error> {
        let effect = |world: &mut World| {
            let thing = world.parts.get(name).and_then(|part| world.things.get_mut(&part.of));
            thing.into_iter().for_each(|(_, of_thing)| of_thing.extend(tags.clone()));
            world.idle.insert(name.to_owned());
            Ok(())
        };
        cloud.write("Disable", name, effect).await
    }

    async fn tags(name: &str, cloud: &FakeCloud) -> Result<Option<Tags>, Error> {
        let of_its_thing = |world: &World| {
            let part = world.parts.get(name)?;
            world.things.get(&part.of).map(|(_, tags)| tags.clone())
        };
        cloud.look("Tags", name, of_its_thing).await
    }
}
