//! The executor: runs every step that is ready, with limited concurrency. A failed step skips only its
//! dependants, and every outcome is reported. It decides nothing and prints nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures::stream::{FuturesUnordered, StreamExt};
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::plan::{Action, Plan, Step};
use crate::progress::{self, SentCalls};
use crate::resource::{Cloud, ResourceId};
use crate::retry::retried;
use crate::stack::Stack;
use crate::survey::Survey;

/// How many steps run concurrently.
const TOGETHER: usize = 32;

/// How long steps in flight may take to finish after the run is stopped.
const GRACE: Duration = Duration::from_secs(4);

/// A progress event of a run.
#[derive(Debug, Clone)]
pub enum Event {
    /// A step has started.
    Started(ResourceId, Action),
    /// A step waits for something.
    Waiting(ResourceId, String),
    /// A step has ended.
    Ended(StepOutcome),
}

/// The outcome of a step.
#[derive(Debug, Clone)]
pub struct StepOutcome {
    /// The resource.
    pub id: ResourceId,
    /// The action of the step.
    pub action: Action,
    /// Success, or the reason of the failure.
    pub result: Result<(), Failure>,
    /// How long it took.
    pub took: Duration,
    /// Whether a call was sent that may have changed something. A call that the cloud refused does not count.
    pub sent: bool,
}

/// Why a step did not succeed.
#[derive(Debug, Clone)]
pub enum Failure {
    /// A call failed.
    Failed(Error),
    /// A step that has to finish first did not succeed.
    Skipped(ResourceId),
    /// The step had not started when the run was stopped.
    Stopped,
    /// The step was running when the run was stopped, and did not finish in time. Its result is unknown.
    Interrupted,
}

/// The outcomes of a plan's steps, in the order in which they ended.
#[derive(Debug, Default)]
pub struct ApplyReport {
    /// One outcome for each step that writes.
    pub outcomes: Vec<StepOutcome>,
}

impl ApplyReport {
    /// Returns whether every step succeeded.
    pub fn succeeded(&self) -> bool {
        self.outcomes.iter().all(|outcome| outcome.result.is_ok())
    }

    /// Returns the resources that were written successfully.
    pub fn done(&self) -> BTreeSet<ResourceId> {
        let done = self.outcomes.iter().filter(|outcome| outcome.result.is_ok());
        done.map(|outcome| outcome.id.clone()).collect()
    }
}

/// Carries out the plan's steps. After `stop` is cancelled no new steps start, and steps in flight have a few
/// seconds to finish.
pub async fn apply<C: Cloud>(
    plan: &Plan,
    stack: &Stack<C>,
    survey: &Survey,
    cloud: &C,
    stop: &CancellationToken,
    on_event: impl Fn(Event) + Clone + Send + Sync + 'static,
) -> ApplyReport {
    let mut waiting: BTreeMap<ResourceId, &Step> =
        plan.writes().map(|step| (step.id.clone(), step)).collect();
    let mut failed: BTreeSet<ResourceId> = BTreeSet::new();
    let mut running = FuturesUnordered::new();
    let mut report = ApplyReport::default();
    let mut in_flight: BTreeMap<ResourceId, SentCalls> = BTreeMap::new();
    let mut out_of_patience = std::pin::pin!(patience_ends(stop));
    loop {
        let ended = settle_unstartable(&mut waiting, &mut failed, stop);
        for outcome in ended {
            on_event(Event::Ended(outcome.clone()));
            report.outcomes.push(outcome);
        }
        while in_flight.len() < TOGETHER {
            let blocked = |need: &ResourceId| waiting.contains_key(need) || in_flight.contains_key(need);
            let ready = waiting.values().find(|step| !step.needs.iter().any(blocked));
            let Some(step) = ready.copied() else { break };
            waiting.remove(&step.id);
            let sent = SentCalls::default();
            in_flight.insert(step.id.clone(), sent.clone());
            on_event(Event::Started(step.id.clone(), step.action));
            running.push(run(step, stack, survey, cloud, sent, on_event.clone()));
        }
        let ended = tokio::select! {
            ended = running.next() => ended,
            () = &mut out_of_patience => {
                let cut = running_steps(plan, &in_flight).map(|(step, sent)| interrupted(step, sent.any()));
                let unbegun = settle_unstartable(&mut waiting, &mut failed, stop);
                for outcome in cut.chain(unbegun) {
                    on_event(Event::Ended(outcome.clone()));
                    report.outcomes.push(outcome);
                }
                break;
            }
        };
        let Some(outcome) = ended else { break };
        in_flight.remove(&outcome.id);
        if outcome.result.is_err() {
            failed.insert(outcome.id.clone());
        }
        on_event(Event::Ended(outcome.clone()));
        report.outcomes.push(outcome);
    }
    report
}

