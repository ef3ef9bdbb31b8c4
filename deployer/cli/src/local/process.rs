//! MiniStack as a process: starts, recognises and ends it. It must not know about requests or the state file.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use super::error::LocalError;

/// How long MiniStack may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// Variables of this process that MiniStack and the functions need to start: a Python outside the system's
/// folders may find its library only with them.
const PASSED_ON: [&str; 3] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

/// The parameters for starting MiniStack.
pub(super) struct Launch<'a> {
    pub(super) python: &'a Path,
    pub(super) port: u16,
    /// The folder of this instance, which also identifies the process.
    pub(super) instance: &'a Path,
    pub(super) log: &'a Path,
    /// The folder for temporary files of MiniStack and the functions.
    pub(super) scratch: &'a Path,
    /// The endpoint of AWS's APIs for the functions.
    pub(super) endpoint: &'a str,
}

impl Launch<'_> {
    /// Starts MiniStack in a process group of its own, so that Ctrl-C ends the deployer only.
    pub(super) fn spawn(&self) -> Result<Child, LocalError> {
        let create = |path: &Path| fs::create_dir_all(path).map_err(LocalError::io("create", path.display()));
        create(self.scratch)?;
        // The previous log shows why the previous MiniStack ended; it may not exist.
        let _ = fs::rename(self.log, self.log.with_extension("previous.log"));
        let log = File::create(self.log).map_err(LocalError::io("create", self.log.display()))?;
        let errors = log.try_clone().map_err(LocalError::io("use", self.log.display()))?;
        Command::new(self.python)
            .args(["-I", "-u", "-X", &marker(self.instance), "-m", "ministack"])
            .current_dir(self.scratch)
            .env_clear()
            .envs(self.environment())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(LocalError::io("start", self.python.display()))
    }

    /// Returns the complete environment of MiniStack and of the functions it runs. It has no credentials,
    /// profile, proxy or home of the user: they would change MiniStack's root key, or let functions call the
    /// real AWS.
    fn environment(&self) -> Vec<(&'static str, OsString)> {
        let scratch = self.scratch.display();
        let passed_on = PASSED_ON.iter().filter_map(|name| Some((*name, env::var_os(name)?)));
        passed_on
            .chain(
                [
                    ("GATEWAY_PORT", self.port.to_string()),
                    ("BIND_HOST", "127.0.0.1".to_owned()),
                    // Overrides the functions' own configuration.
                    ("AWS_ENDPOINT_URL", self.endpoint.to_owned()),
                    ("AUTH", "true".to_owned()),
                    // Both services would listen on every interface.
                    ("IOT_MTLS_ENABLED", "0".to_owned()),
                    ("SFTP_ENABLED", "0".to_owned()),
                    ("PERSIST_STATE", "0".to_owned()),
                    ("S3_PERSIST", "0".to_owned()),
                    // MiniStack must not search for Docker, or wait for a Docker that hangs.
                    ("DOCKER_HOST", format!("unix://{scratch}/no-docker")),
                    ("HOME", scratch.to_string()),
                    ("TMPDIR", scratch.to_string()),
                    ("STATE_DIR", format!("{scratch}/state")),
                    ("S3_DATA_DIR", format!("{scratch}/s3")),
                    ("LANG", "C.UTF-8".to_owned()),
                    ("TZ", "UTC".to_owned()),
                ]
                .map(|(name, value)| (name, value.into())),
            )
            .collect()
    }
}

/// Returns whether `pid` is the MiniStack of this instance: process ids are reused.
pub(super) async fn is_ours(pid: i32, instance: &Path) -> bool {
    let line = command_line(pid).await.unwrap_or_default();
    // The space distinguishes port 456 from port 4566.
    line.replace(['\0', '\n'], " ").contains(&format!("{} ", marker(instance)))
}

/// Finds the MiniStack of this instance by its marker, for when no state file has its process id: after a
/// killed start or a deleted folder.
pub(super) async fn find(instance: &Path) -> Option<i32> {
    for pid in processes().await {
        if is_ours(pid, instance).await {
            return Some(pid);
        }
    }
    None
}

