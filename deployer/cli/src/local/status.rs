//! The status of a local cloud: running, or why not. It must not know how the status is determined.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A running local cloud.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Running {
    /// The endpoint of AWS's APIs.
    pub endpoint: String,
    /// The process id, which is also the id of its process group.
    pub pid: i32,
    /// Whether this call started it; otherwise it was already running.
    pub started: bool,
    /// The version of MiniStack.
    pub version: String,
    /// The log file of MiniStack and the functions.
    pub log: PathBuf,
}

/// The status of a local cloud.
#[derive(Clone, Debug, PartialEq)]
pub enum LocalStatus {
    /// It runs and answers.
    Running(Running),
    /// It runs but does not answer.
    Silent {
        /// The process.
        pid: i32,
    },
    /// It does not run, and its port is free.
    Stopped,
    /// It does not run, and another program uses its port.
    PortInUse {
        /// The program that uses the port, as far as known.
        holder: String,
    },
}

/// The result of stopping.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stopped {
    /// This process and its functions were ended; everything in the cloud is lost.
    Process {
        /// The process.
        pid: i32,
    },
    /// No local cloud was running.
    NothingRan,
}
