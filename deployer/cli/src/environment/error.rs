//! Errors of environment files, with their places and hints.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::suggestion::{closest, known_words};

/// The beginnings of the messages about missing keys that every environment must have.
const REQUIRED: [&str; 2] = ["the key `region` is missing", "the key `account` is missing"];

/// Why an environment cannot be used.
#[derive(Debug, Error)]
pub enum EnvironmentError {
    /// The name is not valid in names of resources.
    #[error("`{name}` cannot be the name of an environment: {reason}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
        /// The existing environment that was probably meant.
        likely: Option<String>,
    },
    /// The file does not exist.
    #[error("there is no environment file {}", .path.display())]
    Missing {
        /// The expected path of the file.
        path: PathBuf,
        /// The existing environments.
        known: Vec<String>,
    },
    /// The file cannot be read.
    #[error("cannot read {}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The functions would be built for this machine but run on AWS.
    #[error("`{name}` is on AWS, but `build.method` builds functions for this machine only")]
    HostOnAws {
        /// The environment.
        name: String,
    },
    /// The file, or one that it extends, has mistakes.
    #[error("{}", all(.path, .mistakes))]
    Invalid {
        /// The environment's own file.
        path: PathBuf,
        /// The mistakes, each with its line of the file.
        mistakes: Vec<String>,
    },
}

/// Returns all mistakes of a file as one text, which starts with their number if there are several.
fn all(path: &Path, mistakes: &[String]) -> String {
    match mistakes {
        [one] => one.clone(),
        several => format!("{} has {} mistakes\n\n{}", path.display(), several.len(), several.join("\n\n")),
    }
}

impl EnvironmentError {
    /// Returns the error of a wrong name with the existing environment that it is like, such as `dev` for
    /// `Dev.toml`.
    pub(super) fn with_likely(mut self, known: Vec<String>) -> Self {
        if let Self::Name { name, likely, .. } = &mut self {
            let file = Path::new(name.as_str()).file_name().unwrap_or_default().to_string_lossy();
            let stem = file.strip_suffix(".toml").unwrap_or(&file);
            *likely = closest(stem, known.iter().map(String::as_str)).map(str::to_owned);
        }
        self
    }

    /// Returns a hint that fixes the error, if one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { known, .. } if known.is_empty() => Some(
                "run the deployer in the root of the workspace, or name the folder: --environments".into(),
            ),
            Self::Missing { path, known } => {
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                Some(known_words(
                    &name,
                    "environments",
                    &known.iter().map(String::as_str).collect::<Vec<_>>(),
                ))
            }
            Self::Invalid { mistakes, .. }
                if mistakes.iter().any(|mistake| REQUIRED.iter().any(|key| mistake.starts_with(key))) =>
            {
                Some("every environment names its Region and its account, or extends one that does".into())
            }
            Self::Invalid { .. } => {
                Some("docs/environments.md lists all keys with their ranges, except those of [app]".into())
            }
            Self::Name { likely: Some(likely), .. } => Some(format!("did you mean `{likely}`?")),
            Self::Name { likely: None, .. } => {
                Some("use up to 20 lower-case letters, digits and hyphens, such as `dev`".into())
            }
            Self::HostOnAws { .. } => {
                Some("set `method = \"cargo\"`; `host` is for environments with a [local] table".into())
            }
            Self::Unreadable { .. } => None,
        }
    }
}
