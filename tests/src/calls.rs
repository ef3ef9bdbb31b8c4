//! The calls of a deployer run, as `--record-calls` writes them.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::place::{Place, Run};

/// The prefixes of operations that only read.
const READS: [&str; 4] = ["Get", "List", "Describe", "Head"];

/// Returns whether an operation with this name only reads.
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
    /// The path of the request, which identifies the resource in services that use paths.
    pub path: String,
    /// When the request was sent, in milliseconds since the start of the run.
    pub start_ms: f64,
    /// When its answer had been read.
    pub end_ms: f64,
}

impl Call {
    /// Returns the recorded calls, in the order in which they ended. The last line of a killed run may be
    /// incomplete, and is skipped.
    pub fn recorded(path: &Path) -> Vec<Self> {
        let text = fs::read_to_string(path).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Returns whether the call may change something.
    pub fn mutates(&self) -> bool {
        !is_read(&self.operation)
    }
}

impl Place<'_> {
    /// Runs the deployer in this place. Returns the run and its calls.
    pub fn recorded(&self, arguments: &[&str]) -> (Run, Vec<Call>) {
        self.recorded_of(self.command(arguments))
    }

    /// Runs this command of the deployer. Returns the run and its calls.
    pub fn recorded_of(&self, mut command: Command) -> (Run, Vec<Call>) {
        let path = self.folder().join("calls.jsonl");
        let run = Run::of(command.arg("--record-calls").arg(&path));
        (run, Call::recorded(&path))
    }

    /// Runs the deployer in this place, checks that it only read, and returns the run.
    ///
    /// # Panics
    /// Panics if it made no call, or one that may change something.
    pub fn only_reads(&self, arguments: &[&str]) -> Run {
        let (run, calls) = self.recorded(arguments);
        assert!(!calls.is_empty(), "{arguments:?} made no call: {run:#?}");
        let writes: Vec<&Call> = calls.iter().filter(|call| call.mutates()).collect();
        assert!(writes.is_empty(), "{arguments:?} wrote: {writes:#?}");
        run
    }
}
