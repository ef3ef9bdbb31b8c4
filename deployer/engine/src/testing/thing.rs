//! A fake kind with tags and data.

use crate::error::{Class, Error};
use crate::resource::{Changed, Effect, ImportId, KindInfo, Live, Resource, ResourceId, Risk, Tags, changed};
use crate::scope::Scope;
use serde::{Deserialize, Serialize};
use struct_to_enum::FieldName;

use super::{FakeCloud, World, scope};

/// A fake resource with tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FieldName)]
#[stem_name_derive(PartialOrd, Ord, Deserialize)]
#[stem_name_attr(serde(rename_all = "snake_case"))]
pub struct Thing {
    /// The name.
    pub name: String,
    /// A setting whose decrease loses data.
    pub size: u32,
    /// A setting that cannot be changed.
    pub key: String,
    /// A setting whose change replaces the resource for its parts.
    pub face: u32,
    /// The resources that have to exist first.
    #[serde(skip)]
    #[stem_name(skip)]
    pub needs: Vec<ResourceId>,
}

impl Thing {
    /// Returns the thing of this name, with the prefix of the scope.
    pub fn new(name: &str) -> Self {
        Self { name: format!("demo-dev-{name}"), size: 1, key: "k".into(), face: 0, needs: Vec::new() }
    }

    /// Returns the thing, to be created after another one.
    pub fn needing(mut self, other: &Self) -> Self {
        self.needs.push(ResourceId::new(Self::KIND, other.name.clone()));
        self
    }

    /// Returns the thing with this size.
    pub fn size(mut self, size: u32) -> Self {
        self.size = size;
        self
    }
}

impl Resource for Thing {
    type Cloud = FakeCloud;
    type Field = ThingFieldName;
    const INFO: KindInfo = KindInfo { stateful: true, ..KindInfo::new("fake.thing") };

    fn name(&self) -> &str {
        &self.name
    }

    fn needs(&self) -> Vec<ResourceId> {
        self.needs.clone()
    }

    fn renews(&self, field: ThingFieldName) -> bool {
        field == ThingFieldName::Face
    }

    fn import_ids(&self) -> Vec<ImportId> {
        vec![ImportId::new("fake_thing", &self.name)]
    }

    fn effect(&self, field: ThingFieldName, live: &Self) -> Effect {
        match field {
            ThingFieldName::Key => Effect::Refuse("copy its data to another resource"),
            ThingFieldName::Size if self.size < live.size => Effect::InPlace(Risk::LosesData),
            ThingFieldName::Name | ThingFieldName::Size | ThingFieldName::Face => Effect::InPlace(Risk::Safe),
        }
    }

    fn permissions(_scope: &Scope) -> Vec<String> {
        Vec::new()
    }

    async fn read(&self, cloud: &FakeCloud) -> Result<Option<Live<Self>>, Error> {
        let look = |world: &World| {
            let (resource, tags) = world.things.get(&self.name).cloned()?;
            let identity = world.made.get(&self.name).map(ToString::to_string);
            Some(Live { resource, tags: Some(tags), identity })
        };
        cloud.look("Read", &self.name, look).await
    }

    async fn create(&self, tags: &Tags, cloud: &FakeCloud) -> Result<(), Error> {
        self.build(cloud).await?;
        let effect = |world: &mut World| {
            let tags = if world.forgets_tags { Tags::new() } else { tags.clone() };
            match world.things.get(&self.name) {
                // An interrupted attempt created it.
                Some((_, live)) if scope().owns(live) || live.is_empty() => {}
                Some(_) => {
                    return Err(Error::new(
                        Class::Exists,
                        "Create",
                        "created by another caller in the meantime",
                    ));
                }
                None => {
                    world.things.insert(self.name.clone(), (self.clone(), tags));
                    world.serial += 1;
                    world.made.insert(self.name.clone(), world.serial);
                }
            }
            Ok(())
        };
        cloud.write("Create", &self.name, effect).await?;
        match Resource::read(self, cloud).await? {
            Some(live) if live.resource.size != self.size => {
                self.update(&live.resource, &changed(&live.resource, self), cloud).await
            }
            _ => Ok(()),
        }
    }

    async fn ready(&self, cloud: &FakeCloud) -> Result<(), Error> {
        cloud.look("Ready", &self.name, |_| ()).await
    }

    async fn update(&self, _live: &Self, _changed: &Changed<Self>, cloud: &FakeCloud) -> Result<(), Error> {
        self.build(cloud).await?;
        let effect = |world: &mut World| {
            let (thing, _) = world.things.get_mut(&self.name).expect("an updated resource exists");
            *thing = self.clone();
            Ok(())
        };
        cloud.write("Update", &self.name, effect).await
    }

    async fn tag(&self, tags: &Tags, cloud: &FakeCloud) -> Result<(), Error> {
        let effect = |world: &mut World| {
            let (_, live) = world.things.get_mut(&self.name).expect("a tagged resource exists");
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

impl Thing {
    /// Reads the sources before anything is sent, as a build of a function does.
    async fn build(&self, cloud: &FakeCloud) -> Result<(), Error> {
        cloud.look("Read", &format!("sources of {}", self.name), |_| ()).await
    }
}
