//! The errors of bundles, with hints.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a bundle cannot be written or used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The running program is already a bundle.
    #[error("this program is a bundle, which cannot build from sources")]
    IsBundle,
    /// The bundle would replace the running program.
    #[error("cannot write a bundle to {}: it is the running program", .path.display())]
    OverItself {
        /// The path of the bundle.
        path: PathBuf,
    },
    /// The bundle would replace something that is not a regular file.
    #[error("cannot write a bundle to {}: it is {what}, not a regular file", .path.display())]
    NoFile {
        /// The path of the bundle.
        path: PathBuf,
        /// The kind of file at the path, such as `a device`.
        what: &'static str,
    },
    /// The sources changed between fingerprint and build.
    #[error("the sources changed during the build")]
    SourcesChanged,
    /// A part of the bundle is missing or altered.
    #[error("this bundle is damaged: {what}")]
    Damaged {
        /// The damaged part, and why.
        what: String,
    },
    /// The bundle is for other environments.
    #[error("this bundle is not for `{name}`, only for {}", .known.join(", "))]
    NoEnvironment {
        /// The requested environment.
        name: String,
        /// The environments in the bundle.
        known: Vec<String>,
    },
    /// The bundle has no functions with the environment's build settings.
    #[error("this bundle has no functions built with {wanted}, only with {}", .known.join(", "))]
    NoBuild {
        /// The requested settings.
        wanted: String,
        /// The settings in the bundle.
        known: Vec<String>,
    },
    /// The bundle has no such function.
    #[error("this bundle has no function `{function}`")]
    NoFunction {
        /// The requested function.
        function: String,
    },
    /// A file could not be read or written.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// `read`, `write` or `replace`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

impl BundleError {
    /// Returns a hint that fixes the error, if one is known.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::IsBundle => "run the deployer in the source checkout, or copy this file",
            Self::OverItself { .. } | Self::NoFile { .. } => "write to another file with --output",
            Self::SourcesChanged => "run the command again",
            Self::Damaged { .. } => {
                "copy it again, and compare its SHA-256 with the one that `bundle` printed"
            }
            Self::NoEnvironment { .. } => {
                "create the bundle with it (`bundle <env>… -o FILE`), or pass the folder of its file \
                 with --environments"
            }
            Self::NoBuild { .. } => "create the bundle with an environment that has this `[build]`",
            Self::NoFunction { .. } => "create the bundle again from the sources",
            Self::Io { .. } => return None,
        };
        Some(hint.to_owned())
    }

    /// Returns whether the error is a wrong use of the command line.
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

    /// Returns a closure for `map_err` that adds the action and the file.
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// Returns the error for a damaged part.
    pub(super) fn damaged(what: impl ToString) -> Self {
        Self::Damaged { what: what.to_string() }
    }
}
