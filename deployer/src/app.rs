//! The program around a stack: its command line, its exit codes, and what it is told.
//!
//! A binary hands over an [`App`] and nothing else; another stack is another `App`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser};

use crate::aws::Aws;
use crate::commands::{self, Command};
use crate::environment::Environment;
use crate::exit::Exit;
use crate::render::Ui;
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

/// Keeps the infrastructure of an environment as the code says.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Exit codes: 0 in sync or done, 1 error, 2 pending changes, 3 drift, 4 something could not be read,
5 foreign resources, 6 orphans only, 64 usage or configuration.";

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

/// Runs the program: reads the command line, does as told, and returns its exit code.
pub fn run(app: &App) -> ExitCode {
    let matches = match Cli::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // Help and version go to stdout and are no mistake. If even that cannot be
            // written there is nobody to tell.
            let _ = error.print();
            return if error.use_stderr() { Exit::USAGE.into() } else { Exit::DONE.into() };
        }
    };
    let cli = Cli::from_arg_matches(&matches).expect("clap checked the arguments against this type");
    let ui = Ui::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            ui.error(&crate::exit::Problem::new(format!("cannot start: {error}")));
            return Exit::ERROR.into();
        }
    };
    let exit = match runtime.block_on(commands::run(cli.command, app, &cli.global, &ui)) {
        Ok(exit) => exit,
        Err(problem) => {
            ui.error(&problem);
            problem.exit
        }
    };
    // A blocking read in progress must not hold up the exit.
    runtime.shutdown_background();
    exit.into()
}
