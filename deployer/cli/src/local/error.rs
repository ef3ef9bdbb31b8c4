//! The errors of the local cloud, with hints.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

/// Why an operation of the local cloud failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LocalError {
    /// No Python was found.
    #[error("the local cloud needs Python 3.10 or newer, but `python3` was not found")]
    PythonMissing,
    /// Every Python found is too old for MiniStack.
    #[error("the local cloud needs Python 3.10 or newer, but found only {found}")]
    PythonTooOld {
        /// The Pythons found, such as `python3 (3.9)`.
        found: String,
    },
    /// Python has no `venv` or `ensurepip` module, as on Debian.
    #[error("{python} cannot create virtual environments: its `venv` module is missing")]
    VenvMissing {
        /// The interpreter.
        python: String,
        /// Its version, such as `3.11`.
        version: String,
    },
    /// A step of the installation failed.
    #[error("cannot install MiniStack {version} ({step})\n{output}")]
    Install {
        /// The pinned version.
        version: &'static str,
        /// The step that failed.
        step: &'static str,
        /// Python's output.
        output: String,
    },
    /// Another program uses the port.
    #[error("port {port} is in use by {holder}, which this deployer did not start")]
    PortTaken {
        /// The port.
        port: u16,
        /// The program that answers there, as far as known.
        holder: String,
    },
    /// MiniStack ended before it was ready.
    #[error("MiniStack ended while it was starting ({status}); its log, {}, ends with\n{tail}", .log.display())]
    Died {
        /// Its exit status.
        status: String,
        /// Its log file.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// MiniStack runs but does not answer.
    #[error("MiniStack (process {pid}) does not answer after {} s; its log, {}, ends with\n{tail}", .waited.as_secs(), .log.display())]
    NoAnswer {
        /// The process.
        pid: i32,
        /// How long the deployer waited.
        waited: Duration,
        /// Its log file.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// MiniStack answered a request with an error status.
    #[error("MiniStack could not {action}: status {status}")]
    Refused {
        /// The requested action.
        action: &'static str,
        /// The HTTP status.
        status: u16,
    },
    /// The action needs a running MiniStack.
    #[error("no local cloud runs on port {port}")]
    NotRunning {
        /// The port.
        port: u16,
    },
    /// The process still runs after SIGKILL.
    #[error("cannot stop MiniStack: process {pid} does not end")]
    Unstoppable {
        /// The process.
        pid: i32,
    },
    /// Another deployer held the lock for too long.
    #[error(
        "another deployer has been starting or stopping the local cloud for more than {} s",
        .waited.as_secs()
    )]
    Locked {
        /// How long this deployer waited.
        waited: Duration,
    },
    /// A file or process could not be used.
    #[error("cannot {action} {subject}")]
    Io {
        /// The attempted action.
        action: &'static str,
        /// The file or process.
        subject: String,
        /// Why it failed.
        source: io::Error,
    },
}

impl LocalError {
    /// Returns a hint that fixes the error, if one is known.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::PythonMissing | Self::PythonTooOld { .. } => {
                "install Python 3.10 or newer (`apt install python3 python3-venv`, `brew install \
                 python`), or set the variable PYTHON to one"
            }
            Self::VenvMissing { version, .. } => {
                return Some(format!(
                    "on Debian and Ubuntu: `apt install python3-venv` (or python{version}-venv)"
                ));
            }
            Self::Install { output, .. } => install_hint(output)?,
            Self::PortTaken { port, .. } => {
                return Some(format!(
                    "stop it (`lsof -i :{port}` shows the process), or set another port in the environment \
                     file; to use an endpoint of your own, set AWS_ENDPOINT_URL"
                ));
            }
            Self::NoAnswer { .. } => "run `deployer local stop`, then try again",
            Self::NotRunning { .. } => "run `deployer local start`",
            Self::Locked { .. } => "stop the other deployer, then try again",
            Self::Died { .. } | Self::Refused { .. } | Self::Unstoppable { .. } | Self::Io { .. } => {
                return None;
            }
        };
        Some(hint.to_owned())
    }

    /// Returns a closure for `map_err` that adds the action and its subject.
    pub(super) fn io(action: &'static str, subject: impl ToString) -> impl FnOnce(io::Error) -> Self {
        let subject = subject.to_string();
        move |source| Self::Io { action, subject, source }
    }
}

fn install_hint(output: &str) -> Option<&'static str> {
    let says = |texts: &[&str]| texts.iter().any(|text| output.contains(text));
    if says(&["DO NOT MATCH THE HASHES"]) {
        return Some(
            "the package index serves different files than PyPI: use a mirror of PyPI (PIP_INDEX_URL)",
        );
    }
    let unreachable = [
        "Max retries exceeded",
        "NewConnectionError",
        "Could not fetch URL",
        "No matching distribution found",
        "ConnectionResetError",
        "ReadTimeoutError",
    ];
    says(&unreachable).then_some(
        "the Python package index cannot be reached: check the network and proxy, or set PIP_INDEX_URL to a \
         mirror",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_tell_mirrors_from_broken_networks() {
        let hint = |output: &str| {
            let error = LocalError::Install { version: "1", step: "pip install", output: output.to_owned() };
            error.hint().unwrap_or_default()
        };
        assert!(hint("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES").contains("different files"));
        assert!(hint("NewConnectionError: refused").contains("cannot be reached"));
        assert_eq!(hint("No space left on device"), "");
    }

    #[test]
    fn taken_port_is_named_with_a_hint() {
        let error = LocalError::PortTaken { port: 4566, holder: "another program".into() };
        assert_eq!(
            error.to_string(),
            "port 4566 is in use by another program, which this deployer did not start"
        );
        assert!(error.hint().unwrap().contains("another port"));
    }
}
