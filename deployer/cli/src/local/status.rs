//! What can be said of a local cloud: that it runs, or why not. It must not know how one finds
//! out.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A local cloud that answers.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Running {
    /// Where AWS's APIs are.
    pub endpoint: String,
    /// The process, which is also the number of its process group.
    pub pid: i32,
    /// Whether this call started it; else it was found.
    pub started: bool,
    /// The version of MiniStack.
    pub version: String,
    /// What MiniStack and the functions write.
    pub log: PathBuf,
}

/// Whether there is a local cloud.
#[derive(Clone, Debug, PartialEq)]
pub enum LocalStatus {
    /// It runs and answers.
    Running(Running),
    /// It runs, but does not answer.
    Silent {
        /// The process.
        pid: i32,
    },
    /// It does not run, and its port is free.
    Stopped,
    /// It does not run, and something else holds its port.
    Foreign {
        /// Who answers there, as far as can be told.
        holder: String,
    },
}

/// What stopping did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stopped {
    /// This process and the functions it ran are gone, and so is everything that was in it.
    Process {
        /// The process.
        pid: i32,
    },
    /// There was nothing to stop.
    NothingRan,
}
