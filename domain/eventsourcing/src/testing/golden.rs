//! Golden files: every version of every event as it was first stored. Data in a table or an archive cannot be
//! changed, so these files never change; a new schema version adds a file.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::event::{Event, Schema, decode};
use crate::json::JsonText;

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
    /// created, with its folder; an existing file never changes.
    ///
    /// # Panics
    /// Panics if the file is missing or differs.
    #[track_caller]
    pub fn assert_written(&self, event_type: &str, version: u32, written: &str) {
        let path = self.folder.join(name(event_type, version));
        match fs::read_to_string(&path) {
            Ok(golden) => assert_eq!(
                written,
                golden,
                "{} differs from the written event, and stored events never change: give the event a new \
                 schema version with an upcaster; or delete the file if no such event was ever stored",
                path.display()
            ),
            Err(_) if std::env::var_os("GOLDEN_UPDATE").is_some() => {
                let made = fs::create_dir_all(&self.folder).and_then(|()| fs::write(&path, written));
                if let Err(error) = made {
                    panic!("{}: {error}", path.display());
                }
            }
            Err(error) => panic!("{}: {error}; GOLDEN_UPDATE=1 creates a missing file", path.display()),
        }
    }

    /// Asserts that there is a file with the data of each version of each event, and no other file, and that the
    /// current code reads each of them: a wrong upcaster would make stored aggregates unreadable.
    ///
    /// # Panics
    /// Panics if a file is missing, not expected, or cannot be read as an event.
    #[track_caller]
    pub fn assert_data_is_read<E: Event>(&self) {
        self.assert_complete(E::SCHEMAS);
        for schema in E::SCHEMAS {
            for version in 1..=schema.version() {
                let name = name(schema.event_type, version);
                let data = JsonText::parse(self.read(schema.event_type, version).trim_end().to_owned());
                let data = data.unwrap_or_else(|error| panic!("{name}: {error}"));
                let read = decode::<E>(schema.event_type, version, &data);
                read.unwrap_or_else(|error| panic!("{name} cannot be read: {}", chain(&error)));
            }
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
            "{folder} has one file for each version of each event: add an event of each new type to the test that writes \
             these files"
        );
    }
}

/// Returns an error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn name(event_type: &str, version: u32) -> String {
    format!("{event_type}.v{version}.json")
}
