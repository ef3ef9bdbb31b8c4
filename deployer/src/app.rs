//! What a binary hands over: a stack, and what the command line needs to know of it.
//!
//! Another stack is another [`App`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::aws::Aws;
use crate::environment::Environment;
use crate::exit::Problem;
use crate::pipeline::Pipeline;
use crate::stack::Stack;

/// Where environment files are when nothing else is said.
const DEFAULT_FOLDER: &str = "environments";

/// A stack and what the command line needs to know of it.
#[derive(Debug, Clone, Copy)]
pub struct App {
    /// The stack's name, the first part of every resource's name.
    pub stack_name: &'static str,
    /// The cargo package whose binaries are the functions.
    pub package: &'static str,
    /// Builds the desired world of an environment.
    pub stack: fn(&Environment, &Fingerprints) -> Stack<Aws>,
    /// The first thing to try when everything is up: the words after the program's name, in
    /// which `{env}` stands for the environment.
    pub try_next: &'static str,
    /// Which parts of the stack events go through, and what they are about; nothing for a
    /// stack without events.
    pub pipeline: Option<Pipeline>,
}

impl App {
    /// Returns the event pipeline, for the verbs that look after it.
    ///
    /// # Errors
    /// The stack has none.
    pub fn pipeline(&self) -> Result<Pipeline, Problem> {
        self.pipeline.ok_or_else(|| Problem::usage(format!("the stack `{}` has no events", self.stack_name)))
    }
}

/// The fingerprints of the functions' sources, by binary.
#[derive(Debug, Clone, Default)]
pub struct Fingerprints(BTreeMap<String, String>);

impl Fingerprints {
    /// Returns the fingerprint of a binary; empty where the command needs none.
    pub fn of(&self, binary: &str) -> String {
        self.0.get(binary).cloned().unwrap_or_default()
    }
}

impl FromIterator<(String, String)> for Fingerprints {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

/// What every command understands.
#[derive(Debug, Clone, clap::Args)]
pub struct Global {
    /// The folder of the environment files [default: the bundle itself, else environments]
    #[arg(long, global = true, value_name = "DIR", env = "DEPLOYER_ENVIRONMENTS")]
    pub environments: Option<PathBuf>,
    /// Write every call to AWS to this file, one JSON line each
    #[arg(long, global = true, value_name = "FILE", help_heading = "Debugging")]
    pub record_calls: Option<PathBuf>,
}

impl Global {
    /// Returns the folder of the environment files.
    pub fn folder(&self) -> &Path {
        self.environments.as_deref().unwrap_or(Path::new(DEFAULT_FOLDER))
    }
}
