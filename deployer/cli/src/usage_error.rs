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
        Some(ContextValue::StyledStr(usage)) if error.kind() != ErrorKind::InvalidSubcommand => problem
            .hint(usage.to_string().trim().replacen("Usage: deployer", &format!("usage: {program}"), 1)),
        _ => problem.hint(format!("`{program} --help` lists the commands")),
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
            let source = std::error::Error::source(error)?;
            format!("wrong value of `{}`: {source}", argument()?)
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
