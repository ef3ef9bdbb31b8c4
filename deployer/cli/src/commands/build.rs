//! `deployer build`: packages the functions as `up` would.

use std::path::Path;
use std::time::Instant;

use crate::app::App;
use crate::build::Workspace;
use crate::bundle::{Bundle, BundleError};
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::render::{Ui, columns, count, duration};
use crate::signal::interruptible;
use aws::Package;

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
    let functions = app.functions()?;
    if Bundle::running()?.is_some() {
        return Err(BundleError::IsBundle.into());
    }
    let environment = global.environment(&args.environment, app)?;
    let workspace = Workspace::discover(".", functions).await?;
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
    let rows = packages.values().map(|package| row(package, &here));
    ui.result(&columns(&rows.collect::<Vec<_>>()));
    ui.say(&format!("{} in {}", count(packages.len(), "function"), duration(started.elapsed())));
    Ok(Exit::DONE)
}

/// Returns name, size and file of a package; the file relative to the current folder, if it is below it.
fn row(package: &Package, here: &Path) -> [String; 3] {
    let path = package.path.strip_prefix(here).unwrap_or(&package.path);
    [package.function.clone(), package.size(), path.display().to_string()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_is_shown_with_a_short_path() {
        let zip = vec![0; 12_600_000].into();
        let path = "/home/me/cart/target/deployer/dev-host/add-item.zip".into();
        let package = Package { function: "add-item".into(), zip, sha256: String::new(), path };
        let short = row(&package, Path::new("/home/me/cart"));
        assert_eq!(short, ["add-item", "12.6 MB", "target/deployer/dev-host/add-item.zip"]);
        assert_eq!(row(&package, Path::new("/tmp"))[2], package.path.display().to_string());
    }
}
