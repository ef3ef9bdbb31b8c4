//! `deployer history`: who deployed what, and when, as the release record has it.

use clap::ValueEnum;
use engine::release::{PastRun, ReleaseRecord, history};
use engine::retry::retried;

use crate::app::App;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::render::{Ui, history_text};
use crate::session::Session;

/// Show who deployed what, and when; only reads
///
/// Tells the runs of `up` since the environment was last taken down, from its release record.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// How to show it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// A table, the latest first
    #[default]
    Human,
    /// Stable and versioned
    Json,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    let name = &args.environment;
    let session = Session::reading(name, app, global, ui).await?;
    let (_, recorded) =
        futures::try_join!(session.aws.guard(), retried(async || session.aws.releases(0).await),)?;
    let runs: Vec<PastRun> = history(recorded);
    match args.format {
        Format::Human if runs.is_empty() => {
            ui.say(&format!("nothing was deployed to {name}, or all of it was removed since"));
        }
        Format::Human => ui.result(&history_text(&runs)),
        Format::Json => ui.json(&serde_json::json!({
            "schema": 1,
            "environment": name,
            "runs": runs,
        })),
    }
    Ok(Exit::DONE)
}
