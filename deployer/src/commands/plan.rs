//! `deployer plan`: what `up` would do.

use crate::app::{App, Global};
use crate::exit::{Exit, Problem};
use crate::render::{Format, Heading, Ui, plan_in};
use crate::plan::Wishes;
use crate::session::{Access, LocalCloudIs, Planned, Session};

/// Show what `up` would do
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment: a file in the folder of environments
    environment: String,
    /// How to show it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    compare(&args.environment, args.format, false, app, global, ui).await
}

/// Looks, compares, shows, and exits with the gravest verdict.
pub(super) async fn compare(
    environment: &str,
    format: Format,
    drift: bool,
    app: &App,
    global: &Global,
    ui: &Ui,
) -> Result<Exit, Problem> {
    let session =
        Session::open(environment, app, global, LocalCloudIs::Expected, Access::Reads, ui).await?;
    let Planned { plan, .. } = session.plan(app, &Wishes::default(), ui).await?;
    let heading = Heading { scope: &session.scope, drift };
    ui.result(&plan_in(format, &plan, heading));
    Ok(Exit::of(plan.verdict))
}
