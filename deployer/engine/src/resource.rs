//! The trait of a kind of resource, and its type-erased forms, which the engine works with.
//!
//! A resource is a plain serialisable struct with the desired settings. Reading fills the same struct with
//! the live settings, so one generic comparison serves all kinds. Nothing here knows AWS: the cloud is a type
//! parameter, and the engine's tests use a fake.

mod erased;
mod field;
mod import;
mod neighbours;

pub use erased::{Described, Kind, LiveResource, Node};
pub use field::{Changed, Field, changed, field_of};
pub use import::ImportId;
pub use neighbours::Neighbours;

use std::fmt;
use std::future::Future;
use std::time::Duration;

use serde::{Serialize, Serializer};

pub use crate::change::Risk;
use crate::error::Error;
use crate::scope::Scope;
pub use crate::scope::Tags;

/// Identifies a resource within an environment: `lambda.function/demo-dev-add-item`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId {
    kind: &'static str,
    name: String,
}

impl ResourceId {
    /// Returns the id of the resource of this kind and name.
    pub fn new(kind: &'static str, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }

    /// Returns the kind: service and noun, as in `dynamodb.table`.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Returns the name in the cloud.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

impl Serialize for ResourceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The live state of one resource.
#[derive(Debug, Clone)]
pub struct Live<R> {
    /// The live settings, in the same type as the desired settings.
    pub resource: R,
    /// All its tags; `None` for a kind that takes owner and stamp from its parent.
    pub tags: Option<Tags>,
    /// The value that the cloud assigns at creation and never to another resource of the same name: an id, or
    /// the creation time. `None` where the cloud has no such value.
    pub identity: Option<String>,
}

/// What it takes to apply one change to a live resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The cloud changes it in place.
    InPlace(Risk),
    /// The resource has to be deleted and created again; only for kinds without data.
    Recreate(Risk),
    /// The deployer does not apply it; the text says what an operator can do.
    Refuse(&'static str),
}

/// The properties that all resources of a kind share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindInfo {
    /// Service and noun: `dynamodb.table`.
    pub name: &'static str,
    /// The kinds that resources of this kind use while they exist. A resource is deleted only after all
    /// resources of the kinds that use its kind.
    pub depends_on: &'static [&'static str],
    /// Whether it holds data that cannot be created again.
    pub stateful: bool,
    /// How long the cloud may take to show an accepted change, in addition to the waits of `create` and
    /// `update`.
    pub settles_within: Duration,
    /// The read operations for resources of this kind that the crate of the cloud does not list itself:
    /// read-only commands send no others.
    pub read_operations: &'static [&'static str],
    /// Whether a resource of this kind can be disabled, which stops its own activity.
    pub disables: bool,
    /// The settings of this kind that are not compared.
    pub left_out: &'static [LeftOut],
}

impl KindInfo {
    /// Returns a kind without data that uses no other kind and compares all settings.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            depends_on: &[],
            stateful: false,
            settles_within: Duration::from_secs(30),
            read_operations: &[],
            disables: false,
            left_out: &[],
        }
    }
}

/// A setting of a kind that is not compared, and the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct LeftOut {
    /// The cloud's name for it: `resource policy`.
    pub what: &'static str,
    /// Why it is not compared, as a lowercase fragment.
    pub why: &'static str,
}

/// The cloud in which resources live: its clients, and caches of a survey.
pub trait Cloud: Clone + Send + Sync + 'static {
    /// A permission that a caller needs, in the form of this cloud.
    type Permission: 'static;

    /// Returns the same cloud with empty caches, for example of listings that many resources share. The
    /// default is for a cloud without caches.
    fn fresh(&self) -> Self {
        self.clone()
    }
}

