//! `deployer drift`: checks for changes made outside the deployer, for example in CI.

use super::plan::EXIT_CODES;
use crate::app::App;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::render::{PlanFormat, Question, Ui};

/// Check for changes made outside the deployer (read-only)
///
/// `plan` makes the same comparison and returns the same exit code. `drift` counts verdicts and lists what
/// is not compared; `plan` counts actions.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// Set the output format
    #[arg(long, value_enum, default_value_t)]
    format: PlanFormat,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    super::plan::compare(&args.environment, args.format, Question::Drift, app, global, ui).await
}
