//! The note on a dashboard: a text widget that names the creator for people, and the owner for the deployer.
//!
//! CloudWatch supports tags on dashboards since June 2026 ("Amazon CloudWatch now supports tags on
//! dashboards", What's New with AWS). The deployer does not rely on them: older endpoints and both emulators
//! keep none, and tags and body need two calls, so an interruption can prevent the second. AWS itself
//! recommends a text widget that names the creator of a dashboard ("PutDashboard", CloudWatch API reference).

use engine::resource::Tags;
use serde_json::Value;

/// Returns whether a body has a text widget.
pub(super) fn has_room(body: &Value) -> bool {
    body["widgets"].as_array().is_some_and(|widgets| widgets.iter().any(is_text))
}

/// Returns a body with these tags at the end of its first text widget.
pub(super) fn written(body: &Value, tags: &Tags) -> Value {
    let mut body = body.clone();
    let widgets = body.get_mut("widgets").and_then(Value::as_array_mut).into_iter().flatten();
    if let Some(text) = widgets.filter(|widget| is_text(widget)).find_map(markdown) {
        let lines = tags.iter().map(|(key, value)| format!("\n* `{key}` = `{value}`"));
        text.extend(lines);
    }
    body
}

/// Splits a body into its content without the tags, and the tags.
pub(super) fn taken(mut body: Value) -> (Value, Tags) {
    let mut tags = Tags::new();
    let widgets = body.get_mut("widgets").and_then(Value::as_array_mut).into_iter().flatten();
    for text in widgets.filter(|widget| is_text(widget)).filter_map(markdown) {
        let (noted, others): (Vec<&str>, Vec<&str>) = text.split('\n').partition(|line| tag(line).is_some());
        tags.extend(noted.into_iter().filter_map(tag));
        *text = others.join("\n");
    }
    (body, tags)
}

/// Parses a line with a tag. Neither its key nor its value can contain a backtick.
fn tag(line: &str) -> Option<(String, String)> {
    let (key, value) = line.strip_prefix("* `")?.strip_suffix('`')?.split_once("` = `")?;
    Some((key.to_owned(), value.to_owned()))
}

fn is_text(widget: &Value) -> bool {
    widget["type"] == "text" && widget["properties"]["markdown"].is_string()
}

fn markdown(widget: &mut Value) -> Option<&mut String> {
    match widget.pointer_mut("/properties/markdown")? {
        Value::String(text) => Some(text),
        _ => None,
    }
}
