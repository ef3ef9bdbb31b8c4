//! The workspace with different code in one function, as after a fix. Only the functions are rebuilt.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;
use std::{fs, io};

use tempfile::TempDir;

use crate::cloud::Cloud;
use crate::place::{Place, Run};

/// The folder with the code of the functions' binaries.
const BINARIES: &str = "functions/src/bin";

/// The version of the rewritten functions. Cargo treats two packages with equal names, versions and paths in
/// their workspaces as one, and would reuse the binaries of one for the other.
const VERSION: &str = "0.1.0-rewritten";

/// A workspace of links to the real one, until the value is dropped.
#[derive(Debug)]
pub struct Rewritten {
    folder: TempDir,
}

impl Rewritten {
    /// Creates a workspace with unchanged code.
    ///
    /// # Errors
    /// Fails if the workspace cannot be written, or the real one cannot be read.
    pub fn of(cloud: &Cloud) -> io::Result<Self> {
        let folder = TempDir::new()?;
        // Folders with changed files are created; everything else is a link.
        for own in ["", "functions", "functions/src", BINARIES] {
            let (real, copy) = (cloud.root().join(own), folder.path().join(own));
            fs::create_dir_all(&copy)?;
            for entry in fs::read_dir(real)? {
                let entry = entry?;
                let (name, at) = (entry.file_name(), Path::new(own).join(entry.file_name()));
                let hidden = name.to_string_lossy().starts_with('.');
                let becomes_folder = Path::new(BINARIES).starts_with(&at);
                if !hidden && !becomes_folder && name != "target" {
                    symlink(entry.path(), copy.join(name))?;
                }
            }
        }
        let own = Self { folder };
        own.edit(
            "functions/Cargo.toml",
            "\nversion.workspace = true",
            &format!("\nversion = \"{VERSION}\""),
        )?;
        let locked = |version: &str| format!("name = \"functions\"\nversion = \"{version}\"");
        own.edit("Cargo.lock", &locked(env!("CARGO_PKG_VERSION")), &locked(VERSION))?;
        Ok(own)
    }

    /// Replaces a text in a file.
    fn edit(&self, file: &str, from: &str, to: &str) -> io::Result<()> {
        let text = fs::read_to_string(self.folder.path().join(file))?;
        assert_eq!(text.matches(from).count(), 1, "{file} contains {from:?} once");
        self.write(Path::new(file), &text.replace(from, to))
    }

    /// Replaces the code of a function.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub fn rewrite(&self, function: &str, code: &str) -> io::Result<()> {
        self.write(&Path::new(BINARIES).join(format!("{function}.rs")), code)
    }

    fn write(&self, file: &Path, text: &str) -> io::Result<()> {
        let file = self.folder.path().join(file);
        if file.exists() {
            // Removes the link, not its target.
            fs::remove_file(&file)?;
        }
        fs::write(file, text)
    }

    /// Deploys an environment with this code.
    ///
    /// # Panics
    /// Panics if it cannot be deployed.
    pub fn up(&self, place: &Place<'_>) -> Run {
        let mut command: Command = place.command(&["up", "local"]);
        // Compiled dependencies are reused, but the binaries get their own folder: concurrent tests deploy
        // the original ones.
        command
            .current_dir(self.folder.path())
            .env("CARGO_BUILD_BUILD_DIR", place.cloud.target())
            .env("CARGO_TARGET_DIR", self.folder.path().join("target"));
        let before = built(place.cloud);
        let run = Run::of(&mut command);
        assert_eq!(run.code, Some(0), "{run:#?}");
        assert_eq!(built(place.cloud), before, "the binaries of other tests are unchanged");
        run
    }
}

/// Returns when the functions that all other tests deploy were built.
fn built(cloud: &Cloud) -> Vec<SystemTime> {
    let binaries = cloud.functions().iter().map(|name| cloud.target().join("debug").join(name));
    binaries
        .map(|binary| fs::metadata(binary).and_then(|file| file.modified()).expect("the function was built"))
        .collect()
}