/// Waits until the run is stopped and the time for steps in flight is over.
async fn patience_ends(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(GRACE).await;
}

fn running_steps<'a>(
    plan: &'a Plan,
    in_flight: &'a BTreeMap<ResourceId, SentCalls>,
) -> impl Iterator<Item = (&'a Step, &'a SentCalls)> {
    plan.writes().filter_map(|step| Some((step, in_flight.get(&step.id)?)))
}

/// Returns the outcome of a step that was running when the time was over. A step that has sent no call that
/// may change a resource counts as not started.
fn interrupted(step: &Step, sent: bool) -> StepOutcome {
    let result = Err(if sent { Failure::Interrupted } else { Failure::Stopped });
    StepOutcome { id: step.id.clone(), action: step.action, result, took: GRACE, sent }
}

/// Removes the steps that can no longer start, and returns their outcomes.
fn settle_unstartable(
    waiting: &mut BTreeMap<ResourceId, &Step>,
    failed: &mut BTreeSet<ResourceId>,
    stop: &CancellationToken,
) -> Vec<StepOutcome> {
    let mut ended = Vec::new();
    loop {
        let next = waiting.values().find_map(|step| {
            let cause = step.needs.iter().find(|need| failed.contains(need));
            match cause {
                Some(cause) => Some((*step, Failure::Skipped(cause.clone()))),
                None if stop.is_cancelled() => Some((*step, Failure::Stopped)),
                None => None,
            }
        });
        let Some((step, failure)) = next else { return ended };
        waiting.remove(&step.id);
        // What did not start has not failed. Once the run is stopped, all waiting steps end here.
        if !matches!(failure, Failure::Stopped) {
            failed.insert(step.id.clone());
        }
        ended.push(StepOutcome {
            id: step.id.clone(),
            action: step.action,
            result: Err(failure),
            took: Duration::ZERO,
            sent: false,
        });
    }
}

async fn run<C: Cloud>(
    step: &Step,
    stack: &Stack<C>,
    survey: &Survey,
    cloud: &C,
    sent: SentCalls,
    on_event: impl Fn(Event) + Send + Sync + 'static,
) -> StepOutcome {
    let started = Instant::now();
    let id = step.id.clone();
    let heard = move |what: &str| on_event(Event::Waiting(id.clone(), what.to_owned()));
    let result = sent.noting(progress::heard(heard, carry_out(step, stack, survey, cloud))).await;
    StepOutcome {
        id: step.id.clone(),
        action: step.action,
        result: result.map_err(Failure::Failed),
        took: started.elapsed(),
        sent: sent.any(),
    }
}

async fn carry_out<C: Cloud>(step: &Step, stack: &Stack<C>, survey: &Survey, cloud: &C) -> Result<(), Error> {
    let kind = || stack.kind(step.id.kind()).expect("the stack knows every kind in its plan");
    let node = || stack.get(&step.id).expect("every changed resource is in the stack of the plan");
    let owner_tags = stack.scope.all_tags();
    match step.action {
        Action::Keep | Action::Refuse => return Ok(()),
        Action::Delete => return retried(async || (kind().delete)(&step.name, cloud).await).await,
        Action::Disable => {
            let disable = kind().disable.expect("a plan disables only kinds that can be disabled");
            return retried(async || disable(&step.name, &step.tags, cloud).await).await;
        }
        Action::Create => retried(async || node().create(&owner_tags, cloud).await).await?,
        Action::Recreate => {
            retried(async || (kind().delete)(&step.name, cloud).await).await?;
            retried(async || node().create(&owner_tags, cloud).await).await?;
        }
        Action::Update => {
            let seen = survey.seen.get(&step.id).and_then(|seen| seen.as_ref().ok()?.as_ref());
            let seen = seen.expect("a resource to update was read");
            if step.changes.iter().any(|change| !change.is_tag()) {
                retried(async || node().update(seen, &step.changes, cloud).await).await?;
            } else {
                retried(async || node().ready(cloud).await).await?;
            }
        }
    }
    let holder = step.parent.as_ref().unwrap_or(&step.id);
    let Some(holder) = stack.get(holder) else { return Ok(()) };
    retried(async || holder.tag(&step.tags, cloud).await).await
}
