//! Whoever else is at work in the environment: there is no lock, so it is told.

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
    /// What became of its steps.
    pub(super) report: &'a ApplyReport,
    /// What was seen last of what it changed.
    pub(super) survey: &'a Survey,
    /// Who else was at work since it began.
    pub(super) met: Result<Option<Release>, Error>,
}

/// Writes down how a run ended whose changes were all made, and looks once more when somebody
/// else was at work meanwhile.
///
/// # Errors
/// Not everything is as this run made it, or the record cannot be written.
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
        let message = format!("all changes were made, but not written down: {}", problem.message);
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

/// Writes down that a run failed, and says who else was at work meanwhile: that may be why.
pub(super) async fn failed(
    run: &Run,
    report: &ApplyReport,
    survey: &Survey,
    session: &Session,
) -> Option<String> {
    let met = run.met(&session.aws).await.ok()?;
    // What failed is told already; without its last word the record says that it was cut short.
    let met = run.end(&session.aws, report, survey, Convergence::Diverged, met.clone()).await.unwrap_or(met);
    let by = met?.by;
    Some(format!("another run, by {by}, was at work meanwhile"))
}

/// Looks at everything once more, because somebody else changed things at the same time.
///
/// # Errors
/// It is not what this run made of it.
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
        ui.warn(&format!("another run, by {by}, was at work meanwhile; everything is as this one wanted it"));
        return Ok(());
    }
    let different = plan.steps.iter().filter(|step| !step.is_settled());
    let name = &session.environment.name;
    Err(Problem::new(format!(
        "another run, by {by}, was at work meanwhile, and not everything is as this one wanted it"
    ))
    .details(different.map(|step| step.id.to_string()))
    .hint(format!("agree on who deploys, then run `{} up {name}` again", ui.program())))
}
