//! What a binary hands over: a stack, and what the command line needs to know of it.
//!
//! Another stack is another [`App`].

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::aws::Aws;
use crate::environment::Environment;
use crate::stack::Stack;

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
    /// The folder of the environment files
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value = "environments",
        env = "DEPLOYER_ENVIRONMENTS"
    )]
    pub environments: PathBuf,
    /// Write every call to AWS to this file, one JSON line each
    #[arg(long, global = true, value_name = "FILE")]
    pub record_calls: Option<PathBuf>,
}
