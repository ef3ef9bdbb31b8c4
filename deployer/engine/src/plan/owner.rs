//! Decides who owns a resource, from its tags or from the record of an interrupted run.

use std::collections::BTreeSet;

use crate::release::Release;
use crate::resource::{ResourceId, Tags};
use crate::scope::{Scope, TAG_REGION};

/// The prefix of the deployer's own tags.
const OURS: &str = "deployer:";

/// Decides whether this environment owns a resource.
pub(super) struct Owner<'a> {
    /// The environment.
    pub(super) scope: &'a Scope,
    /// The last entry of the release record.
    pub(super) record: Option<&'a Release>,
    /// The ids of the resources that the caller wants to adopt.
    pub(super) adopt: &'a BTreeSet<String>,
}

impl Owner<'_> {
    /// Returns whether this environment owns the resource of this id, with these tags and this identity, or
    /// takes it over. Listings do not return an identity.
    pub(super) fn owns(&self, id: &ResourceId, tags: &Tags, identity: Option<&str>) -> bool {
        self.scope.owns(tags)
            || self.made(id, tags)
            || self.adopted(id, tags)
            || self.lost_its_tags(id, tags, identity)
    }

    /// Returns whether it is owned although its owner tags are gone: it has the identity that the record
    /// lists, and no tag names another owner.
    pub(super) fn lost_its_tags(&self, id: &ResourceId, tags: &Tags, identity: Option<&str>) -> bool {
        let recorded = self.record.and_then(|record| record.identities.get(&id.to_string()));
        let same = identity.is_some_and(|identity| recorded.is_some_and(|recorded| recorded == identity));
        let ours = self.scope.tags();
        let anothers = ours.iter().any(|(key, value)| tags.get(key).is_some_and(|other| other != value));
        same && !anothers && !self.scope.owns(tags) && !self.made(id, tags)
    }

    /// Returns the region in which this environment owns this resource, if it is not this region.
    pub(super) fn elsewhere(&self, tags: &Tags) -> Option<String> {
        let elsewhere = tags.get(TAG_REGION)?;
        let here = tags.clone().into_iter().chain([(TAG_REGION.to_owned(), self.scope.region.clone())]);
        (elsewhere != &self.scope.region && self.scope.owns(&here.collect())).then(|| elsewhere.clone())
    }

    /// Returns whether the caller adopts it, and may do so: a resource that this environment has in another
    /// region is in use there.
    fn adopted(&self, id: &ResourceId, tags: &Tags) -> bool {
        self.adopt.contains(&id.to_string()) && self.elsewhere(tags).is_none()
    }

    /// Returns whether this environment created it but had not tagged it yet when the run ended: the record
    /// says that the name was free and that the run was going to create it, and it has had no deployer tag
    /// since. Most resources are tagged in the call that creates them; for the others, this distinguishes
    /// owned from unmanaged resources.
    fn made(&self, id: &ResourceId, tags: &Tags) -> bool {
        let making = self.record.is_some_and(|record| record.making.contains(&id.to_string()));
        making && !tags.keys().any(|key| key.starts_with(OURS))
    }
}
