//! Reads resources again: changed ones until the cloud shows the change, and apparent drift before it is
//! reported. Most listings of a cloud are eventually consistent.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::plan::{Plan, Step, Verdict, Wishes, plan};
use crate::resource::{Cloud, ResourceId};
use crate::stack::Stack;
use crate::survey::{Survey, read_again};

const DELAYS: Backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(4));

/// The delay before apparent drift is read again.
const DRIFT_RECHECK_DELAY: Duration = Duration::from_millis(500);

/// Waits until all changed resources read as desired, up to the time limit of each kind, and returns the
/// steps of those that do not. That is not a failure, because the cloud has accepted the changes. A stopped
/// run does not wait and gets an empty result.
pub async fn settle<C: Cloud>(
    stack: &Stack<C>,
    wishes: &Wishes,
    survey: &mut Survey,
    mut changed: BTreeSet<ResourceId>,
    cloud: &C,
    stop: &CancellationToken,
) -> Vec<Step> {
    let started = Instant::now();
    let mut delays = DELAYS;
    loop {
        // A resource without tags has its stamp on its parent.
        let parents = changed.iter().filter_map(|id| stack.get(id)?.parent());
        let to_read: BTreeSet<ResourceId> = parents.chain(changed.iter().cloned()).collect();
        tokio::select! {
            () = stop.cancelled() => return Vec::new(),
            seen = read_again(stack, &to_read, cloud) => survey.seen.extend(seen),
        }
        let mut unsettled = plan(stack, survey, wishes).steps;
        // Pruned resources cannot be read again.
        unsettled.retain(|step| changed.contains(&step.id) && !step.is_settled());
        changed = unsettled.iter().map(|step| step.id.clone()).collect();
        let delay = delays.delay();
        let patient = changed.iter().any(|id| started.elapsed() + delay < settles_within(stack, id));
        if !patient {
            return unsettled;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(delay) => {}
        }
    }
}

fn settles_within<C: Cloud>(stack: &Stack<C>, id: &ResourceId) -> Duration {
    stack.get(id).map_or(Duration::ZERO, |node| node.info().settles_within)
}

/// Returns the plan after reading apparent drift again.
pub async fn rechecked<C: Cloud>(
    first: Plan,
    stack: &Stack<C>,
    wishes: &Wishes,
    survey: &mut Survey,
    cloud: &C,
) -> Plan {
    let suspects = suspects(&first);
    if suspects.is_empty() {
        return first;
    }
    tokio::time::sleep(DRIFT_RECHECK_DELAY).await;
    survey.seen.extend(read_again(stack, &suspects, cloud).await);
    plan(stack, survey, wishes)
}

/// Returns the resources that look changed or unmanaged, and the parents that hold their stamps.
fn suspects(plan: &Plan) -> BTreeSet<ResourceId> {
    let accused = plan.steps.iter().filter(|step| {
        let verdicts = [Verdict::Drift, Verdict::Unmanaged];
        step.verdicts.iter().any(|verdict| verdicts.contains(verdict))
    });
    accused.flat_map(|step| [&step.id].into_iter().chain(&step.parent)).cloned().collect()
}
