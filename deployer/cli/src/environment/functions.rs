//! Reads the table `[functions]`: settings of all functions, and a table for each function with its own.
//!
//! serde cannot derive this: it refuses unknown keys, or keeps the positions of mistakes, but not both together
//! with tables of any name.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{FunctionOverrides, Functions};

/// The keys of all functions.
const KEYS: &[&str] = &["memory_mb", "timeout_s", "log_retention_days"];

impl<'de> Deserialize<'de> for Functions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OfAll)
    }
}

struct OfAll;

impl<'de> Visitor<'de> for OfAll {
    type Value = Functions;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Functions, A::Error> {
        let mut functions = Functions::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "memory_mb" => functions.memory_mb = map.next_value()?,
                "timeout_s" => functions.timeout_s = map.next_value()?,
                "log_retention_days" => functions.log_retention_days = map.next_value()?,
                _ => {
                    let own = map.next_value_seed(OfOne(&key))?;
                    functions.overrides.insert(key, own);
                }
            }
        }
        Ok(functions)
    }
}

/// The value of a key that is not one of [`KEYS`]: the settings of this function, if it is a table.
struct OfOne<'a>(&'a str);

impl OfOne<'_> {
    fn unknown<T, E: Error>(&self) -> Result<T, E> {
        Err(E::unknown_field(self.0, KEYS))
    }
}

impl<'de> DeserializeSeed<'de> for OfOne<'_> {
    type Value = FunctionOverrides;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<FunctionOverrides, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OfOne<'_> {
    type Value = FunctionOverrides;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FunctionOverrides, A::Error> {
        FunctionOverrides::deserialize(MapAccessDeserializer::new(map))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<FunctionOverrides, E> {
        self.unknown()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<FunctionOverrides, E> {
        self.unknown()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<FunctionOverrides, E> {
        self.unknown()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<FunctionOverrides, E> {
        self.unknown()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<FunctionOverrides, A::Error> {
        self.unknown()
    }
}
