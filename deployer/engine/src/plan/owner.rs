//! Whose a thing is: what its tags say, or what a run that was cut short wrote down first.

use std::collections::BTreeSet;

use crate::release::Release;
use crate::resource::{ResourceId, Tags};
use crate::scope::{Scope, TAG_REGION};

/// What all our own tags begin with.
const OURS: &str = "deployer:";

/// Tells whose things are.
pub(super) struct Owner<'a> {
    /// Who we are.
    pub(super) scope: &'a Scope,
    /// The last entry of the release record.
    pub(super) record: Option<&'a Release>,
    /// What the caller wants to be ours.
    pub(super) adopt: &'a BTreeSet<String>,
}

impl Owner<'_> {
    /// Tells whether the thing of this id, with these tags and this identity, is ours or is to be. A listing
    /// shows no identity.
    pub(super) fn owns(&self, id: &ResourceId, tags: &Tags, identity: Option<&str>) -> bool {
        self.scope.owns(tags)
            || self.made(id, tags)
            || self.adopted(id, tags)
            || self.lost_its_tags(id, tags, identity)
    }

    /// Tells whether it is ours though its tags do not say so any more: it is the very thing that the record says
    /// is ours, and no tag says that it is somebody else's.
    pub(super) fn lost_its_tags(&self, id: &ResourceId, tags: &Tags, identity: Option<&str>) -> bool {
        let recorded = self.record.and_then(|record| record.identities.get(&id.to_string()));
        let same = identity.is_some_and(|identity| recorded.is_some_and(|recorded| recorded == identity));
        let ours = self.scope.tags();
        let anothers = ours.iter().any(|(key, value)| tags.get(key).is_some_and(|other| other != value));
        same && !anothers && !self.scope.owns(tags) && !self.made(id, tags)
    }

    /// Returns the region in which this environment has a thing of this name already.
    pub(super) fn elsewhere(&self, tags: &Tags) -> Option<String> {
        let elsewhere = tags.get(TAG_REGION)?;
        let here = tags.clone().into_iter().chain([(TAG_REGION.to_owned(), self.scope.region.clone())]);
        (elsewhere != &self.scope.region && self.scope.owns(&here.collect())).then(|| elsewhere.clone())
    }

    /// Tells whether the caller wants it, and may have it: what this environment has in
    /// another region is in use there.
    fn adopted(&self, id: &ResourceId, tags: &Tags) -> bool {
        self.adopt.contains(&id.to_string()) && self.elsewhere(tags).is_none()
    }

    /// Tells whether it is one that we made and had not tagged yet when the run ended: the
    /// record says that the name was free and that we set out to take it, and nobody has
    /// put a tag of ours on it since. Most things are tagged in the call that makes them; of
    /// the others, this tells ours from a stranger's.
    fn made(&self, id: &ResourceId, tags: &Tags) -> bool {
        let making = self.record.is_some_and(|record| record.making.contains(&id.to_string()));
        making && !tags.keys().any(|key| key.starts_with(OURS))
    }
}
