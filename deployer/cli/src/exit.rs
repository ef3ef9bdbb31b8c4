//! How a command ends: its exit code, or a problem with a hint.

use std::fmt;
use std::process::ExitCode;

use engine::error::{Class, Error};
use engine::plan::Verdict;

use crate::build::BuildError;
use crate::environment::EnvironmentError;
use crate::local::LocalError;
use aws::WrongEndpoint;

/// An exit code, as documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit(u8);

impl Exit {
    /// In sync, or done.
    pub const DONE: Self = Self(0);
    /// Something failed.
    pub const ERROR: Self = Self(1);
    /// Two things that should be alike are not.
    pub const DIFFERENT: Self = Self(3);
    /// Something could not be read, so the result is unknown.
    pub const UNREADABLE: Self = Self(4);
    /// The command line or a configuration file is wrong (`EX_USAGE`, sysexits.h).
    pub const USAGE: Self = Self(64);
    /// A signal ended it early (128 + SIGINT).
    pub const INTERRUPTED: Self = Self(130);

    /// Returns the exit code of a comparison whose gravest verdict is this.
    pub fn of(verdict: Verdict) -> Self {
        Self(verdict.exit_code())
    }

    /// Returns the code itself.
    pub(crate) fn code(self) -> u8 {
        self.0
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command failed.
#[derive(Debug)]
pub struct Problem {
    /// What went wrong, as a lowercase fragment.
    pub message: String,
    /// What it was because of, outermost first, or the items that it is about.
    pub details: Vec<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// How to exit.
    pub exit: Exit,
}

impl Problem {
    /// Returns a problem that exits with an error.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), details: Vec::new(), hint: None, exit: Exit::ERROR }
    }

    /// Returns a problem of the command line or of configuration.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::USAGE, ..Self::new(message) }
    }

    /// Returns the problem that a call failed, with a hint for where it was because there is no
    /// such thing.
    pub(crate) fn of_call(error: Error, where_gone: impl FnOnce() -> String) -> Self {
        let gone = error.class == Class::Gone;
        let problem = Self::from(error);
        if gone { problem.hint(where_gone()) } else { problem }
    }

    /// Returns the problem with a hint.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Returns the problem with these details.
    pub fn details(self, details: impl IntoIterator<Item = String>) -> Self {
        Self { details: details.into_iter().collect(), ..self }
    }

    /// Returns the problem with the exit code of this verdict.
    pub fn exit(self, verdict: Verdict) -> Self {
        Self { exit: Exit::of(verdict), ..self }
    }

    /// Returns a problem that exits with an error, with the causes of that as details.
    pub(crate) fn caused(error: &dyn std::error::Error) -> Self {
        let causes = std::iter::successors(error.source(), |cause| cause.source());
        Self::new(error.to_string()).details(causes.map(ToString::to_string))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<EnvironmentError> for Problem {
    fn from(error: EnvironmentError) -> Self {
        Self { hint: error.hint(), exit: Exit::USAGE, ..Self::caused(&error) }
    }
}

impl From<BuildError> for Problem {
    fn from(error: BuildError) -> Self {
        let exit = if matches!(error, BuildError::NoFunction { .. }) { Exit::USAGE } else { Exit::ERROR };
        Self { hint: error.hint(), exit, ..Self::caused(&error) }
    }
}

impl From<WrongEndpoint> for Problem {
    fn from(error: WrongEndpoint) -> Self {
        Self::usage(error.to_string()).hint(error.hint())
    }
}

impl From<LocalError> for Problem {
    fn from(error: LocalError) -> Self {
        Self { hint: error.hint(), ..Self::caused(&error) }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self { hint: error.hint.clone(), ..Self::new(error.to_string()) }
    }
}
