//! Reads everything at once: the live state of the desired resources, and further resources of this
//! environment.
//!
//! The survey only reads and does not judge: a failed read is kept as an error for the planner.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use futures::stream::{self, StreamExt};

use crate::error::Error;
use crate::release::{Recorded, Release, ReleaseRecord};
use crate::resource::{Cloud, Kind, LiveResource, Node, ResourceId, Tags};
use crate::retry::retried;
use crate::scope::Scope;
use crate::stack::Stack;

/// How many resources are read concurrently. The client's retries handle throttling by the cloud.
const TOGETHER: usize = 64;

/// The live state of an environment.
#[derive(Debug, Default)]
pub struct Survey {
    /// The live state of each desired resource, `None` if it does not exist, or the error of the read.
    pub seen: BTreeMap<ResourceId, Result<Option<LiveResource>, Error>>,
    /// Resources under the environment's prefix that are not desired, with their tags.
    pub strays: BTreeMap<ResourceId, Tags>,
    /// The activity of the strays that this environment owns.
    pub active: BTreeMap<ResourceId, Activity>,
    /// Kinds and strays that could not be read, and the release record if it could not be read.
    pub unreadable: BTreeMap<ResourceId, Error>,
    /// The last entry of the release record.
    pub recorded: Option<Recorded>,
    /// The resource that stores the release record, if that is a resource of its own.
    pub record_resource: Option<ResourceId>,
}

/// The activity of an orphan, and whether it will be disabled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// The activity, as words that follow "it": `still reads its stream`.
    pub what: &'static str,
    /// Whether it is disabled, which is decided after the survey. `None` if the kind cannot be disabled.
    pub fate: Option<Fate>,
}

/// Whether an active orphan is disabled, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is disabled, for this reason.
    Disable(String),
    /// It is not disabled, for this reason.
    Leave(String),
}

impl Survey {
    /// Returns the last entry of the release record.
    pub fn last_release(&self) -> Option<&Release> {
        self.recorded.as_ref().map(|recorded| &recorded.release)
    }
}

/// Reads the live state of the whole environment, and the last entry of its release record.
pub async fn survey<C: ReleaseRecord>(stack: &Stack<C>, cloud: &C) -> Survey {
    let cloud = cloud.fresh();
    let recorded = retried(async || cloud.last_release().await);
    let (mut survey, recorded) = futures::join!(surveyed(stack, &cloud), recorded);
    survey.record_resource = C::kept_in(&stack.scope);
    match recorded {
        Ok(recorded) => survey.recorded = recorded,
        Err(error) => drop(survey.unreadable.insert(C::record_id(&stack.scope), error)),
    }
    survey
}

/// Reads the live state of the whole environment in a cloud that stores no release record.
///
/// Without a record, a deployed resource that was deleted outside the deployer is pending and not drift,
/// unless a resource that needs it still exists; and concurrent runs are not found.
pub async fn survey_without_record<C: Cloud>(stack: &Stack<C>, cloud: &C) -> Survey {
    surveyed(stack, &cloud.fresh()).await
}

async fn surveyed<C: Cloud>(stack: &Stack<C>, cloud: &C) -> Survey {
    let desired: BTreeSet<ResourceId> = stack.resources.iter().map(|node| node.id()).collect();
    let (seen, strays) = futures::join!(
        read(stack.resources.iter().map(|node| &**node), cloud),
        strays(stack, cloud, &desired),
    );
    let mut survey = Survey { seen, ..Survey::default() };
    for (id, found) in strays {
        match found {
            Ok((tags, activity)) => {
                survey.active.extend(activity.map(|activity| (id.clone(), activity)));
                survey.strays.insert(id, tags);
            }
            Err(error) => drop(survey.unreadable.insert(id, error)),
        }
    }
    survey
}

/// Reads the live state of these resources again.
pub async fn read_again<C: Cloud>(
    stack: &Stack<C>,
    ids: &BTreeSet<ResourceId>,
    cloud: &C,
) -> BTreeMap<ResourceId, Result<Option<LiveResource>, Error>> {
    let nodes = stack.resources.iter().map(|node| &**node);
    read(nodes.filter(|node| ids.contains(&node.id())), &cloud.fresh()).await
}

async fn read<'a, C: Cloud>(
    nodes: impl Iterator<Item = &'a dyn Node<C>>,
    cloud: &C,
) -> BTreeMap<ResourceId, Result<Option<LiveResource>, Error>> {
    let reads = nodes.map(|node| async move { (node.id(), retried(async || node.read(cloud).await).await) });
    // Collected first: the futures are polled together, not the iterator.
    let reads: Vec<_> = reads.collect();
    stream::iter(reads).buffer_unordered(TOGETHER).collect().await
}

type Found = Vec<(ResourceId, Result<(Tags, Option<Activity>), Error>)>;

async fn strays<C: Cloud>(stack: &Stack<C>, cloud: &C, desired: &BTreeSet<ResourceId>) -> Found {
    let by_kind = stack.kinds.iter().map(|kind| strays_of(kind, stack, cloud, desired));
    join_all(by_kind).await.into_iter().flatten().collect()
}

async fn strays_of<C: Cloud>(
    kind: &Kind<C>,
    stack: &Stack<C>,
    cloud: &C,
    desired: &BTreeSet<ResourceId>,
) -> Found {
    let names = match retried(async || (kind.list)(&stack.scope, cloud).await).await {
        Ok(names) => names,
        Err(error) => return vec![(ResourceId::new(kind.info.name, "*"), Err(error))],
    };
    let ids = names.into_iter().map(|name| ResourceId::new(kind.info.name, name));
    let unknown = ids.filter(|id| !desired.contains(id)).map(async |id| {
        let found = stray(kind, id.name(), &stack.scope, cloud).await;
        Some((id, found.transpose()?))
    });
    join_all(unknown).await.into_iter().flatten().collect()
}

/// Reads the tags of a stray, and its activity if this environment owns it. Returns `None` if it no longer
/// exists.
async fn stray<C: Cloud>(
    kind: &Kind<C>,
    name: &str,
    scope: &Scope,
    cloud: &C,
) -> Result<Option<(Tags, Option<Activity>)>, Error> {
    let Some(tags) = retried(async || (kind.tags)(name, cloud).await).await? else {
        return Ok(None);
    };
    let what =
        if scope.owns(&tags) { retried(async || (kind.activity)(name, cloud).await).await? } else { None };
    let activity = what.map(|what| Activity { what, fate: None });
    Ok(Some((tags, activity)))
}
