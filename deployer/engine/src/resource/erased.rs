//! The type-erased forms of resources, for the planner, the executor and the survey.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt, TryFutureExt};
use serde_json::Value;

use super::field::{field_of, state_of};
use super::{Changed, Cloud, Effect, ImportId, KindInfo, Live, Neighbours, Resource, ResourceId, Risk, Tags};
use crate::change::Change;
use crate::error::Error;
use crate::scope::Scope;

/// A desired resource, as the pure planner uses it.
pub trait Described: Any + Send + Sync {
    /// Returns the resource's id.
    fn id(&self) -> ResourceId;
    /// See [`Resource::needs`].
    fn needs(&self) -> Vec<ResourceId>;
    /// See [`Resource::parent`].
    fn parent(&self) -> Option<ResourceId>;
    /// See [`Resource::effect`].
    fn effect(&self, change: &Change, live: &LiveResource) -> Effect;
    /// See [`Resource::INFO`].
    fn info(&self) -> KindInfo;
    /// See [`Resource::bound_to`].
    fn bound_to(&self) -> Option<ResourceId>;
    /// See [`Resource::renews`].
    fn renews(&self, change: &Change) -> bool;
    /// See [`Resource::mistakes`].
    fn mistakes(&self, stack: &Neighbours<'_>) -> Vec<String>;
    /// See [`Resource::arn`].
    fn arn(&self) -> Option<&str>;
    /// See [`Resource::import_ids`].
    fn import_ids(&self) -> Vec<ImportId>;
    /// Returns the desired state as JSON.
    fn state(&self) -> Value;
}

/// A live resource of any kind.
#[derive(Clone)]
pub struct LiveResource {
    /// The live state as JSON, for the plan.
    pub state: Value,
    /// The live tags; `None` for a kind with a parent.
    pub tags: Option<Tags>,
    /// See [`Live::identity`].
    pub identity: Option<String>,
    /// The live state in its own type.
    typed: Arc<dyn Described>,
}

impl LiveResource {
    /// Returns a live resource with its state as JSON.
    pub fn new<R: Resource>(live: Live<R>) -> Self {
        let Live { resource, tags, identity } = live;
        Self { state: state_of(&resource), tags, identity, typed: Arc::new(resource) }
    }

    /// See [`Resource::import_ids`].
    pub fn import_ids(&self) -> Vec<ImportId> {
        self.typed.import_ids()
    }

    fn of_kind<R: Resource>(&self) -> &R {
        let typed: &dyn Any = &*self.typed;
        typed.downcast_ref().expect("a live state is compared only with a resource of its kind")
    }
}

impl fmt::Debug for LiveResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveResource")
            .field("state", &self.state)
            .field("tags", &self.tags)
            .finish_non_exhaustive()
    }
}

/// A desired resource of any kind, as the executor uses it.
pub trait Node<C>: Described {
    /// See [`Resource::read`].
    fn read<'a>(&'a self, cloud: &'a C) -> BoxFuture<'a, Result<Option<LiveResource>, Error>>;
    /// See [`Resource::create`].
    fn create<'a>(&'a self, tags: &'a Tags, cloud: &'a C) -> BoxFuture<'a, Result<(), Error>>;
    /// See [`Resource::ready`].
    fn ready<'a>(&'a self, cloud: &'a C) -> BoxFuture<'a, Result<(), Error>>;
    /// See [`Resource::update`].
    fn update<'a>(
        &'a self,
        live: &'a LiveResource,
        changes: &'a [Change],
        cloud: &'a C,
    ) -> BoxFuture<'a, Result<(), Error>>;
    /// See [`Resource::tag`].
    fn tag<'a>(&'a self, tags: &'a Tags, cloud: &'a C) -> BoxFuture<'a, Result<(), Error>>;
}

impl<R: Resource> Described for R {
    fn id(&self) -> ResourceId {
        ResourceId::new(R::KIND, self.name())
    }

    fn needs(&self) -> Vec<ResourceId> {
        Resource::needs(self)
    }

    fn parent(&self) -> Option<ResourceId> {
        Resource::parent(self)
    }

    fn effect(&self, change: &Change, live: &LiveResource) -> Effect {
        match field_of::<R>(change) {
            Some(field) => Resource::effect(self, field, live.of_kind()),
            None => Effect::InPlace(Risk::Safe),
        }
    }

    fn info(&self) -> KindInfo {
        R::INFO
    }

