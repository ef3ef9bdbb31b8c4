//! Decides whether to disable an orphan that still works: yes if this checkout removed it, no if it comes
//! from another checkout that this one does not know.

use engine::release::{Recorded, Release, ReleaseRecord, maker};
use engine::resource::ResourceId;
use engine::retry::retried;
use engine::stack::Stack;
use engine::survey::{Fate, Survey};

use crate::build::commit_of;
use crate::bundle::Sources;
use aws::{Aws, Caller};

/// How many digits of a commit are displayed.
const SHORT: usize = 7;

/// Sets the fate of each orphan that still works and can be disabled.
pub(super) async fn judge(
    survey: &mut Survey,
    stack: &Stack<Aws>,
    sources: &Sources,
    aws: &Aws,
    caller: &Caller,
) {
    let disables = |id: &&ResourceId| stack.kind(id.kind()).is_some_and(|kind| kind.disable.is_some());
    let ids: Vec<ResourceId> = survey.active.keys().filter(disables).cloned().collect();
    if ids.is_empty() {
        return;
    }
    let entries = retried(async || aws.releases(0).await).await;
    for id in ids {
        let fate = match &entries {
            Ok(entries) => decided(&id, entries, sources, &caller.arn).await,
            Err(error) => Fate::Leave(format!("the release record could not be read ({error})")),
        };
        survey.active.entry(id).and_modify(|activity| activity.fate = Some(fate));
    }
}

/// Returns whether an orphan was removed from the code, or belongs to code that this checkout does not know.
async fn decided(id: &ResourceId, entries: &[Recorded], sources: &Sources, caller: &str) -> Fate {
    let Some(Release { release: Some(release), by, .. }) = maker(entries, id) else {
        return Fate::Leave("the release record does not say which commit created it".to_owned());
    };
    let (commit, committed) = commit_of(release);
    let short = commit.get(..SHORT).unwrap_or(commit);
    match sources.descend_from(commit).await {
        Some(true) if committed || by == caller => {
            Fate::Disable(format!("commit {short} created it, and this later release no longer has it"))
        }
        Some(true) => Fate::Leave(format!("{by} created it from uncommitted changes")),
        Some(false) => Fate::Leave(format!(
            "commit {short}, which is not in this checkout, created it: it may be a colleague's"
        )),
        None => Fate::Leave(format!("commit {short}, which is not in the known history, created it")),
    }
}
