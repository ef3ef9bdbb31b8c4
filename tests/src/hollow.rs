//! A workspace whose functions do nothing: built in a moment and uploaded in another, for
//! tests that deploy a hundred times and never call what they deployed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use tempfile::TempDir;

use crate::cloud::Cloud;
use crate::place::Place;

const MANIFEST: &str = "[package]\nname = \"functions\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                        [profile.dev]\ndebug = false\nstrip = true\n";

/// What cargo insists on when it must not write a lock file itself.
const LOCK: &str = "version = 4\n\n[[package]]\nname = \"functions\"\nversion = \"0.1.0\"\n";

/// What the functions do.
const NOTHING: &str = "fn main() {}\n";

/// The workspace, until the value is dropped.
#[derive(Debug)]
pub struct Hollow {
    folder: TempDir,
}

impl Hollow {
    /// Makes a workspace with functions of the names that the real one has.
    ///
    /// # Errors
    /// There is no room for it, or the real one cannot be read.
    pub fn of(cloud: &Cloud) -> io::Result<Self> {
        let hollow = Self { folder: TempDir::new()? };
        let sources = PathBuf::from("src/bin");
        fs::create_dir_all(hollow.path().join(&sources))?;
        fs::write(hollow.path().join("Cargo.toml"), MANIFEST)?;
        fs::write(hollow.path().join("Cargo.lock"), LOCK)?;
        for real in fs::read_dir(cloud.root().join("functions").join(&sources))? {
            fs::write(hollow.path().join(&sources).join(real?.file_name()), NOTHING)?;
        }
        Ok(hollow)
    }

    /// Gives a function code that does not compile.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn break_code(&self, function: &str) -> io::Result<()> {
        self.write(function, "fn main() { broken }\n")
    }

    /// Gives a function code that compiles, and does nothing.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn mend_code(&self, function: &str) -> io::Result<()> {
        self.write(function, NOTHING)
    }

    fn write(&self, function: &str, code: &str) -> io::Result<()> {
        fs::write(self.path().join("src/bin").join(format!("{function}.rs")), code)
    }

    /// Returns the deployer, to be run in a place with these functions.
    pub fn command(&self, place: &Place<'_>, arguments: &[&str]) -> Command {
        let mut command = place.command(arguments);
        // Theirs would be taken for the real ones, if somebody has one target folder for all.
        command.current_dir(self.path()).env("CARGO_TARGET_DIR", self.path().join("target"));
        command
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}
