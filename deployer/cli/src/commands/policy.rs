//! `deployer policy`: what whoever deploys has to be allowed. Derived, so it needs no call
//! and no credentials.

use crate::app::App;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::permissions::{MANAGED_POLICY, deploying, document, looking, size};
use crate::render::Ui;

/// Print the least IAM policy for deploying the environment
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// Only what `plan`, `drift` and `history` need
    #[arg(long)]
    read_only: bool,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    let environment = global.environment(&args.environment)?;
    let stack = app.desired(&environment);
    let statements =
        if args.read_only { looking(&environment, &stack) } else { deploying(&environment, &stack) };
    let document = document(&statements);
    ui.json(&document);
    let size = size(&document);
    let told = format!("{size} characters without white space; a managed policy has {MANAGED_POLICY}");
    if size > MANAGED_POLICY {
        ui.warn(&format!("{told}: put the statements into two, both for the same principal"));
    } else {
        ui.say(&told);
    }
    Ok(Exit::DONE)
}
