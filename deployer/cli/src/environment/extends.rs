//! The files of an environment: its own, and those that it extends.
//!
//! The text of each file is padded in front with line breaks, so that its positions follow those of all
//! earlier files. So a position in the merged tables also identifies its file.

use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::EnvironmentError;
use super::mistakes::Mistake;
use super::value::check_name;

/// A function that reads a file: from the disk, from a bundle, or in tests from memory.
pub(crate) type Read<'a> = &'a dyn Fn(&Path) -> std::io::Result<String>;

/// The file of an environment and those that it extends.
#[derive(Debug, Default)]
pub(super) struct Chain {
    files: Vec<File>,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    /// The position of the file's text in `padded`.
    start: usize,
    padded: String,
}

impl Chain {
    /// Reads the file of this environment and all files that it extends.
    ///
    /// # Errors
    /// Fails if a file does not exist, is not TOML, or extends itself.
    pub(super) fn read(folder: &Path, name: &str, read: Read<'_>) -> Result<Self, EnvironmentError> {
        let mut chain = Self::default();
        let mut names = vec![name.to_owned()];
        chain.add(folder, name, read)?;
        while let Some(base) = chain.extended()? {
            let (at, base) = (base.span(), base.into_inner());
            let wrong = |message: String| Mistake::new(at.clone(), message);
            if names.contains(&base) {
                names.push(base);
                let message = format!("an environment cannot extend itself: {}", names.join(" → "));
                return Err(chain.invalid(&[wrong(message)]));
            }
            if let Err(error) = check_name(&base) {
                return Err(chain.invalid(&[wrong(error.to_string())]));
            }
            match chain.add(folder, &base, read) {
                Err(EnvironmentError::Missing { path, .. }) => {
                    let message = format!("there is no environment file {}", path.display());
                    return Err(chain.invalid(&[wrong(message)]));
                }
                added => added?,
            }
            names.push(base);
        }
        Ok(chain)
    }

    /// Returns the tables of all files, merged key by key: a file overrides the files that it extends.
    ///
    /// # Errors
    /// Fails if a file is not TOML.
    pub(super) fn merged(&self) -> Result<Spanned<DeTable<'_>>, EnvironmentError> {
        let mut merged = DeTable::new();
        for file in self.files.iter().rev() {
            merged = over(merged, self.parse(file)?);
        }
        // A missing key is reported for the environment's own file.
        Ok(Spanned::new(0..self.files.first().map_or(0, |file| file.padded.len()), merged))
    }

    /// Returns the error with these mistakes.
    pub(super) fn invalid(&self, mistakes: &[Mistake]) -> EnvironmentError {
        let path = self.files.first().expect("a chain begins with a file").path.clone();
        EnvironmentError::Invalid {
            path,
            mistakes: mistakes.iter().map(|mistake| self.shown(mistake)).collect(),
        }
    }

    /// Returns a mistake as text: its message, and the line with a caret under the position.
    fn shown(&self, Mistake { span, message, advice }: &Mistake) -> String {
        let file = self.files.iter().rfind(|file| file.start <= span.start);
        let file = file.unwrap_or_else(|| self.files.first().expect("a chain begins with a file"));
        let text = &file.padded[file.start..];
        // A mistake of the whole file, such as a missing key, is shown at the first line.
        let first = text.find(|c: char| !c.is_whitespace()).unwrap_or_default();
        let within = |at: usize| (at - file.start).min(text.len());
        let span = if span.len() >= text.len() { first..first } else { within(span.start)..within(span.end) };
        let marked = AnnotationKind::Primary.span(span).label(advice.as_deref());
        let path = file.path.display().to_string();
        let snippet = Snippet::source(text).path(path).annotation(marked);
        let shown = Renderer::plain().render(&[Group::with_level(Level::ERROR).element(snippet)]);
        format!("{message}\n{shown}")
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

    /// Returns the name of the environment that the last file extends.
    fn extended(&self) -> Result<Option<Spanned<String>>, EnvironmentError> {
        let Some(file) = self.files.last() else { return Ok(None) };
        match self.parse(file)?.get("extends") {
            None => Ok(None),
            Some(value) => match value.get_ref().as_str() {
                Some(name) => Ok(Some(Spanned::new(value.span(), name.to_owned()))),
                None => Err(self.invalid(&[Mistake::new(
                    value.span(),
                    "`extends` is the name of an environment, in quotes",
                )])),
            },
        }
    }

    fn parse<'a>(&self, file: &'a File) -> Result<DeTable<'a>, EnvironmentError> {
        match DeTable::parse_recoverable(&file.padded) {
            (table, errors) if errors.is_empty() => Ok(table.into_inner()),
            (_, errors) => Err(self.invalid(&errors.iter().map(Mistake::of).collect::<Vec<_>>())),
        }
    }
}

/// Returns `below` overridden by `above`: tables are merged key by key, other values are replaced.
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
