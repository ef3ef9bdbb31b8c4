//! `deployer plan`: shows what `up` would do.

use engine::plan::Wishes;

use crate::app::App;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::render::{Heading, PlanFormat, Question, Ui, plan_in};
use crate::session::{Planned, Session};

/// Show what `up` would do (read-only)
///
/// `drift` makes the same comparison and returns the same exit code. `plan` counts actions; `drift` counts
/// verdicts and lists what is not compared.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// Set the output format
    #[arg(long, value_enum, default_value_t)]
    format: PlanFormat,
}

/// The exit codes of `plan` and `drift`.
pub(super) const EXIT_CODES: &str = "\
Exit codes: 0 in sync, 2 pending changes, 3 drift, 4 some resources could not be read,
5 unmanaged resources have this environment's names, 6 orphans only; 1 failed, 64 usage or configuration.";

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    compare(&args.environment, args.format, Question::Plan, app, global, ui).await
}

/// Reads, compares and shows an environment. Returns the exit code of the gravest verdict.
pub(super) async fn compare(
    environment: &str,
    format: PlanFormat,
    question: Question,
    app: &App,
    global: &Global,
    ui: &Ui,
) -> Result<Exit, Problem> {
    let mut session = Session::reading(environment, app, global, ui).await?;
    let planned = session.plan(app, &Wishes::default(), ui).await?;
    // The other forms do not show it.
    let code = if format == PlanFormat::Human { planned.code().await } else { None };
    let Planned { plan, .. } = planned;
    let heading = Heading { scope: &session.scope, question, code: code.as_deref() };
    match format {
        PlanFormat::Json => ui.json(&plan),
        _ => ui.result(&plan_in(format, &plan, heading)),
    }
    Ok(Exit::of(plan.verdict))
}
