//! A program and its child processes as one process group. They are ended together. The terminal's Ctrl-C
//! does not reach them, because the program would report it as a failure. It must not know what the program
//! does.
//!
//! The disadvantage: a program in the group cannot prompt on the terminal, such as ssh for a passphrase.

use std::collections::BTreeSet;
use std::io;
use std::process::ExitStatus;
use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

/// The leaders of the running groups.
static RUNNING: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// A running program and its child processes. Dropping it ends them all.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) leader: Child,
    id: u32,
}

impl Group {
    /// Starts a program as the leader of a new process group.
    pub(super) fn spawn(mut command: Command) -> io::Result<Self> {
        // While the lock is held, so that `end_all` finds every program that has started.
        running(|groups| {
            let leader = command.process_group(0).kill_on_drop(true).spawn()?;
            let id = leader.id().expect("a process has an id until it is waited for");
            groups.insert(id);
            Ok(Self { leader, id })
        })
    }

    /// Waits for the program to end. Processes that it leaves running, such as a compiler server, continue.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.leader.wait().await?;
        running(|groups| groups.remove(&self.id));
        Ok(status)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The id is not reused until the leader is waited for.
        if running(|groups| groups.remove(&self.id)) && self.leader.id().is_some() {
            end(self.id);
        }
    }
}

/// Ends every build of this process. Call it before an exit that drops nothing (`std::process::exit`).
pub fn end_all() {
    for id in running(std::mem::take) {
        end(id);
    }
}

fn end(id: u32) {
    let group = i32::try_from(id).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        // SIGTERM lets linkers remove their temporary files. A group that no longer exists is not an error.
        let _ = kill_process_group(group, Signal::TERM);
    }
}

fn running<T>(change: impl FnOnce(&mut BTreeSet<u32>) -> T) -> T {
    change(&mut RUNNING.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    use rustix::process::test_kill_process;
    use tokio::io::{AsyncBufReadExt, BufReader};

    use super::*;

    /// Starts a slow program with a child process, and returns it with the child's id.
    async fn slow() -> (Group, Pid) {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & echo $!; wait"]).stdout(Stdio::piped());
        let mut group = Group::spawn(command).unwrap();
        let stdout = BufReader::new(group.leader.stdout.take().unwrap());
        let other = stdout.lines().next_line().await.unwrap().unwrap();
        (group, Pid::from_raw(other.parse().unwrap()).unwrap())
    }

    async fn ends(process: Pid) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while runs(process) {
            assert!(Instant::now() < deadline, "{process:?} still runs");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Returns whether a process runs. A zombie, which init has not reaped yet, does not.
    fn runs(process: Pid) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()));
        let ended = stat.is_ok_and(|stat| stat.contains(") Z "));
        test_kill_process(process).is_ok() && !ended
    }

    #[tokio::test]
    async fn dropped_program_ends_with_its_children() {
        let (group, other) = slow().await;
        assert!(runs(other));
        drop(group);
        ends(other).await;
    }

    #[tokio::test]
    async fn program_runs_in_its_own_process_group() {
        let (group, other) = slow().await;
        let id = Pid::from_raw(i32::try_from(group.id).unwrap());
        assert_eq!(rustix::process::getpgid(Some(other)).ok(), id);
        assert_ne!(rustix::process::getpgid(None).ok(), id);
    }

    #[tokio::test]
    async fn ended_program_is_not_killed_again() {
        let mut group = Group::spawn(Command::new("true")).unwrap();
        assert!(group.wait().await.unwrap().success());
        assert!(!running(|groups| groups.contains(&group.id)));
    }
}
