//! The command line: parses it, runs the command, and returns an exit code.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, CommandFactory, FromArgMatches, Parser};

use crate::app::App;
use crate::bundle::Bundle;
use crate::commands::{self, Command};
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::help_groups;
use crate::render::Ui;
use crate::usage_error::usage_error;

/// Deploy a stack to AWS, find drift, and operate what is deployed
#[derive(Debug, Parser)]
#[command(name = "deployer", version, after_help = AFTER_HELP, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "Exit codes: 0 in sync or done, 1 error or stopped on request, 2 pending changes, 3 drift, 4 unknown (could not be read), 5 unmanaged resources, 6 orphans only, 64 wrong command line or configuration, 130 quit by a signal.";

/// The command line, and what follows from it.
struct Parsed {
    cli: Cli,
    /// Whether `--format json` was given.
    json: bool,
    /// The folder of `--environments`, unless it comes from the environment variable, which suggested commands
    /// get, too.
    environments: Option<PathBuf>,
}

/// Parses the command line, and the environment variables of options.
fn parse(app: &App, arguments: &[OsString]) -> Result<Parsed, clap::Error> {
    let mut command = command_line(app, arguments);
    let mut matches = command.try_get_matches_from_mut(arguments)?;
    let json = is_json(&matches);
    let typed = matches.value_source("environments") == Some(ValueSource::CommandLine);
    let cli = Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))?;
    let environments = cli.global.environments.clone().filter(|_| typed);
    Ok(Parsed { cli, json, environments })
}

/// Returns the command line of the program that these arguments begin with.
fn command_line(app: &App, arguments: &[OsString]) -> clap::Command {
    let command = of_bundle(Cli::command().mut_args(without_empty_variable));
    let command = help_groups::grouped(help_groups::fitting(command, app));
    match program_name(arguments) {
        Some(name) => command.display_name(name.clone()).bin_name(name),
        None => command,
    }
}

/// Returns the name of the program's file.
fn program_name(arguments: &[OsString]) -> Option<String> {
    Some(Path::new(arguments.first()?).file_name()?.to_string_lossy().into_owned())
}

/// Adapts help and version to a bundle: its release, and only the commands that it supports.
fn of_bundle(command: clap::Command) -> clap::Command {
    // A damaged bundle is reported by the commands that read it.
    let Ok(Some(bundle)) = Bundle::running() else { return command };
    let version =
        format!("{} (bundle of {})", env!("CARGO_PKG_VERSION"), bundle.release().unwrap_or("no commit"));
    let command = command.version(version);
    ["build", "bundle"].into_iter().fold(command, help_groups::hidden)
}

/// Returns whether the command has the option `--format` with the value `json`.
fn is_json(matches: &ArgMatches) -> bool {
    let Some((_, verb)) = matches.subcommand() else { return false };
    let format = verb.try_get_raw("format").ok().flatten();
    format.is_some_and(|mut values| values.any(|value| value == "json"))
}

/// Lets an option ignore its environment variable if that is empty: CI systems set variables to nothing where
/// they mean "unset", and clap refuses an empty value.
fn without_empty_variable(option: Arg) -> Arg {
    let is_empty = |name| std::env::var_os(name).is_some_and(|value| value.is_empty());
    if option.get_env().is_some_and(is_empty) { option.env(clap::builder::Resettable::Reset) } else { option }
}

/// Checks a command line, without the program's name, as far as that is possible without running it.
///
/// # Errors
/// Returns the error that the program would print, except for help and version.
pub fn check_command_line(arguments: &[String]) -> Result<(), String> {
    let words = std::iter::once("deployer").chain(arguments.iter().map(String::as_str));
    match Cli::command().try_get_matches_from(words) {
        Err(error) if error.use_stderr() => Err(error.to_string()),
        _ => Ok(()),
    }
}

/// Runs the command of the command line, and returns its exit code.
pub fn run(app: &App) -> ExitCode {
    let ui = Ui::new();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let Parsed { cli, json, environments } = match parse(app, &arguments) {
        Ok(parsed) => parsed,
        Err(message) => return instead_of_command(&message, app, &arguments, &ui).into(),
    };
    let ui = ui.with_environments(environments);
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
            if json {
                ui.json_error(&problem);
            }
            ui.error(&problem);
            problem.exit
        }
    };
    // A blocking read in progress must not hold up the exit.
    runtime.shutdown_background();
    written(exit, &ui).into()
}

