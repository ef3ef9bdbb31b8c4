//! The trait every kind of resource implements, and the erased forms the engine works with.
//!
//! A resource is a plain serialisable struct that says what we want of one thing. Reading
//! fills the same struct from what is live, so one generic comparison serves all kinds.
//! Nothing here knows AWS: the cloud is a type parameter, and the engine's tests use a fake.

mod erased;
mod field;
mod neighbours;

pub use erased::{Described, Kind, LiveResource, Node};
pub use field::{Changed, Field, changed, field_of};
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

    /// Returns the name as the cloud knows it.
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

/// What is live of one resource.
#[derive(Debug, Clone)]
pub struct Live<R> {
    /// The live state, in the desired state's own type.
    pub resource: R,
    /// All its tags, or nothing for a kind that takes owner and stamp from its parent.
    pub tags: Option<Tags>,
    /// What the cloud gave it when it was made, and gives to no other of the same name: an id, or the time. Nothing
    /// where the cloud has no such thing.
    pub identity: Option<String>,
}

/// What it takes to make one change of a live resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The cloud changes it in place.
    InPlace(Risk),
    /// It has to be deleted and made again; only for what holds no data.
    Recreate(Risk),
    /// We do not do it; the text says what a person can do.
    Refuse(&'static str),
}

/// What is so of everything of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindInfo {
    /// Service and noun: `dynamodb.table`.
    pub name: &'static str,
    /// The kinds that things of this kind use while they are alive. A thing is deleted only after
    /// everything of the kinds that stand on its kind.
    pub stands_on: &'static [&'static str],
    /// Whether it holds data that nobody can make again.
    pub stateful: bool,
    /// How long the cloud may take to show what it has accepted, beyond what `create` and `update`
    /// wait for themselves.
    pub settles_within: Duration,
    /// The operations by which things of this kind are looked at, where the crate of the cloud does
    /// not know them: commands that only look send no others.
    pub looks_by: &'static [&'static str],
    /// Whether a thing of this kind can be disabled, which ends what it does by itself.
    pub disables: bool,
    /// What things of this kind have besides, and is not compared.
    pub left_out: &'static [LeftOut],
}

impl KindInfo {
    /// Returns a kind without data, which stands on nothing and compares everything.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            stands_on: &[],
            stateful: false,
            settles_within: Duration::from_secs(30),
            looks_by: &[],
            disables: false,
            left_out: &[],
        }
    }
}

/// Something of a kind that is not compared, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct LeftOut {
    /// What the cloud calls it: `resource policy`.
    pub what: &'static str,
    /// Why it is left out, as a lowercase fragment.
    pub why: &'static str,
}

/// What resources live in: clients, and whatever a look at it may remember.
pub trait Cloud: Clone + Send + Sync + 'static {
    /// What a caller has to be allowed, in the words of this cloud.
    type Permission: 'static;

    /// Returns the same cloud with nothing remembered of earlier looks, such as listings
    /// that many resources share.
    fn fresh(&self) -> Self;
}

