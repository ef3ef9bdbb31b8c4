//! The calls that a run of the deployer made, as `--record-calls` writes them.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::place::{Place, Run};

/// What calls that change nothing begin with.
const READS: [&str; 4] = ["Get", "List", "Describe", "Head"];

/// Tells whether an operation of this name changes nothing.
pub(crate) fn is_read(operation: &str) -> bool {
    READS.iter().any(|read| operation.starts_with(read))
}

/// One attempt of a call.
#[derive(Debug, Clone, Deserialize)]
pub struct Call {
    /// The service's name: `Lambda`.
    pub service: String,
    /// The operation's name: `GetFunction`.
    pub operation: String,
    /// The path of the request, which tells things apart where the service uses paths.
    pub path: String,
    /// When it was sent, in milliseconds since the run began.
    pub start_ms: f64,
    /// When its answer had been read.
    pub end_ms: f64,
}

impl Call {
    /// Returns the calls in a record, in the order in which they ended. The last line of a
    /// run that was killed may be half a line, and is none.
    pub fn recorded(path: &Path) -> Vec<Self> {
        let text = fs::read_to_string(path).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Tells whether it may change something.
    pub fn mutates(&self) -> bool {
        !is_read(&self.operation)
    }
}

impl Place<'_> {
    /// Runs the deployer in this place and returns the calls that it made as well.
    pub fn recorded(&self, arguments: &[&str]) -> (Run, Vec<Call>) {
        self.recorded_of(self.command(arguments))
    }

    /// The same, of a deployer that is to be run in another way.
    pub fn recorded_of(&self, mut command: Command) -> (Run, Vec<Call>) {
        let path = self.folder().join("calls.jsonl");
        let run = Run::of(command.arg("--record-calls").arg(&path));
        (run, Call::recorded(&path))
    }

    /// Runs the deployer in this place, insists that it changed nothing, and returns the run.
    ///
    /// # Panics
    /// It made no call at all, or one that may change something.
    pub fn only_reads(&self, arguments: &[&str]) -> Run {
        let (run, calls) = self.recorded(arguments);
        assert!(!calls.is_empty(), "{arguments:?} made no call: {run:#?}");
        let writes: Vec<&Call> = calls.iter().filter(|call| call.mutates()).collect();
        assert!(writes.is_empty(), "{arguments:?} wrote: {writes:#?}");
        run
    }
}
