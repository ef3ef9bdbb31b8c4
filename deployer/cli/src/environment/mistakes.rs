//! The mistakes of environment files: all of them at once, each with its position.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};

use super::Environment;
use crate::suggestion::closest;

/// The keys whose values are tables with fixed keys.
const TABLES: [&str; 9] =
    ["alarms", "build", "functions", "local", "org", "org.assume_role", "org.kms", "stream", "table"];

/// The names of types in serde's messages, each with the term for TOML files.
const TYPES: [(&str, &str); 9] = [
    ("a boolean", "true or false"),
    ("a map", "a table"),
    ("a sequence", "a list"),
    ("map", "a table"),
    ("boolean", "the value"),
    ("floating point", "the number"),
    ("integer", "the number"),
    ("sequence", "a list"),
    ("string", "the string"),
];

/// The term for a key of `[functions]` in messages of the form of serde's, since it may be meant as the name of
/// a function.
pub(super) const SETTING: &str = "setting";

/// Rust's types of whole numbers that settings of an application may have, each with the largest one.
const WHOLE_NUMBERS: [(&str, u32); 3] = [("u8", u8::MAX as u32), ("u16", u16::MAX as u32), ("u32", u32::MAX)];

/// One mistake, with its position in the merged tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    /// The position of the key or the value.
    pub(super) span: Range<usize>,
    /// What is wrong with it.
    pub(super) message: String,
    /// What it should be.
    pub(super) advice: Option<String>,
}

impl Mistake {
    /// Returns a mistake with no advice.
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), advice: None }
    }

    /// Returns the mistake for an error of the TOML parser or of serde, in the terms of TOML.
    pub(super) fn of(error: &toml::de::Error) -> Self {
        let message = error.message().trim().replace('\n', "; ");
        let (message, advice) = plain_message(&message);
        Self { span: error.span().unwrap_or_default(), message, advice }
    }
}

/// Returns the environment of these tables.
///
/// # Errors
/// Returns all mistakes, in the order of their positions.
pub(super) fn environment(tables: &Spanned<DeTable<'_>>) -> Result<Environment, Vec<Mistake>> {
    deserialize(tables, lists(tables.get_ref(), ""))
}

/// Returns the value of these tables, except for places in which mistakes were found already.
///
/// serde stops at the first mistake, so the key or value with the mistake is removed and the rest is read
/// again.
///
/// # Errors
/// Returns all mistakes, in the order of their positions.
pub(super) fn deserialize<T: DeserializeOwned>(
    tables: &Spanned<DeTable<'_>>,
    mut mistakes: Vec<Mistake>,
) -> Result<T, Vec<Mistake>> {
    let mut rest = tables.clone();
    for list in &mistakes {
        remove_at(rest.get_mut(), &list.span);
    }
    let value = loop {
        let error = match T::deserialize(toml::de::Deserializer::from(rest.clone())) {
            Ok(value) => break Some(value),
            Err(error) => error,
        };
        let mistake = Mistake::of(&error);
        let span = mistake.span.clone();
        let was_taken_out =
            missing_key(error.message()).is_some_and(|key| has(tables.get_ref(), tables.span(), &span, key));
        if !was_taken_out {
            mistakes.push(mistake);
        }
        // A missing key of the top level has the position of the whole file, which cannot be removed.
        if span == tables.span() || !remove_at(rest.get_mut(), &span) {
            break None;
        }
    };
    mistakes.sort_by_key(|mistake| mistake.span.start);
    value.filter(|_| mistakes.is_empty()).ok_or(mistakes)
}

/// Returns a mistake for each list in place of a table. serde would accept the list, and assign its items to
/// the table's keys in the order of their declaration.
fn lists(table: &DeTable<'_>, prefix: &str) -> Vec<Mistake> {
    let of = |(key, value): (&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)| {
        let path = format!("{prefix}{}", key.get_ref());
        match value.get_ref() {
            DeValue::Array(items) if is_list_for_table(&path, items) => {
                vec![Mistake::new(key.span(), format!("`{path}` is a table, not a list: [{path}]"))]
            }
            DeValue::Table(inner) => lists(inner, &format!("{path}.")),
            _ => Vec::new(),
        }
    };
    table.iter().flat_map(of).collect()
}

/// Returns whether a list is in place of a table: `[[app]]`.
fn is_list_for_table(path: &str, items: &DeArray<'_>) -> bool {
    // The settings of a function are a table as well, but the lists in `[functions]` are settings of all.
    let of_function = path.starts_with("functions.")
        && items.iter().next().is_some_and(|item| matches!(item.get_ref(), DeValue::Table(_)));
    TABLES.contains(&path) || path == "app" || of_function
}

