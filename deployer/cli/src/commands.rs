//! One file for each command, and `time`, which parses the times and durations of their options.

#[cfg(feature = "pipeline")]
mod audit;
mod build;
mod bundle;
mod down;
mod drift;
#[cfg(feature = "pipeline")]
mod events;
mod history;
mod invoke;
mod local;
mod logs;
mod new;
mod outputs;
mod plan;
mod policy;
#[cfg(feature = "pipeline")]
mod probe;
#[cfg(feature = "pipeline")]
mod replay;
mod time;
mod up;

use std::collections::BTreeSet;

use clap::Subcommand;

use crate::app::App;
use crate::environment::Environment;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::render::Ui;

/// A command. Hidden aliases are the words of Terraform, CDK and Pulumi for the same.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(aliases = ["diff", "preview"])]
    Plan(plan::Args),
    #[command(aliases = ["deploy", "apply"])]
    Up(up::Args),
    Drift(drift::Args),
    #[command(aliases = ["destroy", "remove", "delete"])]
    Down(down::Args),
    Invoke(invoke::Args),
    Logs(logs::Args),
    #[cfg(feature = "pipeline")]
    Events(events::Args),
    #[cfg(feature = "pipeline")]
    Replay(replay::Args),
    #[cfg(feature = "pipeline")]
    Audit(audit::Args),
    #[cfg(feature = "pipeline")]
    Probe(probe::Args),
    History(history::Args),
    Outputs(outputs::Args),
    Policy(policy::Args),
    Build(build::Args),
    Bundle(bundle::Args),
    New(new::Args),
    #[command(subcommand)]
    Local(local::Verb),
}

/// Runs a command.
pub(crate) async fn run(command: Command, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    match command {
        Command::Plan(args) => plan::run(args, app, global, ui).await,
        Command::Up(args) => up::run(args, app, global, ui).await,
        Command::Drift(args) => drift::run(args, app, global, ui).await,
        Command::Down(args) => down::run(args, app, global, ui).await,
        Command::Invoke(args) => invoke::run(args, app, global, ui).await,
        Command::Logs(args) => logs::run(args, app, global, ui).await,
        #[cfg(feature = "pipeline")]
        Command::Events(args) => events::run(args, app, global, ui).await,
        #[cfg(feature = "pipeline")]
        Command::Replay(args) => replay::run(args, app, global, ui).await,
        #[cfg(feature = "pipeline")]
        Command::Audit(args) => audit::run(args, app, global, ui).await,
        #[cfg(feature = "pipeline")]
        Command::Probe(args) => probe::run(args, app, global, ui).await,
        Command::History(args) => history::run(args, app, global, ui).await,
        Command::Outputs(args) => outputs::run(args, app, global, ui).await,
        Command::Policy(args) => policy::run(args, app, global, ui).await,
        Command::Build(args) => build::run(args, app, global, ui).await,
        Command::Bundle(args) => bundle::run(args, app, global, ui).await,
        Command::New(args) => new::run(args, app, ui).await,
        Command::Local(verb) => local::run(verb, app, global, ui).await,
    }
}

/// Returns the hint for a table, stream or bucket that does not exist.
#[cfg(feature = "pipeline")]
fn never_deployed(program: &str, environment: &str) -> String {
    format!("`{program} up {environment}` creates it; if it was deleted, read docs/restoring.md first")
}

/// Returns names in their order, without repetitions.
fn each_once(mut names: Vec<String>) -> Vec<String> {
    let mut given = BTreeSet::new();
    names.retain(|name| given.insert(name.clone()));
    names
}

/// Asks for confirmation before the first write, unless `--yes` was given or the environment is local.
fn confirm(environment: &Environment, yes: bool, question: &str, ui: &Ui) -> Result<(), Problem> {
    if yes || environment.local.is_some() {
        return Ok(());
    }
    if !ui.can_ask() {
        return Err(Problem::usage(
            "stdin is not a terminal, so the plan cannot be confirmed; nothing was changed",
        )
        .hint("add --yes to confirm it"));
    }
    match ui.ask(&format!("{question} [y/N]")).to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Problem::new("not confirmed; nothing was changed")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Subcommand;

    use super::*;

    /// Reads the page of all commands, which is not part of this crate's package.
    fn page() -> String {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/commands.md");
        std::fs::read_to_string(page).expect("the page is committed")
    }

    #[test]
    fn verbs_all_have_a_section_of_the_documents() {
        let page = page();
        let headings = page.lines().filter_map(|line| line.strip_prefix("## "));
        let documented: Vec<&str> = headings.flat_map(str::split_whitespace).collect();
        let verbs = Command::augment_subcommands(clap::Command::new("deployer"));
        for verb in verbs.get_subcommands().map(clap::Command::get_name) {
            assert!(documented.contains(&verb), "docs/commands.md has no section `## {verb}`");
            let row = format!("| [`{verb}`](#");
            assert!(page.contains(&row), "the table at the top of docs/commands.md has no row of `{verb}`");
        }
    }

    #[test]
    fn options_are_all_in_the_section_of_their_verb() {
        let page = page();
        let sections: Vec<&str> = page.split("\n## ").collect();
        let verbs = Command::augment_subcommands(clap::Command::new("deployer"));
        let mut missing = Vec::new();
        for verb in verbs.get_subcommands() {
            let name = verb.get_name();
            let is_of_verb = |section: &&&str| {
                section.lines().next().is_some_and(|title| title.split_whitespace().any(|word| word == name))
            };
            let section = sections.iter().find(is_of_verb).unwrap_or(&"");
            let options = verb
                .get_arguments()
                .filter(|option| !option.is_hide_set())
                .filter_map(|option| option.get_long());
            missing.extend(
                options
                    .filter(|option| !section.contains(&format!("--{option}")))
                    .map(|option| format!("{name} --{option}")),
            );
        }
        assert_eq!(missing, [""; 0], "docs/commands.md does not explain these options");
    }

    #[test]
    fn name_that_is_given_twice_counts_once() {
        let names = ["get-demo", "add-item", "get-demo"].map(str::to_owned);
        assert_eq!(each_once(names.to_vec()), ["get-demo", "add-item"]);
    }
}
