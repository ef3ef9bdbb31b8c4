//! Whether an orphan that goes on working is to be disabled: one that this checkout has removed
//! is, one that a checkout has which this one does not know of must not be.

use crate::aws::{Aws, Caller};
use crate::build::commit_of;
use crate::bundle::Sources;
use crate::release::{Recorded, Release, ReleaseRecord, maker};
use crate::resource::ResourceId;
use crate::retry::retried;
use crate::survey::Survey;

/// How many digits of a commit people see.
const SHORT: usize = 7;

/// Says of each orphan that can be disabled whether it is, and why.
pub(super) async fn judge(survey: &mut Survey, sources: &Sources, aws: &Aws, caller: &Caller) {
    let disables = survey.active.iter().filter(|(_, activity)| activity.disables);
    let ids: Vec<ResourceId> = disables.map(|(id, _)| id.clone()).collect();
    if ids.is_empty() {
        return;
    }
    let entries = retried(async || aws.releases().await).await;
    for id in ids {
        let ends = match &entries {
            Ok(entries) => superseded(&id, entries, sources, &caller.arn).await,
            Err(error) => Err(format!("the release record could not be read ({error})")),
        };
        survey.active.entry(id).and_modify(|activity| activity.ends = Some(ends));
    }
}

/// Returns why an orphan was removed from the code, or why that is not known.
async fn superseded(
    id: &ResourceId,
    entries: &[Recorded],
    sources: &Sources,
    caller: &str,
) -> Result<String, String> {
    let Some(Release { release: Some(release), by, .. }) = maker(entries, id) else {
        return Err("the release record does not say which commit made it".to_owned());
    };
    let (commit, committed) = commit_of(release);
    let short = commit.get(..SHORT).unwrap_or(commit);
    match sources.descend_from(commit).await {
        Some(true) if committed || by == caller => {
            Ok(format!("commit {short} made it, and this release comes after that without it"))
        }
        Some(true) => Err(format!("{by} made it from changes that were not committed")),
        Some(false) => {
            Err(format!("commit {short} made it, which is not in this checkout: it may be a colleague's"))
        }
        None => Err(format!("commit {short} made it, which is not in the history that is known here")),
    }
}