/// One kind of resource. Its file has the order that `CONTRIBUTING.md` tells.
///
/// Every method makes one attempt. The executor retries what [`Error::class`] calls
/// passing, so no resource has a retry loop of its own; waiting for a state is
/// the kind's business.
pub trait Resource: Serialize + Send + Sync + Sized + 'static {
    /// The cloud that things of this kind live in.
    type Cloud: Cloud;

    /// The fields of this struct that are compared; see [`Field`] for how to derive them.
    type Field: Field;

    /// What is so of everything of this kind.
    const INFO: KindInfo;

    /// The name of the kind; not to be set.
    const KIND: &'static str = Self::INFO.name;

    /// Returns the name, unique within the kind.
    fn name(&self) -> &str;

    /// Returns what has to exist before this can be created.
    fn needs(&self) -> Vec<ResourceId> {
        Vec::new()
    }

    /// Returns the parent that owner and stamp are taken from, for what has no tags.
    fn parent(&self) -> Option<ResourceId> {
        None
    }

    /// Returns its address in the cloud, where it can be derived (AWS: the ARN).
    fn arn(&self) -> Option<&str> {
        None
    }

    /// Returns what it takes to make this field of `live` as it is in `self`.
    fn effect(&self, _field: Self::Field, _live: &Self) -> Effect {
        Effect::InPlace(Risk::Safe)
    }

    /// Returns what this is bound to for life: when that becomes another thing, this has to
    /// be made anew.
    fn bound_to(&self) -> Option<ResourceId> {
        None
    }

    /// Tells whether a change of this field makes another thing of it for what is bound to it.
    fn renews(&self, _field: Self::Field) -> bool {
        false
    }

    /// Returns what the cloud would refuse, or accept and not do, of what is desired here, as far
    /// as that can be told offline: one lowercase sentence each.
    fn mistakes(&self, _stack: &Neighbours<'_>) -> Vec<String> {
        Vec::new()
    }

    /// Returns what the caller of all the methods below has to be allowed, on things of this
    /// kind that belong to the scope.
    fn permissions(scope: &Scope) -> Vec<<Self::Cloud as Cloud>::Permission>;

    /// Reads the live state, or nothing when there is no such thing.
    fn read(&self, cloud: &Self::Cloud) -> impl Future<Output = Result<Option<Live<Self>>, Error>> + Send;

    /// Makes it, tagged with `tags` from the first moment where the cloud allows that, and
    /// returns when others can use it. Must succeed on what an attempt cut short left behind. An
    /// answer that there is no such thing is tried again: what is new is not known everywhere yet.
    fn create(&self, tags: &Tags, cloud: &Self::Cloud) -> impl Future<Output = Result<(), Error>> + Send;

    /// Returns when others can use what is there, for a kind whose `create` waits for that. An attempt
    /// that was cut short did not wait, and what has the stamp was made whole.
    fn ready(&self, _cloud: &Self::Cloud) -> impl Future<Output = Result<(), Error>> + Send {
        std::future::ready(Ok(()))
    }

    /// Changes in place the fields in which `live` differs from `self`. The comparison is the
    /// engine's: a kind matches on the fields, so that the compiler asks for a forgotten one.
    fn update(
        &self,
        live: &Self,
        changed: &Changed<Self>,
        cloud: &Self::Cloud,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Sets these tags and leaves all others alone. Not called for a kind with a parent.
    fn tag(&self, tags: &Tags, cloud: &Self::Cloud) -> impl Future<Output = Result<(), Error>> + Send;

    /// Empties and deletes the thing of this name, and returns when it is gone. Succeeds
    /// when it is gone already.
    fn delete(name: &str, cloud: &Self::Cloud) -> impl Future<Output = Result<(), Error>> + Send;

    /// Lists the names that may belong to the environment. The prefix of the scope's names
    /// only narrows the listing; [`Resource::tags`] decides.
    fn list(scope: &Scope, cloud: &Self::Cloud) -> impl Future<Output = Result<Vec<String>, Error>> + Send;

    /// Returns what the thing of this name goes on doing when no code mentions it any more, as
    /// the words behind its id: `still reads its stream`.
    fn activity(
        _name: &str,
        _cloud: &Self::Cloud,
    ) -> impl Future<Output = Result<Option<&'static str>, Error>> + Send {
        std::future::ready(Ok(None))
    }

    /// Ends what [`Resource::activity`] tells, and returns when it has ended. It can start
    /// again, and nothing is lost. What holds the stamp gets the tags before that. Only called where
    /// [`KindInfo::disables`] says so.
    fn disable(
        _name: &str,
        _tags: &Tags,
        _cloud: &Self::Cloud,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        std::future::ready(Ok(()))
    }

    /// Reads the tags that say who owns the thing of this name: its own, or its parent's.
    /// Nothing when it is gone.
    fn tags(name: &str, cloud: &Self::Cloud) -> impl Future<Output = Result<Option<Tags>, Error>> + Send;
}
