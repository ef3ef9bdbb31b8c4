//! `deployer policy`: prints the IAM policy that a deployment needs. It is derived, so this makes no call and
//! needs no credentials.

use crate::app::App;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::permissions::{MANAGED_POLICY, deploying, document, looking, size};
use crate::render::Ui;

/// Print the minimal IAM policy for deploying the environment
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// Print only what `plan`, `drift` and `history` need
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
    let size_text =
        format!("{size} characters without white space; a managed policy may have {MANAGED_POLICY}");
    if size > MANAGED_POLICY {
        ui.warn(&format!(
            "{size_text}: split the statements into two policies attached to the same principal"
        ));
    } else {
        ui.say(&size_text);
    }
    Ok(Exit::DONE)
}
