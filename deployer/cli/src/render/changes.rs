//! Changes in readable form: short values on one line, anything longer as a diff.
//!
//! All output formats of a plan use this form, so all show the same changes.

use engine::change::Change;
use engine::diff::diff;
use engine::resource::Risk;
use serde_json::{Map, Value};
use similar::{Algorithm, ChangeTag, DiffOp, capture_diff_slices, group_diff_ops};

use super::text::{compact, printable, value};

/// How many characters both sides of a change together may have on one line.
const SHORT: usize = 80;
/// In a longer line of a diff, text that both sides share is left out.
const LONG: usize = 240;
/// How many lines, or characters of a long line, are shown around a difference.
const LINES_AROUND: usize = 2;
const LETTERS_AROUND: usize = 40;

/// One field that differs.
#[derive(Debug, PartialEq)]
pub(super) struct ShownChange {
    /// The path of the field.
    pub(super) path: String,
    /// The risk of changing it.
    pub(super) risk: Risk,
    /// The values.
    pub(super) form: Form,
}

/// How a field that differs is shown.
#[derive(Debug, PartialEq)]
pub(super) enum Form {
    /// Both sides are short.
    Values {
        /// The live value, if there is one.
        live: Option<String>,
        /// The desired value, if there is one.
        desired: Option<String>,
    },
    /// A diff from the live to the desired value.
    Lines(Vec<Line>),
}

/// One line of a diff.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    /// The side that has it.
    pub(super) sign: Sign,
    /// The text of the line.
    pub(super) text: String,
}

/// The side that has a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// The line is live but not desired.
    Gone,
    /// The line is desired but not live.
    Come,
    /// The line is on both sides, or is a mark for lines that are left out.
    Same,
}

/// Returns changes in readable form.
pub(super) fn shown_changes(changes: &[Change]) -> Vec<ShownChange> {
    changes.iter().flat_map(shown_change).collect()
}

fn shown_change(change: &Change) -> Vec<ShownChange> {
    if let Some(inside) = inside(change) {
        return inside.iter().flat_map(shown_change).collect();
    }
    let (name, unit) = name_and_unit(&change.path);
    let with_unit = |text: String| match unit {
        Some("days" | "hours") if text == "1" => {
            format!("1 {}", unit.unwrap_or_default().trim_end_matches('s'))
        }
        Some(unit) => format!("{text} {unit}"),
        None => text,
    };
    let form = match form(change) {
        Form::Values { live, desired } => {
            Form::Values { live: live.map(with_unit), desired: desired.map(with_unit) }
        }
        lines => lines,
    };
    vec![ShownChange { path: printable(name), risk: change.risk, form }]
}

/// Returns the name of a field for people, and the unit of its values. In JSON the name ends with the unit.
fn name_and_unit(path: &str) -> (&str, Option<&'static str>) {
    const UNITS: [(&str, &str); 6] =
        [("_days", "days"), ("_hours", "hours"), ("_kib", "KiB"), ("_mb", "MB"), ("_ms", "ms"), ("_s", "s")];
    const NAMES: [(&str, &str); 2] =
        [("code.fingerprint", "code"), ("reads_current_stream", "reads the current stream")];
    if let Some((_, name)) = NAMES.iter().find(|(field, _)| *field == path) {
        return (name, None);
    }
    let unit = UNITS.iter().find_map(|(end, unit)| Some((path.strip_suffix(end)?, *unit)));
    unit.map_or((path, None), |(name, unit)| (name, Some(unit)))
}

/// Returns the changes between two texts that are JSON documents, or `None` if they are not.
fn inside(change: &Change) -> Option<Vec<Change>> {
    let document = |value: &Value| {
        let parsed = serde_json::from_str::<Value>(value.as_str()?).ok()?;
        (parsed.is_object() || parsed.is_array()).then_some(parsed)
    };
    let mut inside = diff(&document(&change.live)?, &document(&change.desired)?);
    for below in &mut inside {
        let dot = if below.path.is_empty() || below.path.starts_with('[') { "" } else { "." };
        below.path = format!("{}{dot}{}", change.path, below.path);
        below.risk = change.risk;
    }
    // Without a change inside, the two texts of the same document are compared as text.
    (!inside.is_empty()).then_some(inside)
}

