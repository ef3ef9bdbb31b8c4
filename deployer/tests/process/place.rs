//! A workspace with one function, and a cargo that is controlled by the test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;

/// How long to wait for a process on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

const FILES: [(&str, &str); 5] = [
    ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"functions\"]\n"),
    ("Cargo.lock", "version = 4\n[[package]]\nname = \"functions\"\nversion = \"0.1.0\"\n"),
    ("functions/Cargo.toml", "[package]\nname = \"functions\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
    ("functions/src/bin/add-item.rs", "fn main() {}\n"),
    (
        "environments/dev.toml",
        "region = \"eu-central-1\"\naccount = \"111111111111\"\n[build]\nprofile = \"dev\"\n",
    ),
];

/// The cargo of all tests. It is a committed file because a file that was just written cannot always be
/// executed: a process that another test starts at this moment may still have it open.
const CARGO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/process/cargo");

/// The deployer's binary.
pub(crate) const DEPLOYER: &str = env!("CARGO_BIN_EXE_deployer");

/// A folder to run the deployer in.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a temporary folder can be created"));
        for (name, content) in FILES {
            place.write(name, content);
        }
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("the path is inside the folder"))
            .expect("the folder can be written");
        fs::write(path, content).expect("the folder can be written");
    }

    /// Makes cargo's build fail now.
    pub(crate) fn end_build(&self) {
        self.write("end", "");
    }

    /// Returns a command that runs the deployer here, without terminal, credentials or endpoint.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.prepared(Command::new(DEPLOYER), arguments)
    }

    /// Returns the same command with default signal handlers: `nohup` or a shell's `&` may have started these
    /// tests, and both ignore some signals.
    pub(crate) fn command_hearing_signals(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("env");
        // An option of GNU's `env`, which Linux has.
        if cfg!(target_os = "linux") {
            command.arg("--default-signal=HUP,INT,TERM");
        }
        command.arg(DEPLOYER);
        self.prepared(command, arguments)
    }

    fn prepared(&self, mut command: Command, arguments: &[&str]) -> Command {
        for name in ["AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "DEPLOYER_ENVIRONMENTS"] {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .current_dir(self.0.path())
            .env("CARGO", CARGO)
            .env("REAL_CARGO", env!("CARGO"))
            .env("PLACE", self.0.path())
            .env("AWS_CONFIG_FILE", self.path("aws-config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", self.path("aws-credentials"))
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Waits until cargo builds, and returns the process id of its compiler.
    pub(crate) fn compiler(&self) -> Pid {
        wait("cargo to build", || fs::read_to_string(self.path("compiler")).ok()?.trim().parse().ok())
            .and_then(Pid::from_raw)
            .expect("the script writes a number")
    }
}

/// Returns exit code and standard error.
pub(crate) fn said(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A running deployer, which does not outlive the test.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self(command.spawn().expect("the deployer can be run"))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw).expect("the id is a number");
        kill_process(id, signal).expect("the process is running");
    }

    /// Waits for the end, and returns the exit code and the time until then.
    pub(crate) fn end(&mut self) -> (Option<i32>, Duration) {
        let start = Instant::now();
        let status = wait("the deployer to end", || {
            self.0.try_wait().expect("the deployer is a child of this process")
        });
        (status.and_then(|status| status.code()), start.elapsed())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until a process has ended. An ended process may remain until init reaps it.
pub(crate) fn ends(process: Pid) {
    let ended = || {
        let stat = Path::new("/proc").join(process.as_raw_nonzero().to_string()).join("stat");
        let left = fs::read_to_string(stat).is_ok_and(|stat| stat.contains(") Z "));
        (left || test_kill_process(process).is_err()).then_some(())
    };
    let seen = wait("the compiler to end", ended);
    if seen.is_none() {
        let _ = kill_process(process, Signal::KILL);
        panic!("{process:?} still runs");
    }
}

/// Polls until there is a value; `None` on timeout.
fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + if what.starts_with("cargo") { PATIENCE } else { PATIENCE / 3 };
    while Instant::now() < deadline {
        if let Some(found) = look() {
            return Some(found);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}
