//! `deployer drift`: is everything still as the code says? For CI.

use crate::app::{App, Global};
use crate::exit::{Exit, Problem};
use crate::render::{Format, Ui};

/// Tell whether everything is still as the code says; only reads
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment: a file in the folder of environments
    environment: String,
    /// How to show it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    super::plan::compare(&args.environment, args.format, true, app, global, ui).await
}