/// Returns the ids of all processes.
async fn processes() -> Vec<i32> {
    if let Ok(entries) = fs::read_dir("/proc") {
        return entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    }
    let listing: io::Result<_> =
        Command::new("ps").args(["-A", "-o", "pid="]).stdin(Stdio::null()).output().await;
    let listing = listing.map(|listing| listing.stdout).unwrap_or_default();
    String::from_utf8_lossy(&listing).split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// Ends a recognised MiniStack and the functions it runs.
pub(super) async fn end(pid: i32, instance: &Path) -> Result<(), LocalError> {
    for signal in [Signal::TERM, Signal::KILL] {
        signal_group(pid, signal)?;
        let started = Instant::now();
        while is_ours(pid, instance).await && started.elapsed() < PATIENCE {
            sleep(Duration::from_millis(50)).await;
        }
    }
    if is_ours(pid, instance).await {
        return Err(LocalError::Unstoppable { pid });
    }
    Ok(())
}

/// Sends a signal to a process and its child processes; a group that no longer exists is not an error.
fn signal_group(pid: i32, signal: Signal) -> Result<(), LocalError> {
    // Zero would be this process's own group, and one would be init's.
    let Some(group) = Pid::from_raw(pid).filter(|_| pid > 1) else {
        return Ok(());
    };
    match kill_process_group(group, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        // macOS returns this for a group of zombies.
        Err(rustix::io::Errno::PERM) => Ok(()),
        Err(error) => Err(LocalError::io("stop", format!("process {pid}"))(error.into())),
    }
}

/// Returns a Python option that Python ignores and every process listing shows.
fn marker(instance: &Path) -> String {
    format!("deployer.instance={}", instance.display())
}

/// Returns the command line of a process, empty for a zombie.
async fn command_line(pid: i32) -> Option<String> {
    let proc = PathBuf::from("/proc");
    if proc.join("self").exists() {
        let line = fs::read(proc.join(pid.to_string()).join("cmdline")).ok()?;
        return Some(String::from_utf8_lossy(&line).into_owned());
    }
    let listing = Command::new("ps")
        .args(["-ww", "-o", "command=", "-p", &pid.to_string()])
        .stdin(Stdio::null())
        .output();
    let listing: io::Result<_> = listing.await;
    Some(String::from_utf8_lossy(&listing.ok()?.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch<'a>(dir: &'a Path, log: &'a Path) -> Launch<'a> {
        let (python, endpoint) = (Path::new("python3"), "http://127.0.0.1:4567");
        Launch { python, port: 4567, instance: dir, log, scratch: dir, endpoint }
    }

    #[test]
    fn local_cloud_environment_excludes_user_aws_and_proxy() {
        let log = PathBuf::from("/tmp/log");
        let environment = launch(Path::new("/tmp/instance"), &log).environment();
        let aws = environment.iter().filter(|(name, _)| name.starts_with("AWS_"));
        let aws: Vec<_> = aws.map(|(name, value)| (*name, value.to_str().unwrap())).collect();
        assert_eq!(aws, [("AWS_ENDPOINT_URL", "http://127.0.0.1:4567")]);
        let user = ["HTTP_PROXY", "https_proxy", "USER", "CARGO_HOME"];
        assert!(environment.iter().all(|(name, _)| !user.contains(name)));
        let home = environment.iter().find(|(name, _)| *name == "HOME");
        assert_eq!(home.unwrap().1, "/tmp/instance");
    }

    #[tokio::test]
    async fn process_is_recognised_only_by_its_marker() {
        let dir = tempfile::tempdir().unwrap();
        let me = i32::try_from(std::process::id()).unwrap();
        assert!(!is_ours(me, dir.path()).await);
        let mut child = Command::new("sh")
            .args(["-c", "sleep 30; true", &marker(dir.path())])
            .process_group(0)
            .spawn()
            .unwrap();
        let pid = i32::try_from(child.id().unwrap()).unwrap();
        // A new process shows its command line a moment after it exists.
        while !is_ours(pid, dir.path()).await {
            assert_eq!(child.try_wait().unwrap(), None);
            sleep(Duration::from_millis(1)).await;
        }
        assert!(!is_ours(pid, Path::new("/elsewhere")).await);
        assert_eq!(find(dir.path()).await, Some(pid));
        assert_eq!(find(Path::new("/elsewhere")).await, None);
        end(pid, dir.path()).await.unwrap();
        assert!(!child.wait().await.unwrap().success());
        assert!(!is_ours(pid, dir.path()).await);
    }
}
