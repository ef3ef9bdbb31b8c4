//! The command line: reads it, does as told, and ends with an exit code.

use std::process::ExitCode;

use clap::Parser;

use crate::app::App;
use crate::commands::{self, Command};
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::render::Ui;

/// Keeps the infrastructure of an environment as the code says.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "Exit codes: 0 in sync or done, 1 error or stopped on request, 2 pending changes, 3 drift, 4 something could not be read, 5 foreign resources, 6 orphans only, 64 usage or configuration, 130 left at once by a signal.";

/// Runs the program: reads the command line, does as told, and returns its exit code.
pub fn run(app: &App) -> ExitCode {
    let ui = Ui::new();
    let cli = match Cli::try_parse() {
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
    let text = message.render().ansi().to_string();
    if message.use_stderr() {
        ui.say(text.trim_end());
        return Exit::USAGE;
    }
    ui.result(text.trim_end());
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
