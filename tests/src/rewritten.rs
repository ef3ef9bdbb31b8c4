//! The workspace with other code in one of its functions, as after a fix. Only what was
//! rewritten is built anew.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::{fs, io};

use tempfile::TempDir;

use crate::cloud::Cloud;
use crate::place::{Place, Run};

/// Where the binaries of the functions are.
const BINARIES: &str = "functions/src/bin";

/// A workspace of links to the real one, until the value is dropped.
#[derive(Debug)]
pub struct Rewritten {
    folder: TempDir,
}

impl Rewritten {
    /// Makes a workspace in which nothing is rewritten yet.
    ///
    /// # Errors
    /// There is no room for it, or the real one cannot be read.
    pub fn of(cloud: &Cloud) -> io::Result<Self> {
        let folder = TempDir::new()?;
        // A folder that has something of its own is a folder; all else is a link.
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
        Ok(Self { folder })
    }

    /// Gives a function other code.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn rewrite(&self, function: &str, code: &str) -> io::Result<()> {
        let file = self.folder.path().join(BINARIES).join(format!("{function}.rs"));
        if file.exists() {
            // The link, and not what it leads to.
            fs::remove_file(&file)?;
        }
        fs::write(file, code)
    }

    /// Brings an environment up with this code.
    ///
    /// # Panics
    /// It does not come up.
    pub fn up(&self, place: &Place<'_>) -> Run {
        let mut command: Command = place.command(&["up", "local"]);
        // What was compiled of others' code is used again.
        command.current_dir(self.folder.path()).env("CARGO_TARGET_DIR", place.cloud.target());
        let run = Run::of(&mut command);
        assert_eq!(run.code, Some(0), "{run:#?}");
        run
    }
}
