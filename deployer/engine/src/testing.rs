//! A cloud in memory with two kinds of resources: one with tags, one with a parent. Needs the feature
//! `testing`.

mod part;
mod thing;
mod world;

pub use part::Part;
pub use thing::Thing;
pub use world::{FakeCloud, Fault, When, World};

use serde_json::Value;

use crate::apply::{ApplyReport, apply};
use crate::change::Change;
use crate::error::Error;
use crate::plan::{Plan, Wishes, plan, teardown};
use crate::release::{Release, ReleaseRecord, ReleaseState};
use crate::resource::{Described, Kind};
use crate::retry::retried;
use crate::run::{Convergence, Run};
use crate::scope::Scope;
use crate::stack::Stack;
use crate::survey::{Survey, survey};

/// Returns the scope of all fake resources: `demo` in `dev`.
pub fn scope() -> Scope {
    Scope {
        stack: "demo".into(),
        environment: "dev".into(),
        account: "111111111111".into(),
        region: "eu-central-1".into(),
        extra_tags: Default::default(),
    }
}

/// Returns an empty stack that knows both kinds.
pub fn stack() -> Stack<FakeCloud> {
    Stack::new(scope(), vec![Kind::of::<Thing>(), Kind::of::<Part>()])
}

/// Reads the environment and plans.
pub async fn planned(stack: &Stack<FakeCloud>, cloud: &FakeCloud) -> (Survey, Plan) {
    planned_with(stack, cloud, &Wishes::default()).await
}

/// Reads the environment and plans with these wishes.
pub async fn planned_with(stack: &Stack<FakeCloud>, cloud: &FakeCloud, wishes: &Wishes) -> (Survey, Plan) {
    let survey = survey(stack, cloud).await;
    let plan = plan(stack, &survey, wishes);
    (survey, plan)
}

/// Reads, plans and applies; returns the report.
///
/// # Panics
/// Panics if another run is in progress.
pub async fn up(stack: &Stack<FakeCloud>, cloud: &FakeCloud) -> ApplyReport {
    up_with(stack, cloud, &Wishes::default()).await.expect("no other run is in progress")
}

/// Reads, plans with these wishes, records the start, applies, and records the end.
///
/// # Errors
/// Fails if the record cannot be written, or if another run was in progress.
pub async fn up_with(
    stack: &Stack<FakeCloud>,
    cloud: &FakeCloud,
    wishes: &Wishes,
) -> Result<ApplyReport, Error> {
    let (survey, plan) = planned_with(stack, cloud, wishes).await;
    let entry = Run::entry(&plan, &survey, None, "a colleague".into());
    let run = Run::begin(cloud, survey.recorded.as_ref(), entry).await?;
    let report = apply(&plan, stack, &survey, cloud, &Default::default(), |_| {}).await;
    let met = run.met(cloud).await?;
    let convergence = if met.is_none() { Convergence::Converged } else { Convergence::Diverged };
    match run.end(cloud, &report, &survey, convergence, met).await? {
        None => Ok(report),
        Some(other) => {
            Err(Error::other("release record", format!("another run, by {}, was in progress", other.by)))
        }
    }
}

/// Checks that every field of a kind's state is one of its [`Field`]s: a name such as `x_1` does not survive
/// the conversion to an enum and back.
///
/// # Panics
/// Panics if one is not.
///
/// [`Field`]: crate::resource::Field
pub fn insist_on_fields(resource: &dyn Described) {
    let state = resource.state();
    for name in state.as_object().expect("a state is an object").keys() {
        // `renews` looks up the field and panics if there is none.
        let _ = resource.renews(&Change::new(name, Value::Null, Value::Null));
    }
}

/// Deletes everything that the environment owns, the record last.
///
/// # Panics
/// Panics if another run is in progress, or if the record cannot be deleted.
pub async fn down(cloud: &FakeCloud) -> ApplyReport {
    let stack = stack();
    let survey = survey(&stack, cloud).await;
    let plan = teardown(&stack, &survey);
    if let Some(last) = &survey.recorded {
        let entry = Run::entry(&plan, &survey, None, "a colleague".into());
        let entry = Release { state: ReleaseState::Removing, deployed: Default::default(), ..entry };
        Run::begin(cloud, Some(last), entry).await.expect("no other run is in progress");
    }
    let report = apply(&plan, &stack, &survey, cloud, &Default::default(), |_| {}).await;
    if report.succeeded() {
        retried(async || cloud.forget_releases().await).await.expect("passing errors are retried");
    }
    report
}
