//! `deployer bundle`: one executable with the functions and environment files in it.

use std::cell::RefCell;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::app::App;
use crate::build::{self, BuildSettings, Workspace};
use crate::bundle::{Built, Bundle, BundleError, Contents, Sources, Written, check_output_path};
use crate::environment::{self, AppSettings, Environment};
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::render::{Ui, count};
use crate::signal::interruptible;

/// Create one executable that contains the built functions, to deploy without sources
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environments to include; all except those of a local cloud if none is named
    #[arg(value_name = "ENVIRONMENTS")]
    named: Vec<String>,
    /// Write the bundle to this file, replacing an existing one
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    let functions = app.functions()?;
    if Bundle::running()?.is_some() {
        return Err(BundleError::IsBundle.into());
    }
    let folder = global.folder();
    let (environments, files) = environments(folder, args.named, app.settings)?;
    check_output_path(&args.output)?;
    let workspace = Workspace::discover(".", functions).await?;
    let release = workspace.release().await;
    let mut builds: BTreeMap<String, Built> = BTreeMap::new();
    for environment in &environments {
        let settings = &environment.build;
        if let Entry::Vacant(place) = builds.entry(settings.folder()) {
            place.insert(build(&workspace, settings, ui).await?);
        }
    }
    let contents = Contents {
        stack: app.stack_name.to_owned(),
        release,
        history: build::history(workspace.root()).await,
        environments: environments.into_iter().map(|environment| environment.name).collect(),
        files,
        builds: builds.into_values().collect(),
    };
    let busy = ui.busy("writing the bundle");
    let written = contents.write(&args.output)?;
    drop(busy);
    ui.result(&summary(&args.output, &contents, &written));
    Ok(Exit::DONE)
}

/// Returns the bundle's environments, and the texts of their files by name.
fn environments(
    folder: &Path,
    named: Vec<String>,
    settings: AppSettings,
) -> Result<(Vec<Environment>, BTreeMap<String, String>), Problem> {
    let all = named.is_empty();
    // Sorted and without duplicates, so that the same environments give the same bundle.
    let names: BTreeSet<String> =
        if all { environment::known(folder).into_iter().collect() } else { named.into_iter().collect() };
    let (mut environments, mut files) = (Vec::new(), BTreeMap::new());
    for name in names {
        let read = RefCell::new(BTreeMap::new());
        let environment = Environment::read(folder, &name, settings, &|path| {
            let text = std::fs::read_to_string(path)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            read.borrow_mut().insert(name, text.clone());
            Ok(text)
        })?;
        if !all || environment.local.is_none() {
            environments.push(environment);
            // With the files that this one extends.
            files.extend(read.into_inner());
        }
    }
    if environments.is_empty() {
        return Err(Problem::usage(format!("folder `{}` has no environment to bundle", folder.display()))
            .hint("name the environments, or set their folder with --environments"));
    }
    Ok((environments, files))
}

/// Builds all functions with these settings.
async fn build(workspace: &Workspace, settings: &BuildSettings, ui: &Ui) -> Result<Built, Problem> {
    let names: Vec<String> = workspace.functions().map(str::to_owned).collect();
    let sources = Sources::Workspace(workspace.clone());
    // The build fails if the sources no longer match these fingerprints.
    let fingerprints = sources.fingerprints(settings)?;
    ui.say(&format!("building {} with {settings}", count(names.len(), "function")));
    let busy = ui.busy("building functions");
    let on_event = |event| busy.build(&event);
    let packages = interruptible(sources.build(&names, settings, &fingerprints, &on_event)).await??;
    let functions = packages.into_iter().map(|(name, package)| {
        let fingerprint = fingerprints.of(&name);
        (name, (fingerprint, package))
    });
    Ok(Built { settings: settings.clone(), functions: functions.collect() })
}

fn summary(path: &Path, contents: &Contents, written: &Written) -> String {
    let megabytes = written.bytes as f64 / 1_000_000.0;
    let mut text = format!("{}  {megabytes:.1} MB  sha256 {}", path.display(), written.sha256);
    let release = contents.release.as_deref().unwrap_or("unknown");
    text.push_str(&format!("\nrelease       {release}"));
    text.push_str(&format!("\nenvironments  {}", contents.environments.join(", ")));
    for built in &contents.builds {
        let names: Vec<&str> = built.functions.keys().map(String::as_str).collect();
        text.push_str(&format!("\nfunctions     {} ({})", names.join(", "), built.settings));
    }
    text
}
