//! The command line: reads it, does as told, and ends with an exit code.

use std::process::ExitCode;

use clap::{Arg, CommandFactory, FromArgMatches, Parser};

use crate::app::App;
use crate::commands::{self, Command};
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::render::Ui;

/// Keeps the infrastructure of an environment as the code says.
#[derive(Debug, Parser)]
#[command(name = "deployer", version, after_help = AFTER_HELP, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "Exit codes: 0 in sync or done, 1 error or stopped on request, 2 pending changes, 3 drift, 4 something could not be read, 5 foreign resources, 6 orphans only, 64 usage or configuration, 130 left at once by a signal.";

/// Reads the command line, and the variables that options may have.
fn parse() -> Result<Cli, clap::Error> {
    let mut command = Cli::command().mut_args(without_empty_variable);
    let mut matches = command.try_get_matches_from_mut(std::env::args_os())?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// Has an option look at its variable only if that has a value. CI systems set variables to nothing
/// where they mean "unset", and clap refuses an empty value.
fn without_empty_variable(option: Arg) -> Arg {
    let is_empty = |name| std::env::var_os(name).is_some_and(|value| value.is_empty());
    if option.get_env().is_some_and(is_empty) { option.env(clap::builder::Resettable::Reset) } else { option }
}

/// Runs the program: reads the command line, does as told, and returns its exit code.
pub fn run(app: &App) -> ExitCode {
    let ui = Ui::new();
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => return told(&error, &ui).into(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            ui.error(&Problem::new(format!("cannot start: {error}")));
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
    written(exit, &ui).into()
}

/// Shows what there is to say in place of running a command: help and version are no mistakes.
fn told(message: &clap::Error, ui: &Ui) -> Exit {
    if message.use_stderr() {
        // It repeats what was typed, so it has no colours.
        ui.say_foreign(message.render().to_string().trim_end());
        return Exit::USAGE;
    }
    ui.result(message.render().ansi().to_string().trim_end());
    written(Exit::DONE, ui)
}

/// Returns how a command ends whose results were written, or were not.
fn written(exit: Exit, ui: &Ui) -> Exit {
    match ui.lost() {
        Some(problem) => {
            ui.error(&problem);
            problem.exit
        }
        None => exit,
    }
}
