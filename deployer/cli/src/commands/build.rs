//! `deployer build`: packages the functions as `up` would.

use std::time::Instant;

use crate::app::App;
use crate::build::Workspace;
use crate::bundle::{Bundle, BundleError};
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::render::{Ui, columns, count, duration};
use crate::signal::interruptible;

/// Build and package the functions, without uploading them
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment whose build settings are used, such as dev
    environment: String,
    /// The functions to build; all if none is named
    functions: Vec<String>,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    let started = Instant::now();
    if Bundle::running()?.is_some() {
        return Err(BundleError::IsBundle.into());
    }
    let environment = global.environment(&args.environment)?;
    let workspace = Workspace::discover(".", app.package).await?;
    let wanted = match args.functions {
        named if named.is_empty() => workspace.functions().map(str::to_owned).collect(),
        named => super::each_once(named),
    };
    let packages = {
        let busy = ui.busy("building functions");
        let on_event = |event| busy.build(&event);
        interruptible(workspace.build(&wanted, &environment.build, &on_event)).await??
    };
    let here = std::env::current_dir().unwrap_or_default();
    let rows = packages.values().map(|package| {
        let megabytes = package.zip.len() as f64 / 1_000_000.0;
        let path = package.path.strip_prefix(&here).unwrap_or(&package.path);
        [package.function.clone(), format!("{megabytes:.1} MB"), path.display().to_string()]
    });
    ui.result(&columns(&rows.collect::<Vec<_>>()));
    ui.say(&format!("{} in {}", count(packages.len(), "function"), duration(started.elapsed())));
    Ok(Exit::DONE)
}
