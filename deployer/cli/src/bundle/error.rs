//! Everything that can go wrong with a bundle, in words that say what to do next.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why there is no bundle, or why it does not do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The program that runs has its functions with it already.
    #[error("this program is a bundle: it does not look at sources")]
    IsBundle,
    /// The bundle would take the place of the program that it is made of.
    #[error("{} is the program that runs", .path.display())]
    OverItself {
        /// Where the bundle was to go.
        path: PathBuf,
    },
    /// A file would take the place of something else.
    #[error("cannot write a bundle to {}: it is {what}, not a file", .path.display())]
    NoFile {
        /// Where the bundle was to go.
        path: PathBuf,
        /// What is there.
        what: &'static str,
    },
    /// What was fingerprinted is not what was built.
    #[error("the sources changed while they were built")]
    SourcesChanged,
    /// Something of it is missing or altered.
    #[error("this bundle is damaged: {what}")]
    Damaged {
        /// What is not as it was made.
        what: String,
    },
    /// It was made for other environments.
    #[error("this bundle is not for `{name}`, only for {}", .known.join(", "))]
    NoEnvironment {
        /// The environment asked for.
        name: String,
        /// The environments it is for.
        known: Vec<String>,
    },
    /// It has no functions built as the environment wants them.
    #[error("this bundle has no functions built with {wanted}, only with {}", .known.join(", "))]
    NoBuild {
        /// The settings asked for.
        wanted: String,
        /// The settings it has functions for.
        known: Vec<String>,
    },
    /// It has no such function.
    #[error("this bundle has no function `{function}`")]
    NoFunction {
        /// The function asked for.
        function: String,
    },
    /// A file could not be read or written.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// Read, write, replace.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl BundleError {
    /// Returns what fixes the error, where that is known.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::IsBundle => "run the deployer of the sources, or copy this file as it is",
            Self::OverItself { .. } | Self::NoFile { .. } => "name another file: --output",
            Self::SourcesChanged => "run it again",
            Self::Damaged { .. } => {
                "copy it again, and compare its SHA-256 with the one that `bundle` printed"
            }
            Self::NoEnvironment { .. } => {
                "name it when the bundle is made: `bundle <env>… -o FILE`, or give the folder of its \
                 file: --environments"
            }
            Self::NoBuild { .. } => "name an environment with that `[build]` when the bundle is made",
            Self::NoFunction { .. } => "make the bundle again from the sources",
            Self::Io { .. } => return None,
        };
        Some(hint.to_owned())
    }

    /// Tells a mistake of the command line from a failure.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::IsBundle
                | Self::OverItself { .. }
                | Self::NoFile { .. }
                | Self::NoEnvironment { .. }
                | Self::NoBuild { .. }
        )
    }

    /// Returns a closure for `map_err` that says what was being done to which file.
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// Returns the error for a part that is not as it was made.
    pub(super) fn damaged(what: impl ToString) -> Self {
        Self::Damaged { what: what.to_string() }
    }
}
