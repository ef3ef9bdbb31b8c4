//! Reading again: what was changed until the cloud shows it, and what looks changed by somebody
//! before it is said so. Most listings of a cloud are eventually consistent.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::plan::{Plan, Step, Verdict, Wishes, plan};
use crate::resource::{Cloud, ResourceId};
use crate::stack::Stack;
use crate::survey::{Survey, look_again};

const DELAYS: Backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(4));

/// How long the cloud is given before something is read once more that looks changed.
const BEFORE_ACCUSING: Duration = Duration::from_millis(500);

/// Waits until everything that was changed reads as it was made, for as long as its kind may
/// take, and returns what does not. The cloud has accepted it, so that is no failure. Who is stopped
/// does not wait, and hears nothing.
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
        // The stamp of what has no tags is on its parent.
        let parents = changed.iter().filter_map(|id| stack.get(id)?.parent());
        let to_read: BTreeSet<ResourceId> = parents.chain(changed.iter().cloned()).collect();
        tokio::select! {
            () = stop.cancelled() => return Vec::new(),
            seen = look_again(stack, &to_read, cloud) => survey.seen.extend(seen),
        }
        let mut unsettled = plan(stack, survey, wishes).steps;
        // What was pruned is not there to be read.
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

/// Returns the plan once what looks changed by somebody was read once more.
pub async fn reconsidered<C: Cloud>(
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
    tokio::time::sleep(BEFORE_ACCUSING).await;
    survey.seen.extend(look_again(stack, &suspects, cloud).await);
    plan(stack, survey, wishes)
}

/// Returns what looks as if somebody had changed it, and what has its stamp.
fn suspects(plan: &Plan) -> BTreeSet<ResourceId> {
    let accused = plan.steps.iter().filter(|step| {
        let verdicts = [Verdict::Drift, Verdict::Foreign];
        step.verdicts.iter().any(|verdict| verdicts.contains(verdict))
    });
    accused.flat_map(|step| [&step.id].into_iter().chain(&step.parent)).cloned().collect()
}
