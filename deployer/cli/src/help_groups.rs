//! The commands in `--help`, in groups: clap has one heading for all of them.

use std::fmt::Write;

use clap::Command;

use crate::app::App;
use crate::exit::Problem;

/// The commands that only a stack with events has a use for.
const EVENTS: &[&str] = &["events", "replay", "audit", "probe"];

/// The commands of each group, in the order in which help lists them.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Deploy", &["plan", "up", "drift", "down", "build", "bundle"]),
    ("Operate", &["invoke", "logs", "history", "outputs", "policy"]),
    ("Events", EVENTS),
    ("Local cloud", &["local"]),
    ("Create", &["new"]),
];

/// The commands that only a stack with functions has a use for.
const OF_FUNCTIONS: [&str; 4] = ["invoke", "logs", "build", "bundle"];

/// Hides the commands, and the option of `up`, that the stack has no use for. They are still parsed, so that
/// they are refused with the reason.
pub(crate) fn fitting(command: Command, app: &App) -> Command {
    let events = if app.pipeline.is_none() { EVENTS } else { &[] };
    let functions: &[&str] = if app.package.is_none() { &OF_FUNCTIONS } else { &[] };
    let new: &[&str] = if app.template.is_none() { &["new"] } else { &[] };
    let command =
        events.iter().chain(functions).chain(new).fold(command, |command, name| hidden(command, name));
    if app.pipeline.is_some() {
        return command;
    }
    command.mut_subcommand("up", |up| up.mut_arg("probe", |option| option.hide(true)))
}

/// Returns why the stack has no use for this command, if that is so.
pub(crate) fn refused(name: &str, app: &App) -> Option<Problem> {
    if EVENTS.contains(&name) {
        app.events().err()
    } else if OF_FUNCTIONS.contains(&name) {
        app.functions().err()
    } else {
        None
    }
}

/// Hides a command, if this program has it.
pub(crate) fn hidden(command: Command, name: &str) -> Command {
    match command.find_subcommand(name) {
        Some(_) => command.mut_subcommand(name, |verb| verb.hide(true)),
        None => command,
    }
}

/// Returns the command with help that lists its subcommands in groups.
pub(crate) fn grouped(command: Command) -> Command {
    let header = *command.get_styles().get_header();
    let literal = *command.get_styles().get_literal();
    let shown = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    let width = shown.map(|verb| verb.get_name().len()).max().unwrap_or_default();
    let mut template = "{before-help}{about-with-newline}\n{usage-heading} {usage}\n".to_owned();
    for (group, names) in GROUPS {
        let verbs = names.iter().filter_map(|name| command.find_subcommand(name));
        let verbs: Vec<_> = verbs.filter(|verb| !verb.is_hide_set()).collect();
        if verbs.is_empty() {
            continue;
        }
        let _ = write!(template, "\n{header}{group}:{header:#}\n");
        for verb in verbs {
            let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
            let name = verb.get_name();
            let _ = writeln!(template, "  {literal}{name:width$}{literal:#}  {about}");
        }
    }
    let _ = write!(template, "\n{header}Options:{header:#}\n{{options}}{{after-help}}");
    command.help_template(template)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::Subcommand;

    use super::*;

    #[test]
    fn commands_are_each_in_one_group() {
        let command = crate::commands::Command::augment_subcommands(Command::new("deployer"));
        let known: Vec<&str> =
            command.get_subcommands().filter(|verb| !verb.is_hide_set()).map(Command::get_name).collect();
        let grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        let groups: BTreeSet<&str> = grouped.iter().copied().collect();
        assert_eq!(groups, known.into_iter().collect(), "GROUPS differs from the commands that exist");
        assert_eq!(grouped.len(), groups.len(), "a command is in two groups");
    }
}
