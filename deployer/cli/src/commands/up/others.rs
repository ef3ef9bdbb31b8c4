//! Detects concurrent runs in the environment, and reports them: there is no lock.

use engine::apply::ApplyReport;
use engine::error::Error;
use engine::plan::{Step, Wishes};
use engine::release::Release;
use engine::run::{Convergence, Run};
use engine::survey::Survey;

use crate::app::App;
use crate::exit::Problem;
use crate::render::Ui;
use crate::session::{Planned, Session};

/// A run whose changes were all made.
pub(super) struct Applied<'a> {
    /// The run.
    pub(super) run: &'a Run,
    /// The results of its steps.
    pub(super) report: &'a ApplyReport,
    /// The last read of the changed resources.
    pub(super) survey: &'a Survey,
    /// The entry of another run that was active since this run started, if there is one.
    pub(super) met: Result<Option<Release>, Error>,
}

/// Records the end of a run whose changes were all made, and reads everything again if another run was active
/// at the same time.
///
/// # Errors
/// Fails if the result does not match the stack, or the release record cannot be written.
pub(super) async fn conclude(
    applied: Applied<'_>,
    session: &mut Session,
    app: &App,
    wishes: &Wishes,
    ui: &Ui,
) -> Result<(), Problem> {
    let Applied { run, report, survey, met: other } = applied;
    let unrecorded = |error: Error| {
        let problem = Problem::from(error);
        let message = format!("all changes were made, but cannot record them: {}", problem.message);
        Problem { message, ..problem }
    };
    let other = other.map_err(unrecorded)?;
    let judged = match &other {
        Some(other) => met(other, session, app, wishes, ui).await,
        None => Ok(()),
    };
    let later = run.end(&session.aws, report, survey, Convergence::of(&judged), other.clone()).await;
    let later = later.map_err(unrecorded)?;
    judged?;
    match later.filter(|later| Some(later) != other.as_ref()) {
        Some(later) => met(&later, session, app, wishes, ui).await,
        None => Ok(()),
    }
}

/// Records that a run failed. Returns a message if another run was active at the same time, which may be the
/// cause.
pub(super) async fn failed(
    run: &Run,
    report: &ApplyReport,
    survey: &Survey,
    session: &Session,
) -> Option<String> {
    let met = run.met(&session.aws).await.ok()?;
    // The failure is already reported. If this entry cannot be written, the record shows an interrupted run.
    let met = run.end(&session.aws, report, survey, Convergence::Diverged, met.clone()).await.unwrap_or(met);
    let by = met?.by;
    Some(format!("another run by {by} was active at the same time"))
}

/// Reads everything again, because another run made changes at the same time.
///
/// # Errors
/// Fails if the result does not match this run's stack.
async fn met(
    other: &Release,
    session: &mut Session,
    app: &App,
    wishes: &Wishes,
    ui: &Ui,
) -> Result<(), Problem> {
    let Planned { plan, .. } = session.plan(app, wishes, ui).await?;
    let by = &other.by;
    if plan.steps.iter().all(Step::is_settled) {
        ui.warn(&format!("another run by {by} was active at the same time; the result matches your code"));
        return Ok(());
    }
    let different = plan.steps.iter().filter(|step| !step.is_settled());
    let name = &session.environment.name;
    Err(Problem::new(format!(
        "another run by {by} was active at the same time, and the result does not match your code"
    ))
    .details(different.map(|step| step.id.to_string()))
    .hint(format!("agree on who deploys, then run `{} up {name}` again", ui.program())))
}
