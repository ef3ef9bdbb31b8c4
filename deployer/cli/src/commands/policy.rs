//! `deployer policy`: prints the IAM policy that a deployment needs. It is derived, so this makes no call and
//! needs no credentials.

use crate::app::App;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::permissions::{MANAGED_POLICY, deploying, document, documents, looking, size};
use crate::render::{Ui, count};

/// Print the minimal IAM policy for deploying the environment
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// Print only what `plan`, `drift` and `history` need
    #[arg(long)]
    read_only: bool,
    /// Print only this part, from 1, of a policy that is too large for one managed policy
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..))]
    part: Option<u8>,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    let environment = global.environment(&args.environment, app)?;
    let stack = app.desired(&environment);
    let statements =
        if args.read_only { looking(&environment, &stack) } else { deploying(&environment, &stack) };
    let parts = documents(&statements);
    let document = match args.part {
        None => document(&statements),
        Some(number) => parts.get(usize::from(number) - 1).cloned().ok_or_else(|| {
            Problem::usage(format!(
                "there is no part {number}: this policy has {}",
                count(parts.len(), "part")
            ))
        })?,
    };
    ui.json(&document);
    let size = size(&document);
    let size_text =
        format!("{size} characters without white space; a managed policy may have {MANAGED_POLICY}");
    if size > MANAGED_POLICY {
        let parts = parts.len();
        ui.warn(&format!(
            "{size_text}: print it in {parts} parts with --part 1 to --part {parts}, and attach all of them"
        ));
    } else {
        ui.say(&size_text);
    }
    Ok(Exit::DONE)
}