    fn bound_to(&self) -> Option<ResourceId> {
        Resource::bound_to(self)
    }

    fn renews(&self, change: &Change) -> bool {
        field_of::<R>(change).is_some_and(|field| Resource::renews(self, field))
    }

    fn mistakes(&self, stack: &Neighbours<'_>) -> Vec<String> {
        Resource::mistakes(self, stack)
    }

    fn arn(&self) -> Option<&str> {
        Resource::arn(self)
    }

    fn import_ids(&self) -> Vec<ImportId> {
        Resource::import_ids(self)
    }

    fn state(&self) -> Value {
        state_of(self)
    }
}

impl<R: Resource> Node<R::Cloud> for R {
    fn read<'a>(&'a self, cloud: &'a R::Cloud) -> BoxFuture<'a, Result<Option<LiveResource>, Error>> {
        async move { Ok(Resource::read(self, cloud).await?.map(LiveResource::new)) }.boxed()
    }

    fn create<'a>(&'a self, tags: &'a Tags, cloud: &'a R::Cloud) -> BoxFuture<'a, Result<(), Error>> {
        // A resource that is not found here was created by an earlier call of the same creation, or just
        // before by another step.
        Resource::create(self, tags, cloud).map_err(Error::of_newborn).boxed()
    }

    fn ready<'a>(&'a self, cloud: &'a R::Cloud) -> BoxFuture<'a, Result<(), Error>> {
        Resource::ready(self, cloud).boxed()
    }

    fn update<'a>(
        &'a self,
        live: &'a LiveResource,
        changes: &'a [Change],
        cloud: &'a R::Cloud,
    ) -> BoxFuture<'a, Result<(), Error>> {
        let changed: Changed<R> = changes.iter().filter_map(field_of::<R>).collect();
        async move { Resource::update(self, live.of_kind(), &changed, cloud).await }.boxed()
    }

    fn tag<'a>(&'a self, tags: &'a Tags, cloud: &'a R::Cloud) -> BoxFuture<'a, Result<(), Error>> {
        // The stamp is written last after the creation.
        Resource::tag(self, tags, cloud).map_err(Error::of_newborn).boxed()
    }
}

type ListFn<C> = for<'a> fn(&'a Scope, &'a C) -> BoxFuture<'a, Result<Vec<String>, Error>>;
type TagsFn<C> = for<'a> fn(&'a str, &'a C) -> BoxFuture<'a, Result<Option<Tags>, Error>>;
type PermissionsFn<C> = fn(&Scope) -> Vec<<C as Cloud>::Permission>;
type DeleteFn<C> = for<'a> fn(&'a str, &'a C) -> BoxFuture<'a, Result<(), Error>>;
type ActivityFn<C> = for<'a> fn(&'a str, &'a C) -> BoxFuture<'a, Result<Option<&'static str>, Error>>;
type DisableFn<C> = for<'a> fn(&'a str, &'a Tags, &'a C) -> BoxFuture<'a, Result<(), Error>>;

/// A kind of resource, type-erased: the operations on resources that are not in the stack.
pub struct Kind<C: Cloud> {
    /// See [`Resource::INFO`].
    pub info: KindInfo,
    /// See [`Resource::permissions`].
    pub permissions: PermissionsFn<C>,
    /// See [`Resource::list`].
    pub list: ListFn<C>,
    /// See [`Resource::tags`].
    pub tags: TagsFn<C>,
    /// See [`Resource::delete`].
    pub delete: DeleteFn<C>,
    /// See [`Resource::activity`].
    pub activity: ActivityFn<C>,
    /// See [`Resource::disable`]; `None` for a kind that cannot be disabled.
    pub disable: Option<DisableFn<C>>,
}

impl<C: Cloud> Clone for Kind<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C: Cloud> Copy for Kind<C> {}

impl<C: Cloud> Kind<C> {
    /// Returns the kind of `R`.
    pub fn of<R: Resource<Cloud = C>>() -> Self {
        Self {
            info: R::INFO,
            permissions: R::permissions,
            list: |scope, cloud| R::list(scope, cloud).boxed(),
            tags: |name, cloud| R::tags(name, cloud).boxed(),
            delete: |name, cloud| R::delete(name, cloud).boxed(),
            activity: |name, cloud| R::activity(name, cloud).boxed(),
            disable: R::INFO.disables.then_some(|name, tags, cloud| R::disable(name, tags, cloud).boxed()),
        }
    }
}
