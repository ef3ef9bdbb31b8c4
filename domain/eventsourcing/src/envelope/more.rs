//! Unknown fields of an envelope, added by a later release: they are read, carried and written unchanged.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, Visitor};
use serde::ser::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Envelope;
use crate::json::JsonText;

/// The fields of an envelope that this release does not know, each with its JSON text.
pub type More = BTreeMap<String, JsonText>;

/// The names of the known fields.
const KNOWN: [&str; 13] = [
    "actor",
    "aggregate_id",
    "aggregate_type",
    "causation_id",
    "command_id",
    "correlation_id",
    "data",
    "id",
    "occurred_at",
    "request_hash",
    "schema_version",
    "type",
    "version",
];

impl Serialize for Envelope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // `serde` derives the form of the known fields.
        if self.more.is_empty() {
            return Self::serialize(self, serializer);
        }
        let mut known = Vec::new();
        Self::serialize(self, &mut serde_json::Serializer::new(&mut known)).map_err(S::Error::custom)?;
        let mut all: More = serde_json::from_slice(&known).map_err(S::Error::custom)?;
        all.extend(self.more.clone());
        all.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Envelope;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an envelope")
    }

    fn visit_map<M: MapAccess<'de>>(self, fields: M) -> Result<Envelope, M::Error> {
        let mut more = More::new();
        let known = Sifted { fields, more: &mut more };
        let envelope = Envelope::deserialize(MapAccessDeserializer::new(known))?;
        Ok(Envelope { more, ..envelope })
    }
}

/// Passes on the known fields and collects the others in `more`.
struct Sifted<'a, M> {
    fields: M,
    more: &'a mut More,
}

impl<'de, M: MapAccess<'de>> MapAccess<'de> for Sifted<'_, M> {
    type Error = M::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, M::Error> {
        while let Some(name) = self.fields.next_key::<String>()? {
            if KNOWN.contains(&name.as_str()) {
                let name: StringDeserializer<M::Error> = name.into_deserializer();
                return seed.deserialize(name).map(Some);
            }
            self.more.insert(name, self.fields.next_value()?);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, M::Error> {
        self.fields.next_value_seed(seed)
    }
}
