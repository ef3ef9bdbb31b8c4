//! Installs the pinned MiniStack into a virtual environment. The environment gets its final name when it is
//! complete; an interrupted installation starts again from the beginning. It must not know how MiniStack is
//! run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::Command;
use tokio::time::timeout;

use super::error::LocalError;
use super::event::LocalEvent;
use super::python::Python;
use super::state;

/// The version of MiniStack pinned by this deployer.
pub const VERSION: &str = "1.5.33";

/// MiniStack and its dependencies, pinned by hash.
const REQUIREMENTS: &str = include_str!("requirements.txt");

/// The file in an environment that lists the installed requirements.
const INSTALLED: &str = "requirements.txt";

/// The prefix of folders with an installation in progress.
const UNFINISHED: &str = "unfinished-";

/// How long one step may take on a slow connection.
const STEP_LIMIT: Duration = Duration::from_secs(600);

/// Returns the interpreter of the installation below `dir`, and installs it first if needed.
pub(super) async fn ensure(
    dir: &Path,
    on_event: &(dyn Fn(LocalEvent) + Sync),
) -> Result<PathBuf, LocalError> {
    let venv = dir.join(format!("ministack-{VERSION}"));
    if let Some(python) = complete(&venv) {
        return Ok(python);
    }
    fs::create_dir_all(dir).map_err(LocalError::io("create", dir.display()))?;
    let _lock = state::lock(&dir.join("install.lock"), on_event).await?;
    // Another deployer may have installed it while this one waited.
    if let Some(python) = complete(&venv) {
        return Ok(python);
    }
    let base = Python::find().await?;
    on_event(LocalEvent::Installing { version: VERSION });
    let started = Instant::now();
    remove_unfinished(dir)?;
    // If pip outlives a killed deployer, it writes only to a folder that is not used.
    let unfinished = dir.join(format!("{UNFINISHED}{}", std::process::id()));
    make_environment(&base, &unfinished).await?;
    install(&unfinished).await?;
    fs::rename(&unfinished, &venv).map_err(LocalError::io("create", venv.display()))?;
    on_event(LocalEvent::Installed { took: started.elapsed() });
    Ok(interpreter(&venv))
}

/// Returns the interpreter of an environment that has these requirements and whose base Python still exists.
fn complete(venv: &Path) -> Option<PathBuf> {
    let installed = fs::read_to_string(venv.join(INSTALLED)).ok()?;
    let python = interpreter(venv);
    (installed == REQUIREMENTS && python.exists()).then_some(python)
}

fn interpreter(venv: &Path) -> PathBuf {
    venv.join("bin").join("python")
}

/// Removes interrupted installations, and one of this version with older requirements.
fn remove_unfinished(dir: &Path) -> Result<(), LocalError> {
    let listed = || LocalError::io("list", dir.display());
    for entry in fs::read_dir(dir).map_err(listed())? {
        let entry = entry.map_err(listed())?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(UNFINISHED) || name == format!("ministack-{VERSION}") {
            let path = entry.path();
            fs::remove_dir_all(&path).map_err(LocalError::io("remove", path.display()))?;
        }
    }
    Ok(())
}

async fn make_environment(base: &Python, venv: &Path) -> Result<(), LocalError> {
    let mut command = python(&base.executable);
    command.args(["-m", "venv"]).arg(venv);
    let made = run(command, "python -m venv").await;
    made.map_err(|error| match &error {
        LocalError::Install { output, .. } if lacks_venv(output) => LocalError::VenvMissing {
            python: base.executable.clone(),
            version: format!("{}.{}", base.version.0, base.version.1),
        },
        _ => error,
    })
}

fn lacks_venv(output: &str) -> bool {
    output.contains("ensurepip") || output.contains("No module named venv")
}

async fn install(venv: &Path) -> Result<(), LocalError> {
    let requirements = venv.join(INSTALLED);
    fs::write(&requirements, REQUIREMENTS).map_err(LocalError::io("write", requirements.display()))?;
    let mut command = python(interpreter(venv));
    command
        .args(["-m", "pip", "install", "--quiet", "--no-input", "--progress-bar", "off"])
        .args(["--disable-pip-version-check", "--require-hashes", "--requirement"])
        .arg(&requirements);
    run(command, "pip install").await
}

/// Returns a call of Python. It uses the user's pip configuration (index, proxy, certificates), except
/// settings that would install outside the environment.
fn python(executable: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(executable);
    for elsewhere in ["PYTHONHOME", "PYTHONPATH", "PIP_PREFIX", "PIP_ROOT", "PIP_TARGET"] {
        command.env_remove(elsewhere);
    }
    command.env("PIP_USER", "0").stdin(Stdio::null()).kill_on_drop(true);
    command
}

async fn run(mut command: Command, step: &'static str) -> Result<(), LocalError> {
    let failed = |output: String| LocalError::Install { version: VERSION, step, output };
    let output = match timeout(STEP_LIMIT, command.output()).await {
        Ok(output) => output.map_err(LocalError::io("start", step))?,
        Err(_) => return Err(failed(format!("not finished after {} s", STEP_LIMIT.as_secs()))),
    };
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(failed(String::from_utf8_lossy(&said).trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pinned_version_is_the_one_required() {
        let pin = format!("\nministack=={VERSION} ");
        assert!(REQUIREMENTS.contains(&pin));
    }

    #[test]
    fn requirements_all_have_a_hash() {
        let lines = REQUIREMENTS.lines().filter(|line| !line.starts_with('#'));
        let pins = lines.filter(|line| line.contains("=="));
        for pin in pins {
            let hashed = REQUIREMENTS.contains(&format!("{pin}\n    --hash=sha256:"));
            assert!(hashed, "{pin}");
        }
    }

    #[test]
    fn outdated_or_broken_installation_is_incomplete() {
        let dir = tempfile::tempdir().unwrap();
        let python = interpreter(dir.path());
        fs::create_dir_all(python.parent().unwrap()).unwrap();
        fs::write(&python, "").unwrap();
        assert_eq!(complete(dir.path()), None);
        fs::write(dir.path().join(INSTALLED), "ministack==1.0.0").unwrap();
        assert_eq!(complete(dir.path()), None);
        fs::write(dir.path().join(INSTALLED), REQUIREMENTS).unwrap();
        assert_eq!(complete(dir.path()), Some(python.clone()));
        fs::remove_file(python).unwrap();
        assert_eq!(complete(dir.path()), None);
    }

    #[test]
    fn leftovers_of_interrupted_installations_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["unfinished-1", &format!("ministack-{VERSION}"), "ministack-1.0.0", "port-4566"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        remove_unfinished(dir.path()).unwrap();
        let left = fs::read_dir(dir.path()).unwrap();
        let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["ministack-1.0.0", "port-4566"]);
    }

    #[test]
    fn python_without_venv_is_recognised() {
        let debian =
            "The virtual environment was not created successfully because ensurepip is not available.";
        assert!(lacks_venv(debian));
        assert!(lacks_venv("/usr/bin/python3: No module named venv"));
        assert!(!lacks_venv("No space left on device"));
    }
}
