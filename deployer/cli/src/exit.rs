//! How a command ends: its exit code, or a problem with a hint.

use std::fmt;
use std::process::ExitCode;

use engine::error::{Class, Error};
use engine::plan::Verdict;

use crate::build::BuildError;
use crate::environment::EnvironmentError;
use crate::local::LocalError;
use aws::WrongEndpoint;

/// The exit code of a command. `docs/commands.md` lists the exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit(u8);

impl Exit {
    /// In sync, or done.
    pub const DONE: Self = Self(0);
    /// The command failed.
    pub const ERROR: Self = Self(1);
    /// `audit` found differences. The code is that of [`Verdict::Drift`].
    pub const DIFFERENT: Self = Self(3);
    /// A part could not be read, so the result is unknown.
    pub const UNREADABLE: Self = Self(4);
    /// The command line or a configuration file is wrong (`EX_USAGE`, sysexits.h).
    pub const USAGE: Self = Self(64);
    /// A signal ended the command early (128 + SIGINT).
    pub const INTERRUPTED: Self = Self(130);

    /// Returns the exit code for the gravest verdict of a comparison.
    pub fn of(verdict: Verdict) -> Self {
        Self(verdict.exit_code())
    }

    /// Returns the exit code as a number.
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
    /// The causes, outermost first, or the items that the problem is about.
    pub details: Vec<String>,
    /// What the user can do about it.
    pub hint: Option<String>,
    /// The exit code of the command.
    pub exit: Exit,
}

impl Problem {
    /// Returns a problem with this message and exit code 1.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), details: Vec::new(), hint: None, exit: Exit::ERROR }
    }

    /// Returns a problem of the command line or of the configuration, with exit code 64.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::USAGE, ..Self::new(message) }
    }

    /// Returns the problem of a failed call. If the resource does not exist, the hint is `hint_if_gone()`.
    pub(crate) fn of_call(error: Error, hint_if_gone: impl FnOnce() -> String) -> Self {
        let gone = error.class == Class::Gone;
        let problem = Self::from(error);
        if gone { problem.hint(hint_if_gone()) } else { problem }
    }

    /// Returns the problem with a hint.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Returns the problem with these details in place of earlier ones.
    pub fn details(self, details: impl IntoIterator<Item = String>) -> Self {
        Self { details: details.into_iter().collect(), ..self }
    }

    /// Returns the problem with the exit code of this verdict.
    pub fn exit(self, verdict: Verdict) -> Self {
        Self { exit: Exit::of(verdict), ..self }
    }

    /// Returns a problem with the error's message, its causes as details, and exit code 1.
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
