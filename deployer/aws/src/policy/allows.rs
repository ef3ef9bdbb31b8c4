//! Decides whether a policy allows a call, from the policy alone.

use serde_json::{Map, Value};

use super::Policy;
use super::canonical::each;

impl Policy {
    /// Returns whether the policy allows this action, `service:Operation`, on the resource with this ARN; `*`
    /// for an action that supports no resources.
    ///
    /// This distinguishes a missing permission from one that has not propagated yet. Conditions are not
    /// evaluated: a conditional `Allow` counts, and a conditional `Deny` does not.
    pub fn allows(&self, action: &str, resource: &str) -> bool {
        let about = |effect: &str| {
            let statements = self.statements.values().filter_map(Value::as_object);
            let of_effect =
                statements.filter(move |statement| statement.get("Effect") == Some(&effect.into()));
            of_effect.filter(|statement| covers(statement, action, resource)).collect::<Vec<_>>()
        };
        let denied = about("Deny").iter().any(|statement| !statement.contains_key("Condition"));
        !denied && !about("Allow").is_empty()
    }
}

fn covers(statement: &Map<String, Value>, action: &str, resource: &str) -> bool {
    let says = |key: &str, subject: &str| {
        let patterns = statement.get(key).map(each)?.iter().filter_map(Value::as_str);
        Some(patterns.into_iter().any(|pattern| matches(pattern, subject)))
    };
    let holds = |key: &str, inverse: &str, subject: &str| {
        says(key, subject).or_else(|| says(inverse, subject).map(|listed| !listed)).unwrap_or(false)
    };
    holds("Action", "NotAction", &action.to_lowercase()) && holds("Resource", "NotResource", resource)
}

/// Returns whether a pattern matches a whole text; `*` is any text, `?` any character.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut read) = (0, 0);
    // The position of the last `*` in the pattern, and the end of the text that it matches so far.
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(expected) if *expected == '?' || *expected == text[read] => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((position, taken)) = star else { return false };
                star = Some((position, taken + 1));
                at = position + 1;
                read = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}
