//! Events of older schemas: an aggregate for tests, whose only event has changed its shape twice.

use eventsourcing::{
    Envelope, JsonText,
    event::{DecodeError, Event, Schema, decode, encode},
    testing::Golden,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", deny_unknown_fields)]
enum ParcelEvent {
    ParcelWeighed { grams: u32, scale: String },
}

impl Event for ParcelEvent {
    const SCHEMAS: &'static [Schema] = &[Schema {
        event_type: "ParcelWeighed",
        upcasters: &[
            // 2: grams instead of pounds.
            |mut data| {
                let pounds: f64 = serde_json::from_value(data["pounds"].take())?;
                Ok(json!({"grams": (pounds * 453.59237).round() as u32}))
            },
            // 3: the scale that was used, which is unknown for parcels weighed before.
            |mut data| {
                data["scale"] = json!("unknown");
                Ok(data)
            },
        ],
    }];
}

fn files() -> Golden {
    Golden::of(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/parcel"))
}

fn weighed(grams: u32, scale: &str) -> ParcelEvent {
    ParcelEvent::ParcelWeighed { grams, scale: scale.to_owned() }
}

fn read(version: u32) -> Result<ParcelEvent, DecodeError> {
    let file = files().read("ParcelWeighed", version);
    let envelope = Envelope::from_bytes(file.as_bytes()).unwrap();
    assert_eq!(envelope.schema_version, version);
    envelope.event()
}

#[test]
fn event_versions_are_all_upcast_to_the_newest() {
    files().assert_complete(ParcelEvent::SCHEMAS);
    assert_eq!(read(1).unwrap(), weighed(1134, "unknown"));
    assert_eq!(read(2).unwrap(), weighed(1134, "unknown"));
    assert_eq!(read(3).unwrap(), weighed(1134, "dock 4"));
}

#[test]
fn event_is_written_in_its_newest_version() {
    let encoded = encode(&weighed(1134, "dock 4")).unwrap();
    assert_eq!(encoded.schema_version, 3);
    let data = encoded.data.as_str();
    assert_eq!(data, r#"{"grams":1134,"scale":"dock 4"}"#);
}

#[test]
fn newer_version_or_unknown_type_is_an_error() {
    let data = JsonText::canonical(&json!({})).unwrap();
    for version in [0, 4] {
        let error = decode::<ParcelEvent>("ParcelWeighed", version, &data).unwrap_err();
        assert!(matches!(error, DecodeError::UnknownVersion { newest: 3, .. }), "{error}");
    }
    let error = decode::<ParcelEvent>("ParcelLost", 1, &data).unwrap_err();
    assert!(matches!(error, DecodeError::UnknownType { .. }), "{error}");
}

#[test]
fn data_that_do_not_follow_their_schema_are_an_error() {
    for (version, data) in [
        (1, json!({})),
        (3, json!({"grams": 1})),
        (3, json!({"grams": 1, "scale": "dock 4", "colour": "brown"})),
    ] {
        let data = JsonText::canonical(&data).unwrap();
        let error = decode::<ParcelEvent>("ParcelWeighed", version, &data).unwrap_err();
        assert!(matches!(error, DecodeError::Data { .. }), "{error}");
    }
}
