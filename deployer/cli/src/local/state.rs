//! The state file of a started MiniStack, and the lock that lets one deployer at a time change it. It must
//! not know whether the state is still true.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::error::LocalError;
use super::event::LocalEvent;

/// How long to wait for the lock: another deployer may be installing over a slow connection.
const LOCK_WAIT: Duration = Duration::from_secs(900);

/// The state of a started MiniStack.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct State {
    pub(super) pid: i32,
    pub(super) port: u16,
    pub(super) version: String,
    pub(super) started_at: Timestamp,
}

impl State {
    /// Reads the state file; a file that cannot be parsed counts as missing.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, LocalError> {
        match fs::read(path) {
            Ok(content) => Ok(serde_json::from_slice(&content).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(LocalError::io("read", path.display())(error)),
        }
    }

    /// Writes the file atomically, so that it is never read half-written.
    pub(super) fn write(&self, path: &Path) -> Result<(), LocalError> {
        let content = serde_json::to_vec_pretty(self).expect("the state can be written as JSON");
        let new = path.with_extension("new");
        fs::write(&new, content).map_err(LocalError::io("write", new.display()))?;
        fs::rename(&new, path).map_err(LocalError::io("write", path.display()))
    }
}

/// Waits until this deployer holds the lock on `path`. Dropping the file releases the lock, and so does any
/// end of the process.
pub(super) async fn lock(path: &Path, on_event: &(dyn Fn(LocalEvent) + Sync)) -> Result<File, LocalError> {
    let file = File::options().create(true).append(true).open(path);
    let file = file.map_err(LocalError::io("open", path.display()))?;
    let started = Instant::now();
    let mut reported = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if started.elapsed() < LOCK_WAIT => {
                if !reported {
                    on_event(LocalEvent::Waiting);
                    reported = true;
                }
                sleep(Duration::from_millis(100)).await;
            }
            Err(TryLockError::WouldBlock) => return Err(LocalError::Locked { waited: LOCK_WAIT }),
            Err(TryLockError::Error(error)) => {
                return Err(LocalError::io("lock", path.display())(error));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn local_cloud_state_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ministack.json");
        assert_eq!(State::read(&path).unwrap(), None);
        let state = State { pid: 7, port: 4566, version: "1".into(), started_at: Timestamp::UNIX_EPOCH };
        state.write(&path).unwrap();
        assert_eq!(State::read(&path).unwrap(), Some(state));
        fs::write(&path, "{").unwrap();
        assert_eq!(State::read(&path).unwrap(), None);
    }

    #[tokio::test]
    async fn second_deployer_waits_for_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let events = Mutex::new(Vec::new());
        let on_event = |event| events.lock().unwrap().push(event);
        let first = lock(&path, &on_event).await.unwrap();
        let release = async {
            sleep(Duration::from_millis(50)).await;
            drop(first);
        };
        let (second, ()) = tokio::join!(lock(&path, &on_event), release);
        assert!(second.is_ok());
        assert_eq!(*events.lock().unwrap(), [LocalEvent::Waiting]);
    }
}
