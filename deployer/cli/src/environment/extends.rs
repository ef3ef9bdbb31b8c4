//! An environment that extends another: the files, nearest first, and where in them a key is.
//!
//! Every file is read behind as many line breaks as all files before it are long. So a place
//! in the merged tables tells the file as well, and an error is shown where it was written.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::EnvironmentError;
use super::value::check_name;

/// The keys that take a list of values.
const LISTS: [&str; 2] = ["alarms.notify", "org.kms.former"];

/// Reads a file; a bundle reads its own, and tests read from memory.
pub(crate) type Read<'a> = &'a dyn Fn(&Path) -> std::io::Result<String>;

/// The file of an environment and those that it extends.
#[derive(Debug, Default)]
pub(super) struct Chain {
    files: Vec<File>,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    /// Where its text begins in `padded`.
    start: usize,
    padded: String,
}

impl Chain {
    /// Reads the file of this environment and every one that it extends.
    ///
    /// # Errors
    /// One is not there, is not TOML, or extends itself.
    pub(super) fn read(folder: &Path, name: &str, read: Read<'_>) -> Result<Self, EnvironmentError> {
        let mut chain = Self::default();
        let mut names = vec![name.to_owned()];
        chain.add(folder, name, read)?;
        while let Some(base) = chain.extended()? {
            let (at, base) = (base.span(), base.into_inner());
            let refuse = |message| Err(chain.invalid(Some(at.clone()), message));
            if names.contains(&base) {
                names.push(base);
                return refuse(format!("an environment cannot extend itself: {}", names.join(" → ")));
            }
            if let Err(error) = check_name(&base) {
                return refuse(error.to_string());
            }
            match chain.add(folder, &base, read) {
                Err(EnvironmentError::Missing { path, .. }) => {
                    let message = format!("there is no environment file {}", path.display());
                    return Err(chain.invalid(Some(at), message));
                }
                added => added?,
            }
            names.push(base);
        }
        Ok(chain)
    }

    /// Returns the tables of all files as one: the nearer file wins, key by key.
    ///
    /// # Errors
    /// There is a list, which would fill a table's keys in the order in which this program
    /// declares them.
    pub(super) fn merged(&self) -> Result<Spanned<DeTable<'_>>, EnvironmentError> {
        let mut merged = DeTable::new();
        for file in self.files.iter().rev() {
            let table = DeTable::parse(&file.padded).map_err(|error| self.wrong(&error))?;
            merged = over(merged, table.into_inner());
        }
        if let Some((path, span)) = list(&merged, "") {
            return Err(
                self.invalid(Some(span), format!("`{path}` is a list, and has to be a table: [{path}]"))
            );
        }
        // What is missing is missing in the nearest file.
        Ok(Spanned::new(0..self.files.first().map_or(0, |file| file.padded.len()), merged))
    }

    /// Places an error of the TOML parser.
    pub(super) fn wrong(&self, error: &toml::de::Error) -> EnvironmentError {
        self.invalid(error.span(), error.message().trim().replace('\n', "; "))
    }

    /// Places what is wrong with what was read.
    pub(super) fn invalid(&self, span: Option<Range<usize>>, message: String) -> EnvironmentError {
        let position = span.map_or(0, |span| span.start);
        let file = self.files.iter().rfind(|file| file.start <= position);
        let file = file.unwrap_or_else(|| self.files.first().expect("a chain begins with a file"));
        let text = &file.padded[file.start..];
        let before = text.get(..position - file.start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        EnvironmentError::Invalid {
            path: file.path.clone(),
            line,
            quote: text.lines().nth(line - 1).unwrap_or_default().trim().to_owned(),
            message,
        }
    }

    fn add(&mut self, folder: &Path, name: &str, read: Read<'_>) -> Result<(), EnvironmentError> {
        let path = folder.join(format!("{name}.toml"));
        let text = match read(&path) {
            Ok(text) => text,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
                return Err(EnvironmentError::Missing { known: super::known(folder), path });
            }
            Err(source) => return Err(EnvironmentError::Unreadable { path, source }),
        };
        let start = self.files.last().map_or(0, |file| file.padded.len());
        self.files.push(File { path, start, padded: "\n".repeat(start) + &text });
        Ok(())
    }

    /// Returns what the last file extends.
    fn extended(&self) -> Result<Option<Spanned<String>>, EnvironmentError> {
        let Some(file) = self.files.last() else { return Ok(None) };
        let table = DeTable::parse(&file.padded).map_err(|error| self.wrong(&error))?;
        match table.get_ref().get("extends") {
            None => Ok(None),
            Some(value) => match value.get_ref().as_str() {
                Some(name) => Ok(Some(Spanned::new(value.span(), name.to_owned()))),
                None => Err(self.invalid(
                    Some(value.span()),
                    "`extends` is the name of an environment, in quotes".into(),
                )),
            },
        }
    }
}

/// Lays one table over another: tables key by key, everything else whole.
fn over<'a>(mut below: DeTable<'a>, above: DeTable<'a>) -> DeTable<'a> {
    for (key, value) in above {
        let span = value.span();
        let value = match (below.remove(&key).map(Spanned::into_inner), value.into_inner()) {
            (Some(DeValue::Table(below)), DeValue::Table(above)) => DeValue::Table(over(below, above)),
            (_, value) => value,
        };
        below.insert(key, Spanned::new(span, value));
    }
    below
}

/// Finds a list where there is to be none: as a table, it would be taken for one.
fn list(table: &DeTable<'_>, prefix: &str) -> Option<(String, Range<usize>)> {
    table.iter().find_map(|(key, value)| {
        let path = format!("{prefix}{key}");
        match value.get_ref() {
            DeValue::Array(_) if LISTS.contains(&path.as_str()) => None,
            DeValue::Array(_) => Some((path, key.span())),
            DeValue::Table(inner) => list(inner, &format!("{path}.")),
            _ => None,
        }
    })
}
