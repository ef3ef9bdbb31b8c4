//! The processes in which a cloud runs its functions, read from Linux, which lists the parent and the
//! environment variables of each process.

use std::fs;
use std::path::Path;

use eventsourcing::contract::ARCHIVE_BUCKET;
use rustix::process::{Pid, Signal, kill_process};

use crate::cloud::Cloud;

/// A process that runs a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    pid: i32,
    cloud: i32,
    /// The function's full name: `cart-local-capture`.
    pub function: String,
    /// The function's archive bucket, if it has one, which differs between accounts.
    pub archive: Option<String>,
}

impl Cloud {
    /// Returns the processes that run functions of this cloud.
    pub fn running(&self) -> Vec<Running> {
        running(self.pid())
    }
}

impl Running {
    /// Kills the process at once, like a failing machine. Returns whether it was still running.
    pub fn kill(&self) -> bool {
        // The process id may have been reused.
        let ours = running_as(self.pid, self.cloud).as_ref() == Some(self);
        let pid = Pid::from_raw(self.pid).filter(|_| ours);
        pid.is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok())
    }
}

/// Returns the processes of the functions that this cloud runs.
pub(crate) fn running(cloud: i32) -> Vec<Running> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter_map(|pid| running_as(pid, cloud)).collect()
}

/// Returns the function that a process runs for this cloud, if it runs one.
fn running_as(pid: i32, cloud: i32) -> Option<Running> {
    let process = Path::new("/proc").join(pid.to_string());
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    // `<pid> (<name>) <state> <parent> …`; the name may contain any characters.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let (state, parent) = (fields.next()?, fields.next()?);
    if state == "Z" || parent.parse() != Ok(cloud) {
        return None;
    }
    let environment = fs::read(process.join("environ")).ok()?;
    let environment = String::from_utf8_lossy(&environment);
    let value = |name: &str| {
        let mut variables = environment.split('\0').filter_map(|variable| variable.split_once('='));
        variables.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
    };
    let (function, archive) = (value("AWS_LAMBDA_FUNCTION_NAME")?, value(ARCHIVE_BUCKET.name()));
    Some(Running { pid, cloud, function, archive })
}