/// One kind of resource. `CONTRIBUTING.md` defines the order of its file.
///
/// Every method makes one attempt. The executor retries errors whose [`Error::class`] passes by itself, so no
/// resource has a retry loop of its own; waiting for a state is the task of the kind.
pub trait Resource: Serialize + Send + Sync + Sized + 'static {
    /// The cloud of this kind.
    type Cloud: Cloud;

    /// The fields of this struct that are compared; see [`Field`] for how to derive them.
    type Field: Field;

    /// The properties of this kind.
    const INFO: KindInfo;

    /// The name of the kind; not to be overridden.
    const KIND: &'static str = Self::INFO.name;

    /// Returns the name, unique within the kind.
    fn name(&self) -> &str;

    /// Returns the resources that have to exist before this one can be created.
    fn needs(&self) -> Vec<ResourceId> {
        Vec::new()
    }

    /// Returns the parent whose tags hold owner and stamp, for a resource without tags.
    fn parent(&self) -> Option<ResourceId> {
        None
    }

    /// Returns the address in the cloud, where it can be derived (AWS: the ARN).
    fn arn(&self) -> Option<&str> {
        None
    }

    /// Returns the ids under which another tool imports this resource, one for each object that the tool has
    /// for it. Called on the live state, so it may use what only the cloud knows, and leaves out parts that
    /// are not set. Without a value that the cloud assigns, it returns nothing. The default is for a cloud
    /// that no other tool manages.
    fn import_ids(&self) -> Vec<ImportId> {
        Vec::new()
    }

    /// Returns what it takes to change this field of `live` to its value in `self`.
    fn effect(&self, _field: Self::Field, _live: &Self) -> Effect {
        Effect::InPlace(Risk::Safe)
    }

    /// Returns the resource that this one is bound to: when that resource is replaced, this one has to be
    /// recreated.
    fn bound_to(&self) -> Option<ResourceId> {
        None
    }

    /// Returns whether a change of this field replaces the resource, for resources that are bound to it.
    fn renews(&self, _field: Self::Field) -> bool {
        false
    }

    /// Returns the mistakes that can be found offline: settings that the cloud would reject, or accept and
    /// ignore. One lowercase sentence each.
    fn mistakes(&self, _stack: &Neighbours<'_>) -> Vec<String> {
        Vec::new()
    }

    /// Returns the permissions that the methods below need, for resources of this kind in the scope.
    fn permissions(scope: &Scope) -> Vec<<Self::Cloud as Cloud>::Permission>;

    /// Reads the live state; `None` if the resource does not exist.
    fn read(&self, cloud: &Self::Cloud) -> impl Future<Output = Result<Option<Live<Self>>, Error>> + Send;

    /// Creates the resource, tagged with `tags` at once where the cloud allows that, and returns when it can
    /// be used. Must succeed on what an interrupted attempt left. A "not found" error is retried: a new
    /// resource is not visible everywhere at once.
    fn create(&self, tags: &Tags, cloud: &Self::Cloud) -> impl Future<Output = Result<(), Error>> + Send;

    /// Returns when an existing resource can be used, for a kind whose `create` waits for that. An
    /// interrupted attempt did not wait; a resource with a stamp was created completely.
    fn ready(&self, _cloud: &Self::Cloud) -> impl Future<Output = Result<(), Error>> + Send {
        std::future::ready(Ok(()))
    }

    /// Updates in place the fields in which `live` differs from `self`. The engine compares: a kind matches
    /// on the fields, so that the compiler reports a forgotten one.
    fn update(
        &self,
        live: &Self,
        changed: &Changed<Self>,
        cloud: &Self::Cloud,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Sets these tags and leaves all other tags alone. Not called for a kind with a parent.
    fn tag(&self, tags: &Tags, cloud: &Self::Cloud) -> impl Future<Output = Result<(), Error>> + Send;

    /// Empties and deletes the resource of this name, and returns when it is gone. Succeeds if it does not
    /// exist.
    fn delete(name: &str, cloud: &Self::Cloud) -> impl Future<Output = Result<(), Error>> + Send;

    /// Lists the names that may belong to the environment. The scope's prefix only narrows the listing;
    /// [`Resource::tags`] decides.
    fn list(scope: &Scope, cloud: &Self::Cloud) -> impl Future<Output = Result<Vec<String>, Error>> + Send;

    /// Returns what the resource of this name still does when it is no longer in the stack, as words that
    /// follow "it": `still reads its stream`.
    fn activity(
        _name: &str,
        _cloud: &Self::Cloud,
    ) -> impl Future<Output = Result<Option<&'static str>, Error>> + Send {
        std::future::ready(Ok(None))
    }

    /// Stops the activity that [`Resource::activity`] returns, and returns when it has stopped. It can be
    /// started again, and nothing is lost. `tags` are written first, to the resource that holds the stamp.
    /// Only called where [`KindInfo::disables`] is set.
    fn disable(
        _name: &str,
        _tags: &Tags,
        _cloud: &Self::Cloud,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        std::future::ready(Ok(()))
    }

    /// Reads the tags that identify the owner of the resource of this name: its own, or its parent's. `None`
    /// if it does not exist.
    fn tags(name: &str, cloud: &Self::Cloud) -> impl Future<Output = Result<Option<Tags>, Error>> + Send;
}