fn form(change: &Change) -> Form {
    let sides = [value(&change.live), value(&change.desired)];
    let length = sides.iter().flatten().map(|side| side.chars().count()).sum::<usize>();
    let broken = |value: &Value| value.as_str().is_some_and(|text| text.contains('\n'));
    let short = length <= SHORT && !broken(&change.live) && !broken(&change.desired);
    if short && sides[0] != sides[1] && !is_policy(&change.live) && !is_policy(&change.desired) {
        let [live, desired] = sides;
        return Form::Values { live, desired };
    }
    let lines = lines(&items(&change.live), &items(&change.desired));
    if lines.iter().any(|line| line.sign != Sign::Same) {
        return Form::Lines(lines);
    }
    // Equal as text, such as `5` and `"5"`, but different as JSON.
    let json = |value: &Value| (!value.is_null()).then(|| compact(value));
    Form::Values { live: json(&change.live), desired: json(&change.desired) }
}

/// Returns a value as the lines that a diff compares: statements, entries, elements, lines.
fn items(whole: &Value) -> Vec<String> {
    match whole {
        Value::Object(policy) if is_policy(whole) => statements(policy),
        Value::Object(map) if map.values().any(Value::is_object) => {
            map.iter().map(|(key, part)| printable(&format!("{key}: {part}"))).collect()
        }
        Value::Array(elements) => elements.iter().filter_map(value).collect(),
        Value::String(text) => text.split('\n').map(printable).collect(),
        other => value(other).into_iter().collect(),
    }
}

/// Returns whether a value has the form of a policy (`policy::Policy`).
fn is_policy(value: &Value) -> bool {
    value.as_object().is_some_and(|map| {
        map.len() == 2 && map.contains_key("version") && map.get("statements").is_some_and(Value::is_object)
    })
}

fn statements(policy: &Map<String, Value>) -> Vec<String> {
    let statements = policy["statements"].as_object().into_iter().flatten();
    statements.map(|(sid, statement)| printable(&format!("{sid} {statement}"))).collect()
}

/// Returns the diff of two lists of lines.
fn lines(live: &[String], desired: &[String]) -> Vec<Line> {
    let ops = capture_diff_slices(Algorithm::Patience, live, desired);
    if let [DiffOp::Replace { old_len: 1, new_len: 1, .. }] = ops[..] {
        let [live, desired] = from_where_they_differ(&live[0], &desired[0]);
        return vec![Line { sign: Sign::Gone, text: live }, Line { sign: Sign::Come, text: desired }];
    }
    let mut lines = Vec::new();
    let groups = group_diff_ops(ops, LINES_AROUND);
    let last = groups.len().saturating_sub(1);
    for (position, group) in groups.iter().enumerate() {
        let starts_at = group.first().map_or(0, |op| op.old_range().start);
        if position > 0 || starts_at > 0 {
            lines.push(Line { sign: Sign::Same, text: "…".into() });
        }
        for change in group.iter().flat_map(|op| op.iter_changes(live, desired)) {
            let sign = match change.tag() {
                ChangeTag::Delete => Sign::Gone,
                ChangeTag::Insert => Sign::Come,
                ChangeTag::Equal => Sign::Same,
            };
            lines.push(Line { sign, text: change.value() });
        }
        if position == last && group.last().is_some_and(|op| op.old_range().end < live.len()) {
            lines.push(Line { sign: Sign::Same, text: "…".into() });
        }
    }
    lines
}

/// Returns two lines. If one is long, the start and the end that they share are cut.
fn from_where_they_differ(live: &str, desired: &str) -> [String; 2] {
    let sides = [live, desired].map(|side| side.chars().collect::<Vec<char>>());
    if sides.iter().all(|side| side.len() <= LONG) {
        return [live.to_owned(), desired.to_owned()];
    }
    let [one, other] = &sides;
    let shared = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let ends = one[shared..].iter().rev().zip(other[shared..].iter().rev());
    let shared_end = ends.take_while(|(one, other)| one == other).count();
    sides.map(|side| {
        let (start, end) = (shared, side.len() - shared_end);
        let start = if start > 2 * LETTERS_AROUND { start - LETTERS_AROUND } else { 0 };
        let end = if shared_end > 2 * LETTERS_AROUND { end + LETTERS_AROUND } else { side.len() };
        let cut = |is_cut: bool| if is_cut { "…" } else { "" };
        let shown: String = side[start..end].iter().collect();
        format!("{}{shown}{}", cut(start > 0), cut(end < side.len()))
    })
}

#[cfg(test)]
mod tests;