/// Removes the key or value at this position, and returns whether there was one.
fn remove_at(table: &mut DeTable<'_>, span: &Range<usize>) -> bool {
    let mut found = false;
    for (key, mut value) in std::mem::take(table) {
        let here = key.span() == *span || value.span() == *span;
        found |= here || take_out_within(value.get_mut(), span);
        if !here {
            table.insert(key, value);
        }
    }
    found
}

fn take_out_within(value: &mut DeValue<'_>, span: &Range<usize>) -> bool {
    match value {
        DeValue::Table(table) => remove_at(table, span),
        DeValue::Array(items) => {
            let mut kept = DeArray::new();
            items.iter().filter(|item| item.span() != *span).for_each(|item| kept.push(item.clone()));
            let found = kept.len() < items.len();
            *items = kept;
            found
        }
        _ => false,
    }
}

/// Returns whether the table at position `span` has this key. The table is `table`, which is at position `at`,
/// or a table in it.
fn has(table: &DeTable<'_>, at: Range<usize>, span: &Range<usize>, key: &str) -> bool {
    let within = |value: &Spanned<DeValue<'_>>| match value.get_ref() {
        DeValue::Table(inner) => has(inner, value.span(), span, key),
        _ => false,
    };
    (at == *span && table.contains_key(key)) || table.values().any(within)
}

/// Returns the key that serde reports as missing.
fn missing_key(message: &str) -> Option<&str> {
    message.trim().strip_prefix("missing field `")?.strip_suffix('`')
}

/// Returns a message of serde in the terms of TOML, and the advice for it.
fn plain_message(message: &str) -> (String, Option<String>) {
    if let Some(key) = missing_key(message) {
        return (format!("the key `{key}` is missing"), None);
    }
    for (of_serde, wrong, right) in [
        ("field", "is not a key here", "keys"),
        (SETTING, "is not a key here", "keys"),
        ("variant", "is not a value of this key", "values"),
    ] {
        if let Some(rest) = message.strip_prefix(&format!("unknown {of_serde} ")) {
            // The unknown word comes first, then the known ones.
            let words: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
            let (word, known) = words.split_first().expect("serde names the unknown word");
            let advice = match closest(word, known.iter().copied()) {
                Some(likely) => format!("did you mean `{likely}`?"),
                None if of_serde == SETTING => {
                    format!("settings of a function are in [functions.{word}]; keys: {}", known.join(", "))
                }
                None => format!("{right}: {}", known.join(", ")),
            };
            return (format!("`{word}` {wrong}"), Some(advice));
        }
    }
    if message == "wanted string or table" {
        return ("expected a string".to_owned(), None);
    }
    let invalid = ["invalid type: ", "invalid value: "].iter().find_map(|begin| message.strip_prefix(begin));
    match invalid.and_then(|rest| rest.split_once(", expected ")) {
        Some((found, expected)) => {
            let found = found.trim_end_matches(" as i128").replace('`', "");
            let expected = if expected.starts_with("struct ") { "a table" } else { expected };
            let advice =
                (expected == "a string" && found.starts_with("integer")).then(|| "write it in quotes".into());
            (format!("expected {}, found {}", in_toml(expected), in_toml(&found)), advice)
        }
        None => (message.to_owned(), None),
    }
}

/// Replaces serde's name of a type at the start of a text.
fn in_toml(text: &str) -> String {
    let number = text.trim_start_matches("a nonzero ");
    let least = u8::from(number != text);
    if let Some((_, most)) = WHOLE_NUMBERS.iter().find(|(of_rust, _)| *of_rust == number) {
        return format!("a whole number from {least} to {most}");
    }
    if ["i8", "i16", "i32", "i64", "u64", "usize"].contains(&number) {
        return "a whole number".to_owned();
    }
    let found = TYPES.iter().find_map(|(of_serde, of_toml)| {
        let rest = text.strip_prefix(of_serde)?;
        (rest.is_empty() || rest.starts_with(' ')).then(|| format!("{of_toml}{rest}"))
    });
    found.unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Returns the paths of all keys that the schema describes as tables.
    fn tables(schema: &Value, of: &Value, prefix: &str) -> Vec<String> {
        let properties = of["properties"].as_object().into_iter().flatten();
        let inner = properties.flat_map(|(key, value)| {
            let choices = value["anyOf"].as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            let path = format!("{prefix}{key}");
            let referred = choices.iter().find_map(|choice| choice["$ref"].as_str()?.strip_prefix('#'));
            let table = referred
                .and_then(|place| schema.pointer(place))
                .filter(|table| table["properties"].is_object());
            table.map(|table| [vec![path.clone()], tables(schema, table, &format!("{path}."))].concat())
        });
        inner.flatten().collect()
    }

    #[test]
    fn tables_are_those_of_the_schema() {
        let schema = Value::from(schemars::schema_for!(Environment));
        let mut known = tables(&schema, &schema, "");
        known.sort();
        assert_eq!(known, TABLES);
    }
}
