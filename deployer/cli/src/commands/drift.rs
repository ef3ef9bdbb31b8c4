//! `deployer drift`: is everything still as the code says? For CI.

use super::plan::EXIT_CODES;
use crate::app::App;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::render::{PlanFormat, Question, Ui};

/// Tell whether everything is still as the code says; only reads
///
/// `plan` makes the same comparison and ends with the same exit code. `drift` counts what was found,
/// and says what is not compared; `plan` counts what is to be done.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// How to show it
    #[arg(long, value_enum, default_value_t)]
    format: PlanFormat,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    super::plan::compare(&args.environment, args.format, Question::Drift, app, global, ui).await
}
