//! One local cloud on one port: start, find, stop, reset. It writes only below one folder, and never touches
//! a process that it did not start.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use tokio::process::Child;
use tokio::time::{Instant, sleep};

use super::error::LocalError;
use super::event::LocalEvent;
use super::http;
use super::install::{self, VERSION};
use super::process::{self, Launch};
use super::state::{self, State};
use super::status::{LocalStatus, Running, Stopped};

/// How long MiniStack may take until it answers.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// How long one response may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How long a reset may take.
const RESET_WITHIN: Duration = Duration::from_secs(60);

/// How many log lines an error shows.
const TAIL: usize = 20;

/// The local cloud on one port. Several local clouds can share a folder and its installation.
#[derive(Clone, Debug)]
pub struct LocalCloud {
    dir: PathBuf,
    port: u16,
    functions_call: Option<String>,
}

/// MiniStack's health response.
#[derive(Deserialize)]
struct Health {
    version: String,
}

impl LocalCloud {
    /// Returns the local cloud on `port` with its files below `dir`. Starts nothing.
    pub fn new(dir: PathBuf, port: u16) -> Self {
        let dir = std::path::absolute(&dir).unwrap_or(dir);
        Self { dir, port, functions_call: None }
    }

    /// Sets another endpoint of AWS's APIs for the functions, for example a proxy in front of the cloud. It
    /// has no effect on a cloud that is already running.
    pub fn functions_call(self, endpoint: String) -> Self {
        Self { functions_call: Some(endpoint), ..self }
    }

    /// Returns the endpoint of AWS's APIs while the cloud runs.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the log file of this cloud.
    pub fn log(&self) -> PathBuf {
        self.instance().join("ministack.log")
    }

    /// Finds the running cloud or installs and starts it, and returns when it answers. The cloud continues to
    /// run when this process ends.
    pub async fn start(&self, on_event: &(dyn Fn(LocalEvent) + Sync)) -> Result<Running, LocalError> {
        let instance = self.instance();
        fs::create_dir_all(&instance).map_err(LocalError::io("create", instance.display()))?;
        let _lock = state::lock(&instance.join("lock"), on_event).await?;
        if let Some(state) = self.ours().await? {
            // An earlier start may have been interrupted before the cloud answered.
            if let Some(running) = self.ready(state.pid, None).await? {
                if running.version != VERSION {
                    on_event(LocalEvent::OtherVersion { running: running.version.clone(), pinned: VERSION });
                }
                return Ok(running);
            }
        }
        if let Some(holder) = self.holder().await {
            let port = self.port;
            return Err(LocalError::PortTaken { port, holder });
        }
        self.forget()?;
        let python = install::ensure(&self.dir, on_event).await?;
        on_event(LocalEvent::Starting { port: self.port });
        let started = Instant::now();
        let (pid, child) = self.launch(&python)?;
        let ready = self.ready(pid, Some(child)).await;
        match ready.and_then(|ready| ready.ok_or_else(|| self.died("gone"))) {
            Ok(running) => {
                let took = started.elapsed();
                on_event(LocalEvent::Ready { took });
                Ok(running)
            }
            Err(error) => {
                // A failed start must not keep the port.
                process::end(pid, &instance).await?;
                Err(error)
            }
        }
    }

    /// Stops the cloud and the functions it runs, and removes their temporary files. The log and the
    /// installation stay.
    pub async fn stop(&self) -> Result<Stopped, LocalError> {
        let instance = self.instance();
        if !instance.exists() {
            return Ok(Stopped::NothingRan);
        }
        let _lock = state::lock(&instance.join("lock"), &|_| ()).await?;
        let stopped = match self.ours().await? {
            Some(State { pid, .. }) => {
                process::end(pid, &instance).await?;
                Stopped::Process { pid }
            }
            None => Stopped::NothingRan,
        };
        self.forget()?;
        Ok(stopped)
    }

    /// Returns whether the cloud runs. Changes nothing.
    pub async fn status(&self) -> Result<LocalStatus, LocalError> {
        if let Some(State { pid, .. }) = self.ours().await? {
            return Ok(match self.health().await {
                Some(health) => LocalStatus::Running(self.running(pid, health, false)),
                None => LocalStatus::Silent { pid },
            });
        }
        Ok(match self.holder().await {
            Some(holder) => LocalStatus::PortInUse { holder },
            None => LocalStatus::Stopped,
        })
    }

