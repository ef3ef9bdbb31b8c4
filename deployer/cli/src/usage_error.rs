//! Mistakes in a command line, said as every other error is said: what is wrong, then a hint.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::exit::Problem;
use crate::suggestion::closest;

/// Returns the problem of a command line that clap refuses.
pub(crate) fn usage_error(error: &clap::Error, program: &str) -> Problem {
    let problem = Problem::usage(message(error).unwrap_or_else(|| without_prefix(error)));
    let invalid = [ContextKind::InvalidSubcommand, ContextKind::InvalidValue, ContextKind::InvalidArg]
        .into_iter()
        .find_map(|kind| one(error, kind))
        .unwrap_or_default();
    let suggested =
        [ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue, ContextKind::SuggestedArg]
            .into_iter()
            .flat_map(|kind| several(error, kind))
            .map(String::as_str);
    if let Some(likely) = closest(invalid, suggested) {
        return problem.hint(format!("did you mean `{likely}`?"));
    }
    for (kind, name) in [(ContextKind::ValidValue, "values"), (ContextKind::ValidSubcommand, "commands")] {
        let valid = several(error, kind);
        if !valid.is_empty() {
            return problem.hint(format!("{name}: {}", valid.join(", ")));
        }
    }
    match error.get(ContextKind::Usage) {
        _ if error.kind() == ErrorKind::InvalidSubcommand => {
            problem.hint(format!("`{program} --help` lists the commands"))
        }
        Some(ContextValue::StyledStr(usage)) => {
            let usage = usage.to_string();
            // The name of the program's file comes first, which may not be how it is run.
            let usage = usage.trim().strip_prefix("Usage: ").unwrap_or(&usage);
            let rest = usage.split_once(' ').map(|(_, rest)| format!(" {rest}")).unwrap_or_default();
            problem.hint(format!("usage: {program}{rest}"))
        }
        _ => problem,
    }
}

/// Returns what is wrong, for the mistakes that clap describes by their parts.
fn message(error: &clap::Error) -> Option<String> {
    let argument = || one(error, ContextKind::InvalidArg);
    Some(match error.kind() {
        ErrorKind::InvalidSubcommand => {
            format!("`{}` is not a command", one(error, ContextKind::InvalidSubcommand)?)
        }
        ErrorKind::MissingSubcommand => {
            format!("`{}` needs a command", one(error, ContextKind::InvalidSubcommand)?)
        }
        ErrorKind::UnknownArgument => match argument()? {
            option if option.starts_with('-') => format!("`{option}` is not an option of this command"),
            word => format!("`{word}` is one argument too many"),
        },
        ErrorKind::InvalidValue => match one(error, ContextKind::InvalidValue)? {
            "" => format!("`{}` needs a value", argument()?),
            value => format!("`{value}` is not a value of `{}`", argument()?),
        },
        ErrorKind::ValueValidation => {
            let source = std::error::Error::source(error)?.to_string();
            format!("wrong value of `{}`: {}", argument()?, with_range_in_words(&source))
        }
        ErrorKind::MissingRequiredArgument => {
            format!("missing `{}`", several(error, ContextKind::InvalidArg).join("`, `"))
        }
        ErrorKind::ArgumentConflict => match several(error, ContextKind::PriorArg) {
            [same] if same == argument()? => format!("`{same}` can be given only once"),
            prior => format!("`{}` cannot be used with `{}`", argument()?, prior.join("`, `")),
        },
        _ => return None,
    })
}

/// Returns what clap says of a number out of its range, without Rust's syntax of ranges.
fn with_range_in_words(text: &str) -> String {
    match text.split_once(" is not in ").and_then(|(number, range)| Some((number, range.split_once("..=")?)))
    {
        Some((number, (least, most))) => format!("{number} is not between {least} and {most}"),
        None => text.to_owned(),
    }
}

/// Returns the first paragraph of clap's own text.
fn without_prefix(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    text.split("\n\n").next().unwrap_or_default().trim().replace('\'', "`")
}

fn one(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        _ => None,
    }
}

fn several(error: &clap::Error, kind: ContextKind) -> &[String] {
    match error.get(kind) {
        Some(ContextValue::Strings(texts)) => texts,
        Some(ContextValue::String(text)) => std::slice::from_ref(text),
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use clap::builder::PossibleValuesParser;
    use clap::{Arg, ArgAction, Command, value_parser};

    use super::*;

    /// Returns the message and the hint for these arguments of a small command line.
    fn refused(arguments: &[&str]) -> (String, Option<String>) {
        refused_by("deployer", arguments)
    }

    fn refused_by(name: &'static str, arguments: &[&str]) -> (String, Option<String>) {
        let up = Command::new("up")
            .arg(Arg::new("environment").value_name("ENVIRONMENT").required(true))
            .arg(Arg::new("format").long("format").value_parser(PossibleValuesParser::new(["human", "json"])))
            .arg(Arg::new("rate").long("rate").value_parser(value_parser!(u32).range(1..)))
            .arg(Arg::new("follow").long("follow").action(ArgAction::SetTrue).conflicts_with("cancel"))
            .arg(Arg::new("cancel").long("cancel").action(ArgAction::SetTrue));
        let command = Command::new(name).subcommand_required(true).subcommand(up);
        let error = command.try_get_matches_from([&[name], arguments].concat()).expect_err("it is wrong");
        let problem = usage_error(&error, "cargo deployer");
        (problem.message, problem.hint)
    }

    #[test]
    fn usage_begins_with_the_command_that_runs_the_program() {
        let (_, hint) = refused_by("shop", &["up"]);
        assert_eq!(hint.as_deref(), Some("usage: cargo deployer up <ENVIRONMENT>"));
    }

    #[test]
    fn usage_errors_say_what_is_wrong_and_what_is_right() {
        let usage = |rest: &str| Some(format!("usage: cargo deployer up {rest}"));
        let hint = |text: &str| Some(text.to_owned());
        let cases: [(&[&str], &str, Option<String>); 9] = [
            (&["dwon"], "`dwon` is not a command", hint("`cargo deployer --help` lists the commands")),
            (&["upp"], "`upp` is not a command", hint("did you mean `up`?")),
            (&["up"], "missing `<ENVIRONMENT>`", usage("<ENVIRONMENT>")),
            (
                &["up", "dev", "--formt", "json"],
                "`--formt` is not an option of this command",
                hint("did you mean `--format`?"),
            ),
            (&["up", "dev", "prod"], "`prod` is one argument too many", usage("[OPTIONS] <ENVIRONMENT>")),
            (
                &["up", "dev", "--format", "jsn"],
                "`jsn` is not a value of `--format <format>`",
                hint("did you mean `json`?"),
            ),
            (
                &["up", "dev", "--format", "yaml"],
                "`yaml` is not a value of `--format <format>`",
                hint("values: human, json"),
            ),
            (
                &["up", "dev", "--rate", "0"],
                "wrong value of `--rate <rate>`: 0 is not between 1 and 4294967295",
                None,
            ),
            (
                &["up", "dev", "--follow", "--cancel"],
                "`--follow` cannot be used with `--cancel`",
                usage("--follow <ENVIRONMENT>"),
            ),
        ];
        for (arguments, message, hint) in cases {
            assert_eq!(refused(arguments), (message.to_owned(), hint), "{arguments:?}");
        }
    }
}
