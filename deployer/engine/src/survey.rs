//! Looks at everything at once: the live state of what is desired, and what else is ours.
//!
//! It only reads, and it judges nothing: a failed read stays an error for the planner.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use futures::stream::{self, StreamExt};

use crate::error::Error;
use crate::release::{Recorded, Release, ReleaseRecord};
use crate::resource::{Cloud, Kind, LiveResource, Node, ResourceId, Tags};
use crate::retry::retried;
use crate::scope::Scope;
use crate::stack::Stack;

/// How many resources are looked at together. Retries of the client smooth what is too much for the cloud.
const TOGETHER: usize = 64;

/// What is live.
#[derive(Debug, Default)]
pub struct Survey {
    /// What was found of each desired resource; nothing when it is absent.
    pub seen: BTreeMap<ResourceId, Result<Option<LiveResource>, Error>>,
    /// What exists under the environment's prefix and is not desired, with its tags.
    pub strays: BTreeMap<ResourceId, Tags>,
    /// What those of the strays that are ours go on doing.
    pub active: BTreeMap<ResourceId, Activity>,
    /// Kinds or strays that could not be looked at, and the release record.
    pub unreadable: BTreeMap<ResourceId, Error>,
    /// The last entry of the release record.
    pub recorded: Option<Recorded>,
}

/// What an orphan goes on doing, and whether that is to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// What it does, as the words behind its id: `still reads its stream`.
    pub what: &'static str,
    /// Whether it is disabled. Nothing where it cannot be, or was not asked: the survey does not.
    pub fate: Option<Fate>,
}

/// Whether an orphan that goes on working is disabled, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is.
    Disable(String),
    /// It is not.
    Leave(String),
}

impl Survey {
    /// Returns what the last entry of the release record says.
    pub fn last_release(&self) -> Option<&Release> {
        self.recorded.as_ref().map(|recorded| &recorded.release)
    }
}

/// Looks at the whole environment.
pub async fn survey<C: ReleaseRecord>(stack: &Stack<C>, cloud: &C) -> Survey {
    let cloud = cloud.fresh();
    let desired: BTreeSet<ResourceId> = stack.resources.iter().map(|node| node.id()).collect();
    let (seen, strays, recorded) = futures::join!(
        read(stack.resources.iter().map(|node| &**node), &cloud),
        strays(stack, &cloud, &desired),
        retried(async || cloud.last_release().await),
    );
    let mut survey = Survey { seen, ..Survey::default() };
    match recorded {
        Ok(recorded) => survey.recorded = recorded,
        Err(error) => drop(survey.unreadable.insert(C::record_id(&stack.scope), error)),
    }
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
pub async fn look_again<C: Cloud>(
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

/// Reads whose a stray is, and what it does if it is ours. Nothing when it is gone.
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
