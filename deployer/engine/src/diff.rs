//! The generic comparison: returns the paths of the fields in which two values differ.
//!
//! Kinds normalise while they read (sorted sets, defaults filled in, policies in canonical form), so plain
//! equality is enough here. Nothing here knows the meaning of a field.

use serde_json::{Map, Value};

use crate::change::Change;

/// Returns every field in which `live` differs from `desired`, in the order of the paths.
pub fn diff(live: &Value, desired: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    walk(String::new(), live, desired, &mut changes);
    changes
}

fn walk(path: String, live: &Value, desired: &Value, changes: &mut Vec<Change>) {
    match (live, desired) {
        (Value::Object(live), Value::Object(desired)) => walk_objects(&path, live, desired, changes),
        // Removing one item moves all items after it, so lists of values are compared as a whole.
        (Value::Array(live), Value::Array(desired))
            if live.len() == desired.len() && live.iter().chain(desired).any(is_nested) =>
        {
            for (index, (live, desired)) in live.iter().zip(desired).enumerate() {
                walk(format!("{path}[{index}]"), live, desired, changes);
            }
        }
        (live, desired) if live == desired => {}
        (live, desired) => changes.push(Change::new(path, live.clone(), desired.clone())),
    }
}

fn is_nested(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

fn walk_objects(
    path: &str,
    live: &Map<String, Value>,
    desired: &Map<String, Value>,
    changes: &mut Vec<Change>,
) {
    let mut keys: Vec<&String> = live.keys().chain(desired.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let at = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
        walk(path, &at(live), &at(desired), changes);
    }
}

/// Returns the number of fields that a comparison of this value covers.
pub fn fields(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.values().map(fields).sum(),
        Value::Array(items) if !items.is_empty() => items.iter().map(fields).sum(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(live: Value, desired: Value) -> Vec<String> {
        diff(&live, &desired).into_iter().map(|change| change.path).collect()
    }

    #[test]
    fn equal_values_have_no_changes() {
        let value = json!({"a": [1, {"b": null}], "c": "x"});
        assert!(diff(&value, &value).is_empty());
    }

    #[test]
    fn change_names_the_innermost_path() {
        assert_eq!(
            paths(
                json!({"stream": {"view": "KEYS_ONLY", "on": true}}),
                json!({"stream": {"view": "NEW_IMAGE", "on": true}}),
            ),
            ["stream.view"],
        );
    }

    #[test]
    fn lists_of_equal_length_are_compared_by_position() {
        let live = json!({"a": [{"b": 1}, {"b": 2}]});
        assert_eq!(paths(live.clone(), json!({"a": [{"b": 1}, {"b": 3}]})), ["a[1].b"]);
        assert_eq!(paths(live, json!({"a": [{"b": 0}, {"b": 2}]})), ["a[0].b"]);
    }

    #[test]
    fn lists_of_values_are_one_change() {
        assert_eq!(paths(json!({"a": [1, 2]}), json!({"a": [2, 3]})), ["a"]);
    }

    #[test]
    fn lists_of_unequal_length_are_one_change() {
        assert_eq!(paths(json!({"a": [1]}), json!({"a": [1, 3]})), ["a"]);
    }

    #[test]
    fn absent_key_is_null() {
        assert_eq!(paths(json!({}), json!({"a": 1})), ["a"]);
        assert_eq!(paths(json!({"a": null}), json!({})), Vec::<String>::new());
        assert_eq!(
            paths(json!({"a": 1}), json!({})),
            ["a"],
            "a field that only the cloud has is a difference"
        );
    }

    #[test]
    fn fields_are_counted_where_they_are_compared() {
        assert_eq!(fields(&json!({"a": [{"b": 1, "c": 2}, {"b": 3}], "d": {"e": null}, "f": []})), 5);
    }

    proptest::proptest! {
        #[test]
        fn difference_is_never_missed(a in ".*", b in ".*") {
            let changes = diff(&json!({"k": {"v": a}}), &json!({"k": {"v": b}}));
            proptest::prop_assert_eq!(changes.is_empty(), a == b);
        }
    }
}
