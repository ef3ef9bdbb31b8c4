//! A workspace whose functions do nothing, which is built and uploaded quickly, for tests that deploy often
//! and never call the functions.

use std::path::Path;
use std::process::Command;
use std::{fs, io};

use tempfile::TempDir;

use crate::cloud::Cloud;
use crate::place::Place;

const MANIFEST: &str = "[package]\nname = \"functions\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                        [profile.dev]\ndebug = false\nstrip = true\n";

/// The lock file, which cargo requires when it must not write one.
const LOCK: &str = "version = 4\n\n[[package]]\nname = \"functions\"\nversion = \"0.1.0\"\n";

/// The code of the functions.
const NOTHING: &str = "fn main() {}\n";

/// The workspace, until the value is dropped.
#[derive(Debug)]
pub struct Hollow {
    folder: TempDir,
}

impl Hollow {
    /// Creates a workspace with functions of the same names as the real ones.
    ///
    /// # Errors
    /// Fails if the workspace cannot be written.
    pub fn of(cloud: &Cloud) -> io::Result<Self> {
        let hollow = Self { folder: TempDir::new()? };
        fs::create_dir_all(hollow.path().join("src/bin"))?;
        fs::write(hollow.path().join("Cargo.toml"), MANIFEST)?;
        fs::write(hollow.path().join("Cargo.lock"), LOCK)?;
        for function in cloud.functions() {
            hollow.mend_code(function)?;
        }
        Ok(hollow)
    }

    /// Gives a function code that does not compile.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub fn break_code(&self, function: &str) -> io::Result<()> {
        self.write(function, "fn main() { broken }\n")
    }

    /// Gives a function code that compiles, and does nothing.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub fn mend_code(&self, function: &str) -> io::Result<()> {
        self.write(function, NOTHING)
    }

    fn write(&self, function: &str, code: &str) -> io::Result<()> {
        fs::write(self.path().join("src/bin").join(format!("{function}.rs")), code)
    }

    /// Returns a command that runs the deployer in a place with these functions.
    pub fn command(&self, place: &Place<'_>, arguments: &[&str]) -> Command {
        let mut command = place.command(arguments);
        // If all workspaces shared one target folder, these binaries would replace the real ones.
        command.current_dir(self.path()).env("CARGO_TARGET_DIR", self.path().join("target"));
        command
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}