/// Prints help, the version or what is wrong with the command line, and returns the exit code.
fn instead_of_command(message: &clap::Error, app: &App, arguments: &[OsString], ui: &Ui) -> Exit {
    if !message.use_stderr() {
        ui.result(message.render().ansi().to_string().trim_end());
        return written(Exit::DONE, ui);
    }
    if message.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        ui.say_untrusted(message.render().to_string().trim_end());
    } else {
        ui.error(&needless(app, arguments).unwrap_or_else(|| usage_error(message, &ui.program())));
    }
    Exit::USAGE
}

/// Returns why the stack has no use for the command of a wrong command line, if that is so: more arguments would
/// not help.
fn needless(app: &App, arguments: &[OsString]) -> Option<Problem> {
    let matches = command_line(app, arguments).ignore_errors(true).try_get_matches_from(arguments).ok()?;
    help_groups::refused(matches.subcommand_name()?, app)
}

/// Returns the exit code of a command, or an error if its results could not be written.
fn written(exit: Exit, ui: &Ui) -> Exit {
    match ui.lost() {
        Some(problem) => {
            ui.error(&problem);
            problem.exit
        }
        None => exit,
    }
}

#[cfg(test)]
mod tests {
    use aws::Aws;
    use engine::stack::Stack;

    use super::*;
    use crate::environment::Environment;

    /// Returns a program whose stack has neither functions nor events.
    fn app() -> App {
        fn stack(_: &Environment) -> Stack<Aws> {
            unreachable!("help reads no environment, and a command is refused before it reads its own")
        }
        App::new("demo", stack)
    }

    #[test]
    fn help_lists_what_the_stack_has_a_use_for() {
        let command = help_groups::fitting(Cli::command(), &app());
        let mut up = command.find_subcommand("up").expect("every program has it").clone();
        assert!(!up.render_help().to_string().contains("--probe"));
        let help = help_groups::grouped(command).render_help().to_string();
        // The options show values of this process's environment.
        let (commands, _options) = help.split_once("\nOptions:").expect("help lists the options last");
        insta::assert_snapshot!(commands);
    }

    #[tokio::test]
    async fn commands_without_a_use_are_refused_with_the_reason() {
        let functions = "the stack `demo` has no functions";
        let mut cases = vec![
            (vec!["invoke", "dev", "add-item"], functions),
            (vec!["logs", "dev"], functions),
            (vec!["build", "dev"], functions),
            (vec!["bundle", "dev", "-o", "file"], functions),
            (vec!["up", "dev", "--probe"], "the stack `demo` has no events"),
        ];
        if cfg!(feature = "pipeline") {
            let of_events: [&[&str]; 4] =
                [&["events", "dev", "a"], &["replay", "dev", "a"], &["audit", "dev"], &["probe", "dev"]];
            cases.extend(of_events.map(|words| (words.to_vec(), "the stack `demo` has no events")));
        }
        for (words, reason) in cases {
            let cli = Cli::try_parse_from(std::iter::once("deployer").chain(words.iter().copied()));
            let Cli { command, global } = cli.expect("a hidden command is parsed");
            let problem = commands::run(command, &app(), &global, &Ui::new()).await;
            let problem = problem.expect_err("the stack has no use for it");
            assert_eq!((problem.message.as_str(), problem.exit.code()), (reason, 64), "{words:?}");
            let without_arguments = ["deployer", words[0]].map(OsString::from);
            let refused = needless(&app(), &without_arguments).map(|problem| problem.message);
            assert_eq!(refused.as_deref(), Some(reason).filter(|_| words[0] != "up"), "{words:?}");
        }
    }

    #[test]
    fn help_and_version_name_the_file_of_the_program() {
        let shown = |words: &[&str]| {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            parse(&app(), &words).err().expect("it is not a command").to_string()
        };
        assert_eq!(shown(&["/bin/shop", "--version"]), format!("shop {}\n", env!("CARGO_PKG_VERSION")));
        assert!(shown(&["/bin/shop", "--help"]).contains("Usage: shop [OPTIONS] <COMMAND>"));
        assert!(shown(&["/bin/shop", "plan", "--help"]).contains("Usage: shop plan [OPTIONS] <ENVIRONMENT>"));
    }

    #[test]
    fn environments_of_the_command_line_are_known_after_any_word() {
        let typed = |words: &[&str]| {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            parse(&app(), &words).expect("the command line is right").environments
        };
        let folder = Some(PathBuf::from("envs"));
        assert_eq!(typed(&["deployer", "--environments", "envs", "plan", "dev"]), folder);
        assert_eq!(typed(&["deployer", "plan", "dev", "--environments", "envs"]), folder);
        assert_eq!(typed(&["deployer", "plan", "dev"]), None);
    }
}
