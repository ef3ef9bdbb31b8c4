//! The last steps of creating a workspace from files.

use std::io;
use std::path::Path;

use super::cargo_command;
use super::error::BuildError;

/// Formats the code of the workspace in `dir` with rustfmt.
///
/// # Errors
/// Returns an error if cargo or rustfmt is not installed, or if the code cannot be parsed.
pub async fn format_code(dir: &Path) -> Result<(), BuildError> {
    // Without `--all`, which would also format path dependencies.
    let failed = |message| BuildError::Format { dir: dir.to_owned(), message };
    run(dir, &["fmt"]).await?.map_err(failed)
}

/// Removes packages from `Cargo.lock` in `dir` that the workspace does not need. Keeps the versions of the others.
///
/// # Errors
/// Returns an error if cargo is not installed, or if it needs the network.
pub async fn prune_lock_file(dir: &Path) -> Result<(), BuildError> {
    let failed = |message| BuildError::Lock { path: dir.join("Cargo.lock"), message };
    run(dir, &["update", "--workspace", "--offline"]).await?.map_err(failed)
}

/// Runs cargo, and returns its message if it fails.
async fn run(dir: &Path, arguments: &[&str]) -> Result<Result<(), String>, BuildError> {
    let mut cargo = cargo_command::command();
    let output = cargo.args(arguments).current_dir(dir).output().await;
    let output = output.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => cargo_command::missing(),
        _ => BuildError::io("start", cargo_command::program())(error),
    })?;
    let failed = || {
        let message = String::from_utf8_lossy(&output.stderr);
        // `cargo fmt` appends its usage.
        Err(message.split("\n\nThis utility").next().unwrap_or_default().trim().to_owned())
    };
    Ok(if output.status.success() { Ok(()) } else { failed() })
}
