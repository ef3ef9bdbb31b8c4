//! `deployer history`: shows who deployed what, and when, from the release record.

use engine::release::{PastRun, ReleaseRecord, history};
use engine::retry::retried;

use crate::app::App;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::render::{ReportFormat, Ui, history_text};
use crate::session::Session;

/// Show who deployed what, and when (read-only)
///
/// Lists the runs of `up` since the environment was last destroyed, from its release record.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// Set the output format
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    let name = &args.environment;
    let session = Session::reading(name, app, global, ui).await?;
    let (_, recorded) =
        futures::try_join!(session.aws.guard(), retried(async || session.aws.releases(0).await),)?;
    let runs: Vec<PastRun> = history(recorded);
    match args.format {
        ReportFormat::Human if runs.is_empty() => {
            ui.say(&format!("nothing was deployed to {name}, or everything was removed since"));
        }
        ReportFormat::Human => ui.result(&history_text(&runs)),
        ReportFormat::Json => ui.json(&serde_json::json!({
            "schema": 1,
            "environment": name,
            "runs": runs,
        })),
    }
    Ok(Exit::DONE)
}
