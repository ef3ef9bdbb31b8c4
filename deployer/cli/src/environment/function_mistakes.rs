//! Mistakes of `[functions]` that only the stack shows, with their places in the files of the environment.
//!
//! The stack knows no files: its messages name settings, such as `memory_mb`, which are also the keys.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::mistakes::Mistake;
use super::{Environment, EnvironmentError};
use crate::suggestion::closest;

/// The mistakes of `[functions]` that were found so far.
pub(crate) struct FunctionMistakes<'a> {
    environment: &'a Environment,
    found: Vec<Mistake>,
}

impl<'a> FunctionMistakes<'a> {
    /// Returns the tables of functions that are not in the stack, which has these functions.
    pub(crate) fn unknown(environment: &'a Environment, functions: &[&str]) -> Self {
        let mut mistakes = Self { environment, found: Vec::new() };
        let names = environment.functions.overrides.keys().map(String::as_str);
        for name in names.filter(|name| !functions.contains(name)) {
            let advice = match closest(name, functions.iter().copied()) {
                Some(likely) => format!("did you mean `{likely}`?"),
                None => format!("functions: {}", functions.join(", ")),
            };
            mistakes.add(&[name], format!("`{name}` is not a function of the stack"), Some(advice));
        }
        mistakes
    }

    /// Adds a mistake in the settings of a function, and returns whether its key is in a file. The key is the
    /// first one in backticks that the function's own table has, or else the table of all functions.
    pub(crate) fn place(&mut self, function: &str, message: &str) -> bool {
        let keys = || message.split('`').skip(1).step_by(2);
        let of_one = keys().map(|key| vec![function, key]);
        of_one.chain(keys().map(|key| vec![key])).any(|path| {
            // A file has another word for the format than Lambda, whose word is in the message.
            let of_levels = path.last().is_some_and(|key| key.ends_with("_log_level"));
            let advice = of_levels.then(|| "add `log_format = \"json\"`".to_owned());
            self.add(&path, message.to_owned(), advice)
        })
    }

    /// Adds a mistake at this key below `[functions]`, and returns whether a file has the key.
    fn add(&mut self, path: &[&str], message: String, advice: Option<String>) -> bool {
        let Ok(merged) = self.environment.files.merged() else { return false };
        let Some(span) = key_in(merged.get_ref(), &[&["functions"], path].concat()).map(Spanned::span) else {
            return false;
        };
        let mistake = Mistake { advice, ..Mistake::new(span, message) };
        // A setting of all functions is a mistake of each.
        if !self.found.contains(&mistake) {
            self.found.push(mistake);
        }
        true
    }

    /// Returns the error with all mistakes; `None` if there are none.
    pub(crate) fn error(mut self) -> Option<EnvironmentError> {
        self.found.sort_by_key(|mistake| mistake.span.start);
        (!self.found.is_empty()).then(|| self.environment.files.invalid(&self.found))
    }
}

/// Returns the last key of this path.
fn key_in<'a>(table: &'a DeTable<'a>, path: &[&str]) -> Option<&'a Spanned<DeString<'a>>> {
    let (first, rest) = path.split_first()?;
    let (key, value) = table.get_key_value(*first)?;
    match value.get_ref() {
        _ if rest.is_empty() => Some(key),
        DeValue::Table(inner) => key_in(inner, rest),
        _ => None,
    }
}