    /// Deletes everything in the running cloud: resources, data and log groups.
    pub async fn reset(&self) -> Result<(), LocalError> {
        if self.ours().await?.is_none() {
            return Err(LocalError::NotRunning { port: self.port });
        }
        let path = "/_ministack/reset";
        let answer = http::request(self.port, "POST", path, RESET_WITHIN).await;
        match answer.map_err(LocalError::io("reset", self.endpoint()))?.status {
            200 => Ok(()),
            status => Err(LocalError::Refused { action: "reset", status }),
        }
    }

    /// Returns the folder for the files of this port.
    fn instance(&self) -> PathBuf {
        self.dir.join(format!("port-{}", self.port))
    }

    fn state_file(&self) -> PathBuf {
        self.instance().join("ministack.json")
    }

    fn scratch(&self) -> PathBuf {
        self.instance().join("tmp")
    }

    /// Returns the state of the running MiniStack of this instance, if there is one.
    async fn ours(&self) -> Result<Option<State>, LocalError> {
        if let Some(state) = State::read(&self.state_file())?
            && process::is_ours(state.pid, &self.instance()).await
        {
            return Ok(Some(state));
        }
        // All processes are searched only if the port is in use.
        if !http::is_taken(self.port).await {
            return Ok(None);
        }
        Ok(process::find(&self.instance()).await.map(|pid| self.state(pid)))
    }

    fn state(&self, pid: i32) -> State {
        State { pid, port: self.port, version: VERSION.to_owned(), started_at: Timestamp::now() }
    }

    fn launch(&self, python: &Path) -> Result<(i32, Child), LocalError> {
        let launch = Launch {
            python,
            port: self.port,
            instance: &self.instance(),
            log: &self.log(),
            scratch: &self.scratch(),
            endpoint: &self.functions_call.clone().unwrap_or_else(|| self.endpoint()),
        };
        let child = launch.spawn()?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        let pid = pid.expect("a process has an id until it is waited for");
        self.state(pid).write(&self.state_file())?;
        Ok((pid, child))
    }

    /// Waits until the process answers. Returns `None` if the process no longer exists, and an error with the
    /// reason if it is the given `child` and ended.
    async fn ready(&self, pid: i32, mut child: Option<Child>) -> Result<Option<Running>, LocalError> {
        let started = child.is_some();
        let deadline = Instant::now() + READY_WITHIN;
        while Instant::now() < deadline {
            match &mut child {
                Some(child) => {
                    if let Ok(Some(status)) = child.try_wait() {
                        return Err(self.died(&status.to_string()));
                    }
                }
                None if process::is_ours(pid, &self.instance()).await => {}
                None => return Ok(None),
            }
            if let Some(health) = self.health().await {
                return Ok(Some(self.running(pid, health, started)));
            }
            sleep(Duration::from_millis(100)).await;
        }
        Err(LocalError::NoAnswer { pid, waited: READY_WITHIN, log: self.log(), tail: tail(&self.log()) })
    }

    /// Returns the health of the MiniStack on the port, if it is ready for requests.
    async fn health(&self) -> Option<Health> {
        let get = |path| http::request(self.port, "GET", path, ANSWER_WITHIN);
        let ready = get("/_ministack/ready").await.ok()?;
        let health = get("/_ministack/health").await.ok()?;
        if ready.status != 200 {
            return None;
        }
        serde_json::from_str(&health.body).ok()
    }

    /// Returns a description of the program that uses the port.
    async fn holder(&self) -> Option<String> {
        if !http::is_taken(self.port).await {
            return None;
        }
        Some(match self.health().await {
            Some(health) => format!("another MiniStack ({})", health.version),
            None => "another program".to_owned(),
        })
    }

    /// Removes the state file and temporary files of a MiniStack that no longer runs.
    fn forget(&self) -> Result<(), LocalError> {
        let (state, scratch) = (self.state_file(), self.scratch());
        if state.exists() {
            fs::remove_file(&state).map_err(LocalError::io("remove", state.display()))?;
        }
        if scratch.exists() {
            fs::remove_dir_all(&scratch).map_err(LocalError::io("remove", scratch.display()))?;
        }
        Ok(())
    }

    fn running(&self, pid: i32, health: Health, started: bool) -> Running {
        Running { endpoint: self.endpoint(), pid, started, version: health.version, log: self.log() }
    }

    fn died(&self, status: &str) -> LocalError {
        LocalError::Died { status: status.to_owned(), log: self.log(), tail: tail(&self.log()) }
    }
}

/// Returns the last lines of a log, or an empty text if there is no log.
fn tail(log: &Path) -> String {
    let content = fs::read(log).unwrap_or_default();
    let content = String::from_utf8_lossy(&content);
    let lines: Vec<_> = content.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}

#[cfg(test)]
mod tests;
