//! Golden files: every version of every event as it was first stored. Data in a table or an archive cannot be
//! changed, so these files never change; a new schema version adds a file.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::event::Schema;

/// The golden files of one aggregate: `<event type>.v<schema version>.json`.
#[derive(Debug, Clone)]
pub struct Golden {
    folder: PathBuf,
}

impl Golden {
    /// Returns the golden files in a folder.
    pub fn of(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Returns the text of the golden file of this version of an event.
    ///
    /// # Panics
    /// Panics if the file does not exist.
    #[track_caller]
    pub fn read(&self, event_type: &str, version: u32) -> String {
        let path = self.folder.join(name(event_type, version));
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Asserts that an event is written as in its golden file. With `GOLDEN_UPDATE=1` a missing file is
    /// created; an existing file never changes.
    ///
    /// # Panics
    /// Panics if the file is missing or differs.
    #[track_caller]
    pub fn assert_written(&self, event_type: &str, version: u32, written: &str) {
        let path = self.folder.join(name(event_type, version));
        match fs::read_to_string(&path) {
            Ok(golden) => assert_eq!(written, golden, "{} differs from the written event", path.display()),
            Err(_) if std::env::var_os("GOLDEN_UPDATE").is_some() => {
                fs::write(&path, written).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            }
            Err(error) => panic!("{}: {error}; GOLDEN_UPDATE=1 creates a missing file", path.display()),
        }
    }

    /// Asserts that there is a file for each version of each event, and no other file.
    ///
    /// # Panics
    /// Panics if a file is missing or not expected.
    #[track_caller]
    pub fn assert_complete(&self, schemas: &[Schema]) {
        let due = schemas
            .iter()
            .flat_map(|schema| (1..=schema.version()).map(|version| name(schema.event_type, version)));
        let there = fs::read_dir(&self.folder).and_then(|files| {
            files.map(|file| Ok(file?.file_name().to_string_lossy().into_owned())).collect()
        });
        let there: BTreeSet<String> =
            there.unwrap_or_else(|error| panic!("{}: {error}", self.folder.display()));
        let due: BTreeSet<String> = due.collect();
        let folder = self.folder.display();
        assert_eq!(
            there, due,
            "{folder} has one file for each version of each event: add new events to the story"
        );
    }
}

fn name(event_type: &str, version: u32) -> String {
    format!("{event_type}.v{version}.json")
}
