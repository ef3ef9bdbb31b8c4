use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Returns one change as text: `path: live → desired`, or the lines of its diff.
fn read(path: &str, live: Value, desired: Value) -> Vec<String> {
    shown_changes(&[Change::new(path, live, desired)]).into_iter().flat_map(written).collect()
}

fn written(shown: ShownChange) -> Vec<String> {
    match shown.form {
        Form::Values { live, desired } => {
            let [live, desired] = [live, desired].map(|side| side.unwrap_or_else(|| "none".into()));
            vec![format!("{}: {live} → {desired}", shown.path)]
        }
        Form::Lines(lines) => {
            let lines = lines.into_iter().map(|line| match line.sign {
                Sign::Gone => format!("- {}", line.text),
                Sign::Come => format!("+ {}", line.text),
                Sign::Same => format!("  {}", line.text),
            });
            [shown.path].into_iter().chain(lines).collect()
        }
    }
}

#[test]
fn short_values_are_on_one_line() {
    assert_eq!(read("memory", json!(128), json!(256)), ["memory: 128 → 256"]);
    assert_eq!(read("boundary", json!("arn:x"), json!(null)), ["boundary: arn:x → none"]);
    assert_eq!(read("actions", json!(["a"]), json!(["a", "b"])), [r#"actions: ["a"] → ["a","b"]"#]);
}

/// In JSON, the name of a field ends with its unit.
#[test]
fn values_have_units_and_fields_have_names() {
    assert_eq!(read("memory_mb", json!(128), json!(256)), ["memory: 128 MB → 256 MB"]);
    assert_eq!(read("retention_days", json!(1), json!(7)), ["retention: 1 day → 7 days"]);
    assert_eq!(read("timeout_s", json!(null), json!(5)), ["timeout: none → 5 s"]);
    assert_eq!(read("threshold", json!(1_728_000.0), json!(864_000.0)), ["threshold: 1728000 → 864000"]);
    assert_eq!(
        read("reads_current_stream", json!(false), json!(true)),
        ["reads the current stream: false → true"]
    );
    let fingerprints = ["3d58489f78f2279da8c798c704110f2d", "542130afdbfe70b1c46fa0d704122788"];
    let [live, desired] = fingerprints.map(|fingerprint| json!(fingerprint));
    assert_eq!(read("code.fingerprint", live, desired), ["code: 3d58489f… → 542130af…"]);
}

#[test]
fn lookalike_values_are_quoted() {
    assert_eq!(read("a", json!("5"), json!(5)), [r#"a: "5" → 5"#]);
    assert_eq!(read("a", json!("x\ty"), json!("x\\ty")), [r#"a: "x\ty" → "x\\ty""#]);
    assert_eq!(read("a", json!("x\n"), json!("x")), ["a", "  x", "- "]);
}

#[test]
fn lists_are_compared_by_element() {
    let arn = |number: u32| format!("arn:aws:lambda:eu-central-1:111111111111:layer:extension:{number}");
    let read = read("layers", json!([arn(1), arn(2), arn(3)]), json!([arn(1), arn(3)]));
    assert_eq!(read[1..], [format!("  {}", arn(1)), format!("- {}", arn(2)), format!("  {}", arn(3))]);
}

#[test]
fn policies_are_compared_by_statement() {
    let policy = json!({
        "version": "2012-10-17",
        "statements": {"#c16d46f1": {"Action": ["*"], "Effect": "Allow"}, "Tls": {"Effect": "Deny"}},
    });
    assert_eq!(
        read("inline_policies.more", policy, json!(null)),
        [
            "inline_policies.more",
            r##"- #c16d46f1 {"Action":["*"],"Effect":"Allow"}"##,
            r#"- Tls {"Effect":"Deny"}"#,
        ],
    );
}

#[test]
fn documents_in_text_are_compared_by_path() {
    let [live, desired] = [r#"{"a": [1], "b": {"c": 1}}"#, r#"{"b": {"c": 2}, "a": [1]}"#];
    assert_eq!(read("filter", json!(live), json!(desired)), ["filter.b.c: 1 → 2"]);
    assert_eq!(read("filter", json!(r#"{"a": 1}"#), json!(r#"{"a":1}"#)), [r#"filter: {"a": 1} → {"a":1}"#]);
}

#[test]
fn late_difference_of_long_values_shows() {
    let long = |end: &str| json!(format!("{}{end}", "x".repeat(1_000)));
    let around = "x".repeat(40);
    assert_eq!(
        read("description", long("a"), long("b")),
        ["description".to_owned(), format!("- …{around}a"), format!("+ …{around}b")],
    );
}

#[test]
fn far_apart_lines_are_left_out() {
    let text = |changed: &str| {
        let lines = (0..20).map(|line| if line == 10 { changed.into() } else { line.to_string() });
        json!(lines.collect::<Vec<String>>().join("\n"))
    };
    let expected = ["text", "  …", "  8", "  9", "- a", "+ b", "  11", "  12", "  …"];
    assert_eq!(read("text", text("a"), text("b")), expected);
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..12i64).prop_map(Value::from),
        "[a\"\\[{}: \n\t\u{200b}\u{1b}0-9]{0,12}".prop_map(Value::from),
        "x{250}[ab]x{0,100}".prop_map(Value::from),
        Just(json!("{\"a\": 1}")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[ab.]", inner, 0..3)
                .prop_map(|map| map.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

proptest! {
    /// Values that differ are shown differently, and without line breaks.
    #[test]
    fn differences_are_always_visible(live in values(), desired in values()) {
        let changes = diff(&live, &desired);
        prop_assert_eq!(changes.is_empty(), shown_changes(&changes).is_empty());
        for shown in shown_changes(&changes) {
            let texts: Vec<String> = match shown.form {
                Form::Values { live, desired } => {
                    prop_assert_ne!(&live, &desired);
                    live.into_iter().chain(desired).collect()
                }
                Form::Lines(lines) => {
                    let sides = [Sign::Gone, Sign::Come].map(|sign| {
                        let side = lines.iter().filter(|line| line.sign == sign);
                        side.map(|line| line.text.clone()).collect::<Vec<_>>()
                    });
                    prop_assert_ne!(&sides[0], &sides[1]);
                    lines.into_iter().map(|line| line.text).collect()
                }
            };
            prop_assert!(!texts.iter().any(|text| text.chars().any(char::is_control)));
        }
    }
}
