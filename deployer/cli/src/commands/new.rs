//! `deployer new`: writes a small system of its own into a new folder, and formats it. The folder appears complete or
//! not at all.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::app::App;
use crate::build::{self, commit_of, format_code, prune_lock_file, relative};
use crate::exit::{Exit, Problem};
use crate::render::{Ui, count};
use crate::signal::interruptible;
use crate::template::{AggregateName, Crates, SystemName, Template};

/// The files of the checkout that a new system begins with: the same versions of everything.
const COPIED: [&str; 2] = ["Cargo.lock", "rust-toolchain.toml"];

/// Write a small system of your own: one aggregate, one command, one query, one handler
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder to create, such as ../bank
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The name of the system, the first part of the name of every resource: at most 16 characters [default: that of the folder]
    #[arg(long)]
    name: Option<SystemName>,
    /// The name of its aggregate, such as bank-account: at most 18 characters
    #[arg(long, default_value = "support-ticket")]
    aggregate: AggregateName,
    /// Take the crates from this git repository [default: from this checkout, by its path]
    #[arg(long, value_name = "URL", value_parser = git_url)]
    git: Option<String>,
    /// Take them at this commit, tag or branch [default: the commit of this checkout]
    #[arg(long, value_name = "REV", requires = "git")]
    rev: Option<String>,
}

pub(crate) async fn run(args: Args, app: &App, ui: &Ui) -> Result<Exit, Problem> {
    let template = app.template.ok_or_else(|| {
        Problem::usage(format!("the deployer of `{}` has no template of a new system", app.stack_name))
            .hint("run `cargo deployer new` in the checkout of the crates that this system depends on")
    })?;
    let checkout = checkout(&template)?;
    let parent = parent(&args.folder)?;
    let system = match args.name {
        Some(name) => name,
        None => name_of(&args.folder)?,
    };
    let folder = parent.join(args.folder.file_name().unwrap_or_default());
    let crates = match args.git {
        None => Crates::Path(relative(&checkout, &folder)),
        Some(url) => Crates::Git { url, revision: revision(args.rev, &checkout).await? },
    };
    let files = template.rendered(&system, &args.aggregate, &crates)?;
    let draft = draft(&parent)?;
    for (path, text) in &files {
        write(&draft.path().join(path), text)?;
    }
    for name in COPIED {
        let to = draft.path().join(name);
        fs::copy(checkout.join(name), &to).map_err(cannot("copy", &checkout.join(name)))?;
    }
    let finished = interruptible(async {
        let formatted = format_code(draft.path()).await;
        // With other crates, cargo first has to fetch them. Its next command does the same.
        let _ = prune_lock_file(draft.path()).await;
        formatted
    });
    // A signal deletes the draft.
    let formatted = finished.await.map_err(|problem| Problem {
        message: format!("interrupted, so `{}` was not created", args.folder.display()),
        ..problem
    })?;
    if let Err(error) = formatted {
        ui.warn(&format!("the code is not formatted: {error}"));
    }
    fs::rename(draft.path(), &folder).map_err(cannot("create", &folder))?;
    // It no longer exists under its old name, so there is nothing to delete.
    let _ = draft.keep();
    ui.result(&format!(
        "created the system `{system}` in {}: {}\nits business rules are in domain/src/{}.rs; README.md says where everything else is",
        args.folder.display(),
        count(files.len() + COPIED.len(), "file"),
        args.aggregate.snake(),
    ));
    if let Crates::Path(path) = &crates {
        ui.say(&format!(
            "its crates are in {path}; a system that is built elsewhere, as in CI, needs `--git <URL>`"
        ));
    }
    let folder = args.folder.to_string_lossy();
    let folder = shlex::try_quote(&folder).unwrap_or(Cow::Borrowed(&folder));
    ui.say(&format!("next: cd {folder} && cargo deployer up local"));
    Ok(Exit::DONE)
}

/// Checks the address of a repository, as far as cargo demands it.
fn git_url(text: &str) -> Result<String, String> {
    match text.split_once("://") {
        Some((scheme, rest)) if !scheme.is_empty() && !rest.is_empty() && !text.contains([' ', '"']) => {
            Ok(text.to_owned())
        }
        _ => Err(format!(
            "`{text}` is not a URL, such as https://example.com/carts.git or ssh://git@example.com/carts.git"
        )),
    }
}

/// Returns the checkout with the template's crates.
fn checkout(template: &Template) -> Result<PathBuf, Problem> {
    Path::new(template.checkout).canonicalize().map_err(|error| {
        Problem::new(format!("cannot find the checkout of this program, `{}`: {error}", template.checkout))
            .hint("run `cargo deployer new` in a checkout of its repository")
    })
}

/// Returns the name of a system whose name is that of its folder.
fn name_of(folder: &Path) -> Result<SystemName, Problem> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.parse().map_err(|reason| {
        Problem::usage(format!("cannot name the system after its folder: {reason}"))
            .hint("choose a name with --name, such as --name bank")
    })
}

/// Returns the absolute path of the folder in which a new folder is created.
fn parent(folder: &Path) -> Result<PathBuf, Problem> {
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A link that leads nowhere exists as well.
    if folder.symlink_metadata().is_ok() {
        return Err(Problem::usage(format!("cannot create `{}`: it exists", folder.display()))
            .hint("name a folder that does not exist yet"));
    }
    parent.canonicalize().map_err(|error| {
        Problem::usage(format!("cannot find the folder `{}`: {error}", parent.display()))
            .hint("create it first")
    })
}

/// Creates a folder that is deleted unless it is kept. It is next to the new folder, so that paths from the one are also
/// right in the other.
fn draft(parent: &Path) -> Result<TempDir, Problem> {
    let mut builder = tempfile::Builder::new();
    // As for any folder, the umask applies; a temporary folder would be private.
    builder.prefix(".deployer-new-").permissions(fs::Permissions::from_mode(0o777));
    builder.tempdir_in(parent).map_err(cannot("create a folder in", parent))
}

/// Returns the given revision, or the commit of the checkout.
async fn revision(given: Option<String>, checkout: &Path) -> Result<String, Problem> {
    if let Some(given) = given {
        return Ok(given);
    }
    let release = build::release(checkout).await;
    let release = release.ok_or_else(|| {
        Problem::usage(format!("the commit of `{}` cannot be read from git", checkout.display()))
            .hint("name a commit, tag or branch of the repository with --rev")
    })?;
    Ok(commit_of(&release).0.to_owned())
}

fn write(path: &Path, text: &str) -> Result<(), Problem> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(cannot("create", folder))?;
    fs::write(path, text).map_err(cannot("write", path))
}

fn cannot(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Problem {
    let path = path.to_owned();
    move |error| Problem::new(format!("cannot {verb} `{}`: {error}", path.display()))
}
