//! Finds a Python that MiniStack runs on. It must not know the packages to install.

use std::env;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::error::LocalError;

/// The oldest Python that MiniStack runs on.
const OLDEST: (u32, u32) = (3, 10);

/// Names to try after the variable PYTHON: an old system often has a newer Python next to its `python3`.
const NAMES: [&str; 7] =
    ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];

/// Prints version and path; also valid in Python 2.
const ASK: &str = "import sys; print('%d %d' % sys.version_info[:2]); print(sys.executable)";

/// An interpreter.
#[derive(Debug, PartialEq)]
pub(super) struct Python {
    /// The path of the executable itself, not of a shim that depends on the current folder.
    pub(super) executable: String,
    /// Major and minor version.
    pub(super) version: (u32, u32),
}

impl Python {
    /// Returns the first Python in PATH that is new enough.
    pub(super) async fn find() -> Result<Self, LocalError> {
        let named = env::var("PYTHON").ok().filter(|name| !name.is_empty());
        let mut found = Vec::new();
        for name in named.iter().map(String::as_str).chain(NAMES) {
            if let Some(python) = ask(name).await {
                found.push((name, python));
            }
            // Stop at the first match instead of starting all seven.
            if let Some(at) = found.iter().position(|(_, python)| python.version >= OLDEST) {
                return Ok(found.swap_remove(at).1);
            }
        }
        Err(too_old(&found))
    }
}

fn too_old(found: &[(&str, Python)]) -> LocalError {
    if found.is_empty() {
        return LocalError::PythonMissing;
    }
    let found = found.iter().map(|(name, python)| {
        let (major, minor) = python.version;
        format!("{name} ({major}.{minor})")
    });
    LocalError::PythonTooOld { found: found.collect::<Vec<_>>().join(", ") }
}

async fn ask(name: &str) -> Option<Python> {
    let output = Command::new(name)
        .args(["-c", ASK])
        .env_remove("PYTHONHOME")
        .env_remove("PYTHONPATH")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(Duration::from_secs(20), output).await.ok()?.ok()?;
    parse(&String::from_utf8_lossy(&output.stdout))
}

fn parse(answer: &str) -> Option<Python> {
    let (version, executable) = answer.trim().split_once('\n')?;
    let (major, minor) = version.trim().split_once(' ')?;
    Some(Python {
        executable: executable.trim().to_owned(),
        version: (major.parse().ok()?, minor.parse().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_version_and_path_are_read() {
        let python = Python { executable: "/usr/bin/python3".into(), version: (3, 11) };
        assert_eq!(parse("3 11\n/usr/bin/python3\n"), Some(python));
        assert_eq!(parse("pyenv: python3: command not found"), None);
    }

    #[test]
    fn old_python_is_named() {
        assert!(matches!(too_old(&[]), LocalError::PythonMissing));
        let old = Python { executable: "/usr/bin/python3".into(), version: (3, 9) };
        assert_eq!(
            too_old(&[("python3", old)]).to_string(),
            "the local cloud needs Python 3.10 or newer, but found only python3 (3.9)"
        );
    }

    #[tokio::test]
    async fn missing_python_is_not_found() {
        assert_eq!(ask("no-such-python").await, None);
    }
}
