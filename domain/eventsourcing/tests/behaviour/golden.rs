//! Golden files of the data of events: the current code has to read each of them.

use eventsourcing::event::{Event, Schema};
use eventsourcing::testing::Golden;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An event whose second version has the author. `WRONG` has an upcaster that writes a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", deny_unknown_fields)]
enum NoteEvent<const WRONG: bool> {
    NoteWritten { text: String, by: String },
}

impl<const WRONG: bool> Event for NoteEvent<WRONG> {
    const SCHEMAS: &'static [Schema] =
        &[Schema { event_type: "NoteWritten", upcasters: &[with_author::<WRONG>] }];
}

fn with_author<const WRONG: bool>(mut data: Value) -> serde_json::Result<Value> {
    data["by"] = if WRONG { json!(5) } else { json!("unknown") };
    Ok(data)
}

fn files() -> Golden {
    Golden::of(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/note"))
}

#[test]
fn golden_data_of_each_version_is_read() {
    files().assert_data_is_read::<NoteEvent<false>>();
}

#[test]
#[should_panic(expected = "NoteWritten.v1.json cannot be read: the data of event type")]
fn wrong_upcaster_is_found_by_golden_data() {
    files().assert_data_is_read::<NoteEvent<true>>();
}
