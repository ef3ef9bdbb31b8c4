//! What can be wrong with an environment file, said with file, line and hint.

use std::path::PathBuf;

use thiserror::Error;

/// Why an environment cannot be used.
#[derive(Debug, Error)]
pub enum EnvironmentError {
    /// The name cannot be part of the names of resources.
    #[error("`{name}` cannot be the name of an environment: {reason}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There is no file.
    #[error("there is no environment file {}", .path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
        /// The environments there are.
        known: Vec<String>,
    },
    /// The file cannot be read.
    #[error("cannot read {}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The functions would be built for another machine than they are to run on.
    #[error("`{name}` is on AWS, and its functions would be built for this machine (`build.method`)")]
    HostOnAws {
        /// The environment.
        name: String,
    },
    /// The file says something wrong.
    #[error("{}:{line}: {message}\n  {quote}", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The line's text.
        quote: String,
        /// What is wrong.
        message: String,
    },
}

impl EnvironmentError {
    /// Returns what fixes the error.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { known, .. } if known.is_empty() => Some(
                "run the deployer in the root of the workspace, or name the folder: --environments".into(),
            ),
            Self::Missing { known, .. } => {
                let there = if let [one] = known.as_slice() {
                    format!("there is {one}")
                } else {
                    format!("there are {}", known.join(", "))
                };
                Some(format!("{there}; a new one is a new file in that folder"))
            }
            Self::Invalid { message, .. }
                if ["missing field `region`", "missing field `account`"].contains(&message.as_str()) =>
            {
                Some("every environment names its region and its account, or extends one that does".into())
            }
            Self::Invalid { .. } => Some("docs/environments.md lists every key with its range".into()),
            Self::Name { .. } => {
                Some("use up to 20 lower-case letters, digits and hyphens, such as `dev`".into())
            }
            Self::HostOnAws { .. } => Some(
                "choose a method that is for Lambda, such as \"cargo\"; \"host\" is for a [local] table"
                    .into(),
            ),
            Self::Unreadable { .. } => None,
        }
    }
}
