//! Everything that can go wrong with the local cloud, in words that say what to do next.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

/// Why there is no local cloud.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LocalError {
    /// No Python at all.
    #[error("the local cloud needs Python 3.10 or newer, and there is no `python3` here")]
    PythonMissing,
    /// Only Pythons that MiniStack does not run on.
    #[error("the local cloud needs Python 3.10 or newer, and there is only {found}")]
    PythonTooOld {
        /// What was found, such as `python3 (3.9)`.
        found: String,
    },
    /// Python without its `venv` or `ensurepip` module, as Debian ships it.
    #[error("{python} cannot make virtual environments: its `venv` module is missing")]
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
        /// Which step.
        step: &'static str,
        /// What Python wrote.
        output: String,
    },
    /// The port belongs to something else.
    #[error("port {port} is held by {holder}, which this deployer did not start")]
    PortTaken {
        /// The port.
        port: u16,
        /// Who answers there, as far as can be told.
        holder: String,
    },
    /// MiniStack ended before it answered.
    #[error("MiniStack ended while it was starting ({status}); its log, {}, ends with\n{tail}", .log.display())]
    Died {
        /// How it ended.
        status: String,
        /// Its log file.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },
    /// MiniStack runs and does not answer.
    #[error("MiniStack (process {pid}) does not answer after {} s; its log, {}, ends with\n{tail}", .waited.as_secs(), .log.display())]
    NoAnswer {
        /// The process.
        pid: i32,
        /// How long it was asked.
        waited: Duration,
        /// Its log file.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },
    /// MiniStack answered a request with a failure.
    #[error("MiniStack could not {action}: status {status}")]
    Refused {
        /// What was asked.
        action: &'static str,
        /// The HTTP status.
        status: u16,
    },
    /// What was asked needs a running MiniStack.
    #[error("no local cloud runs on port {port}")]
    NotRunning {
        /// The port.
        port: u16,
    },
    /// The process survives being killed.
    #[error("MiniStack (process {pid}) does not end")]
    Unstoppable {
        /// The process.
        pid: i32,
    },
    /// Another deployer keeps the lock for too long.
    #[error("another deployer is starting or stopping the local cloud, for more than {} s", .waited.as_secs())]
    Locked {
        /// How long we waited.
        waited: Duration,
    },
    /// A file or process could not be used.
    #[error("cannot {action} {subject}")]
    Io {
        /// What was done.
        action: &'static str,
        /// To what.
        subject: String,
        /// Why it failed.
        source: io::Error,
    },
}

impl LocalError {
    /// Returns what fixes the error, where that is known.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::PythonMissing | Self::PythonTooOld { .. } => {
                "install Python 3.10 or newer (`apt install python3 python3-venv`, `brew install \
                 python`), or name one in the variable PYTHON"
            }
            Self::VenvMissing { version, .. } => {
                return Some(format!(
                    "on Debian and Ubuntu: `apt install python3-venv` (or python{version}-venv)"
                ));
            }
            Self::Install { output, .. } => install_hint(output)?,
            Self::PortTaken { port, .. } => {
                return Some(format!(
                    "stop it (`lsof -i :{port}` tells who it is), or give the environment file another port; \
                     an endpoint of your own is used when AWS_ENDPOINT_URL names it"
                ));
            }
            Self::NoAnswer { .. } => "run `deployer local stop`, then try again",
            Self::NotRunning { .. } => "run `deployer local start`",
            Self::Locked { .. } => "end the other deployer, then try again",
            Self::Died { .. } | Self::Refused { .. } | Self::Unstoppable { .. } | Self::Io { .. } => {
                return None;
            }
        };
        Some(hint.to_owned())
    }

    /// Returns a closure for `map_err` that says what was being done to what.
    pub(super) fn io(action: &'static str, subject: impl ToString) -> impl FnOnce(io::Error) -> Self {
        let subject = subject.to_string();
        move |source| Self::Io { action, subject, source }
    }
}

fn install_hint(output: &str) -> Option<&'static str> {
    let says = |texts: &[&str]| texts.iter().any(|text| output.contains(text));
    if says(&["DO NOT MATCH THE HASHES"]) {
        return Some(
            "the package index serves other files than PyPI: use one that mirrors it (PIP_INDEX_URL)",
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
        "the Python package index is out of reach: check the network and proxy, or name a mirror in \
         PIP_INDEX_URL",
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
        assert!(hint("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES").contains("other files"));
        assert!(hint("NewConnectionError: refused").contains("out of reach"));
        assert_eq!(hint("No space left on device"), "");
    }

    #[test]
    fn taken_port_is_named_with_a_hint() {
        let error = LocalError::PortTaken { port: 4566, holder: "another program".into() };
        assert_eq!(
            error.to_string(),
            "port 4566 is held by another program, which this deployer did not start"
        );
        assert!(error.hint().unwrap().contains("another port"));
    }
}
