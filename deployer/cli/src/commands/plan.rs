//! `deployer plan`: what `up` would do.

use engine::plan::Wishes;

use crate::app::App;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::render::{Heading, PlanFormat, Question, Ui, plan_in};
use crate::session::{Planned, Session};

/// Show what `up` would do; only reads
///
/// `drift` makes the same comparison and ends with the same exit code. `plan` counts what is to be
/// done; `drift` counts what was found, and says what is not compared.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// How to show it
    #[arg(long, value_enum, default_value_t)]
    format: PlanFormat,
}

/// What a comparison ends with.
pub(super) const EXIT_CODES: &str = "\
Exit codes: 0 everything is as the code says, 2 pending changes, 3 drift, 4 something could not be
read, 5 foreign resources, 6 orphans only; 1 it failed, 64 usage or configuration.";

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    compare(&args.environment, args.format, Question::Plan, app, global, ui).await
}

/// Looks, compares, shows, and exits with the gravest verdict.
pub(super) async fn compare(
    environment: &str,
    format: PlanFormat,
    question: Question,
    app: &App,
    global: &Global,
    ui: &Ui,
) -> Result<Exit, Problem> {
    let mut session = Session::reading(environment, app, global, ui).await?;
    let Planned { plan, .. } = session.plan(app, &Wishes::default(), ui).await?;
    let heading = Heading { scope: &session.scope, question };
    match format {
        PlanFormat::Json => ui.json(&plan),
        _ => ui.result(&plan_in(format, &plan, heading)),
    }
    Ok(Exit::of(plan.verdict))
}
