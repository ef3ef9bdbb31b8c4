//! Encoding and decoding of events across all versions of their schema.
//!
//! A stored event is never rewritten. When the shape of an event changes, its schema gets one more upcaster,
//! and older events are upcast step by step to the current shape when they are read. An unknown type or
//! version is an error and never skipped: a state without one of its events is wrong.

use std::fmt::Debug;

use serde::{
    Serialize,
    de::{DeserializeOwned, value::MapDeserializer},
};
use serde_json::Value;
use thiserror::Error;

use crate::json::{InexactNumber, JsonText, check};

/// Converts the data of an event from one schema version to the next.
pub type Upcaster = fn(Value) -> serde_json::Result<Value>;

/// The stored form of one type of event.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// The stored name of the type; it can never change.
    pub event_type: &'static str,
    /// The first converts version 1 to 2, the second 2 to 3, and so on.
    pub upcasters: &'static [Upcaster],
}

impl Schema {
    /// Returns the schema of an event that still has its first shape.
    pub const fn first(event_type: &'static str) -> Self {
        Self { event_type, upcasters: &[] }
    }

    /// Returns the current version, which new events are written with.
    pub fn version(&self) -> u32 {
        u32::try_from(self.upcasters.len() + 1).expect("a schema has fewer than 2^32 upcasters")
    }
}

/// The events of an aggregate: an enum whose variants are the types of event.
///
/// The derived form has to be `#[serde(tag = "type", content = "data")]`. Give variants without fields
/// braces, so that `data` is always an object and can get fields later.
pub trait Event: Serialize + DeserializeOwned + Clone + PartialEq + Debug {
    /// Every type of event that was ever written.
    const SCHEMAS: &'static [Schema];
}

/// An encoded event: its type, schema version and data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The stored name of the type.
    pub event_type: &'static str,
    /// The version of the schema of the data.
    pub schema_version: u32,
    /// The data in canonical JSON.
    pub data: JsonText,
}

/// Why an event cannot be encoded: its enum and its schemas do not match, or it would not be the same event
/// when it is read.
#[derive(Debug, Error)]
pub enum EncodeError {
    /// The variant has no entry in [`Event::SCHEMAS`].
    #[error("event type {event_type:?} has no schema")]
    Unlisted {
        /// The name of the variant.
        event_type: String,
    },
    /// The serialised form is not an object with `type` and `data`.
    #[error("the event does not serialise as an object with `type` and `data`")]
    Shape,
    /// The event could not be serialised at all.
    #[error("the event cannot be serialised")]
    Serialize(#[from] serde_json::Error),
    /// The event has a number that JSON cannot represent exactly.
    #[error(transparent)]
    Number(#[from] InexactNumber),
    /// The event's own type cannot read the stored form.
    #[error("the stored form of the event cannot be read back")]
    Unreadable(#[from] DecodeError),
    /// The stored form would be read as another event.
    #[error("event type {event_type:?} would be read back with a different value in `{path}`")]
    Changed {
        /// The name of the variant.
        event_type: &'static str,
        /// The first field that differs.
        path: String,
    },
}

/// Why a stored event cannot be read.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// This release does not know the type of event.
    #[error("event type {event_type:?} is unknown")]
    UnknownType {
        /// The stored name of the type.
        event_type: String,
    },
    /// The event was written by a newer release, or its version is invalid.
    #[error(
        "schema version {schema_version} of event type {event_type:?} is unknown, the newest is {newest}"
    )]
    UnknownVersion {
        /// The stored name of the type.
        event_type: String,
        /// The version that was stored.
        schema_version: u32,
        /// The newest version this release can read.
        newest: u32,
    },
    /// The data do not match their schema.
    #[error("the data of event type {event_type:?}, schema version {schema_version}, are invalid")]
    Data {
        /// The stored name of the type.
        event_type: String,
        /// The version that was stored.
        schema_version: u32,
        /// The cause.
        source: serde_json::Error,
    },
}

/// Returns an event in its stored form.
///
/// # Errors
/// Returns an error if the event cannot be stored, or would be read back as another event. Stored events are
/// never rewritten: an event that was stored wrong stays wrong, and an unreadable event makes its aggregate
/// unusable.
pub fn encode<E: Event>(event: &E) -> Result<Encoded, EncodeError> {
    check(event)?;
    let value = serde_json::to_value(event)?;
    let (Some(name), Some(data)) = (value["type"].as_str(), value.get("data")) else {
        return Err(EncodeError::Shape);
    };
    let schema = find::<E>(name).ok_or_else(|| EncodeError::Unlisted { event_type: name.to_owned() })?;
    let encoded = Encoded {
        event_type: schema.event_type,
        schema_version: schema.version(),
        data: JsonText::canonical_of_checked(data)?,
    };
    let read: E = decode(encoded.event_type, encoded.schema_version, &encoded.data)?;
    if read != *event {
        let path = first_difference(&value, &serde_json::to_value(&read)?);
        let path = path.unwrap_or_else(|| "data".to_owned());
        return Err(EncodeError::Changed { event_type: schema.event_type, path });
    }
    Ok(encoded)
}

/// Returns a stored event, upcast to the current schema.
pub fn decode<E: Event>(event_type: &str, schema_version: u32, data: &JsonText) -> Result<E, DecodeError> {
    let schema = find::<E>(event_type)
        .ok_or_else(|| DecodeError::UnknownType { event_type: event_type.to_owned() })?;
    if schema_version == 0 || schema_version > schema.version() {
        return Err(DecodeError::UnknownVersion {
            event_type: event_type.to_owned(),
            schema_version,
            newest: schema.version(),
        });
    }
    let behind = schema_version as usize - 1;
    data.value()
        .and_then(|data| schema.upcasters[behind..].iter().try_fold(data, |data, upcast| upcast(data)))
        .and_then(|data| {
            // The type comes first: `serde` buffers data that come before the type, and its buffer supports
            // neither integers as map keys nor 128-bit integers.
            let fields = [("type", event_type.into()), ("data", data)];
            E::deserialize(MapDeserializer::new(fields.into_iter()))
        })
        .map_err(|source| DecodeError::Data { event_type: event_type.to_owned(), schema_version, source })
}

fn find<E: Event>(event_type: &str) -> Option<&'static Schema> {
    E::SCHEMAS.iter().find(|schema| schema.event_type == event_type)
}

/// Returns the path of the first field in which two values differ.
fn first_difference(one: &Value, other: &Value) -> Option<String> {
    let (name, within) = match (one, other) {
        (Value::Object(one), Value::Object(other)) => one.iter().find_map(|(name, value)| {
            let other = other.get(name).unwrap_or(&Value::Null);
            (value != other).then(|| (name.clone(), first_difference(value, other)))
        })?,
        (Value::Array(one), Value::Array(other)) => {
            one.iter().zip(other).enumerate().find_map(|(index, (value, other))| {
                (value != other).then(|| (format!("[{index}]"), first_difference(value, other)))
            })?
        }
        _ => return None,
    };
    Some(match within {
        None => name,
        Some(within) if within.starts_with('[') => name + &within,
        Some(within) => format!("{name}.{within}"),
    })
}
