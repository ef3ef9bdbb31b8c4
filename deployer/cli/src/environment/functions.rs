//! The table `[functions]`: settings of all functions, and a table for each function with its own.
//!
//! serde cannot derive this: it refuses unknown keys, or keeps the positions of mistakes, but not both together
//! with tables of any name. So a key that is not one of the settings is a function here, and serde reads the
//! others.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use aws::composites::LambdaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};
use toml::Spanned;

use super::Environment;
use super::arn::{DeadLetterArn, LayerArn};
use super::function_values::{
    ApplicationLogLevel, LogFormat, SecurityGroupId, SubnetId, SystemLogLevel, Tracing,
};
use super::mistakes::{Mistake, SETTING};
use super::value::{Between, RetentionDays};

/// The keys that make sense for one function only: functions share neither a reservation nor a queue, and most of
/// them are not for callers.
const FOR_ONE_FUNCTION: [&str; 3] = ["dead_letter_target", "reserved_concurrency", "url"];

/// The settings of all functions, and of single functions.
#[derive(Debug, Clone, Default)]
pub struct Functions {
    /// The settings of all functions.
    pub all: FunctionSettings,
    /// The settings of single functions, by name.
    pub overrides: BTreeMap<String, FunctionSettings>,
}

/// The settings of all functions, or those of one function that differ.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FunctionSettings {
    /// Memory in MB; processor time grows with it.
    pub memory_mb: Option<Between<128, 10_240>>,
    /// The longest invocation, in seconds.
    pub timeout_s: Option<Between<1, 900>>,
    /// How many days log lines are kept.
    pub log_retention_days: Option<RetentionDays>,
    /// The format of Lambda's own log lines.
    pub log_format: Option<LogFormat>,
    /// The lowest level of a function's own log lines, with the format `json`.
    pub application_log_level: Option<ApplicationLogLevel>,
    /// The lowest level of Lambda's log lines, with the format `json`.
    pub system_log_level: Option<SystemLogLevel>,
    /// Which invocations X-Ray traces.
    pub tracing: Option<Tracing>,
    /// The space in `/tmp`, in MB.
    pub ephemeral_storage_mb: Option<Between<512, 10_240>>,
    /// The layers, in the order in which Lambda applies them; at most five.
    #[schemars(with = "Option<Vec<LayerArn>>")]
    layers: Option<Vec<Spanned<LayerArn>>>,
    /// The subnets of a VPC; they require security groups.
    subnets: Option<Vec<SubnetId>>,
    /// The security groups in the VPC; they require subnets.
    security_groups: Option<Vec<SecurityGroupId>>,
    /// How many executions are reserved for the function, which is also its limit; 0 pauses it.
    pub reserved_concurrency: Option<Between<0, 100_000>>,
    /// The queue or topic for failed asynchronous invocations.
    dead_letter_target: Option<DeadLetterArn>,
    /// Whether the function has a URL, for callers with IAM credentials.
    pub url: Option<bool>,
}

impl Functions {
    /// Returns the settings of all functions, with the defaults of environments.
    pub(super) fn of_all(&self) -> LambdaSettings {
        let defaults = LambdaSettings {
            memory_mb: Some(256),
            timeout_s: Some(30),
            log_retention_days: Some(14),
            ..LambdaSettings::default()
        };
        self.all.to_lambda().or(&defaults)
    }

    /// Returns the settings of single functions, by name.
    pub(super) fn of_each(&self) -> BTreeMap<String, LambdaSettings> {
        self.overrides.iter().map(|(name, own)| (name.clone(), own.to_lambda())).collect()
    }

    /// Returns the mistakes in the layers: layers in another Region than the environment ("Managing Lambda
    /// dependencies with layers", Lambda developer guide).
    pub(super) fn mistakes(&self, of: &Environment) -> Vec<Mistake> {
        let scope = of.scope("any");
        let settings = [&self.all].into_iter().chain(self.overrides.values());
        let layers = settings.flat_map(|settings| settings.layers.iter().flatten());
        let elsewhere = layers.filter(|layer| !layer.get_ref().is_in(&scope));
        let message =
            format!("the layer is not in {}: a function uses layers of its own Region", scope.region);
        elsewhere.map(|layer| Mistake::new(layer.span(), message.clone())).collect()
    }
}

impl FunctionSettings {
    fn to_lambda(&self) -> LambdaSettings {
        fn texts<T: ToString, C: FromIterator<String>>(list: Option<&Vec<T>>) -> Option<C> {
            list.map(|list| list.iter().map(ToString::to_string).collect())
        }
        LambdaSettings {
            memory_mb: self.memory_mb.map(Between::get),
            timeout_s: self.timeout_s.map(Between::get),
            log_retention_days: self.log_retention_days.map(RetentionDays::get),
            tracing: self.tracing.map(|mode| mode.to_string()),
            log_format: self.log_format.map(|format| format.to_string()),
            application_log_level: self.application_log_level.map(|level| level.to_string()),
            system_log_level: self.system_log_level.map(|level| level.to_string()),
            ephemeral_storage_mb: self.ephemeral_storage_mb.map(Between::get),
            layers: self.layers.as_ref().map(|all| all.iter().map(|arn| arn.get_ref().to_string()).collect()),
            subnets: texts(self.subnets.as_ref()),
            security_groups: texts(self.security_groups.as_ref()),
            reserved_concurrency: self.reserved_concurrency.map(Between::get),
            dead_letter_target: self.dead_letter_target.as_ref().map(ToString::to_string),
            url: self.url,
        }
    }
}

/// The schema of one function, with the tables of functions, and without the keys for one function.
impl JsonSchema for Functions {
    fn schema_name() -> Cow<'static, str> {
        "Functions".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = FunctionSettings::json_schema(generator);
        let one = generator.subschema_for::<FunctionSettings>();
        schema.insert("description".into(), "The settings of all functions, and of single functions.".into());
        schema.insert("additionalProperties".into(), one.into());
        let properties = schema.get_mut("properties").and_then(|properties| properties.as_object_mut());
        let properties = properties.expect("the settings are a struct");
        properties.retain(|key, _| !FOR_ONE_FUNCTION.contains(&key.as_str()));
        schema
    }
}

impl<'de> Deserialize<'de> for Functions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AllAndEach)
    }
}

struct AllAndEach;

impl<'de> Visitor<'de> for AllAndEach {
    type Value = Functions;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Functions, A::Error> {
        let mut overrides = BTreeMap::new();
        let all = FunctionSettings::deserialize(OfAll { map, overrides: &mut overrides, keys: &[] })?;
        Ok(Functions { all, overrides })
    }
}

/// The table without the tables of functions, which are collected.
struct OfAll<'a, A> {
    map: A,
    overrides: &'a mut BTreeMap<String, FunctionSettings>,
    /// The keys of settings, from serde.
    keys: &'static [&'static str],
}

impl<'de, A: MapAccess<'de>> Deserializer<'de> for OfAll<'_, A> {
    type Error = A::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        visitor.visit_map(OfAll { keys, ..self })
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, A::Error> {
        visitor.visit_map(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for OfAll<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(key) = self.map.next_key::<String>()? {
            if FOR_ONE_FUNCTION.contains(&key.as_str()) {
                self.map.next_value_seed(Misplaced(&key))?;
            } else if self.keys.contains(&key.as_str()) {
                return seed.deserialize(key.into_deserializer()).map(Some);
            } else {
                let own = self.map.next_value_seed(OfOne { name: &key, keys: self.keys })?;
                self.overrides.insert(key, own);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// The value of a key that is for one function only.
struct Misplaced<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Misplaced<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, _: D) -> Result<(), D::Error> {
        let key = self.0;
        Err(D::Error::custom(format!("`{key}` is a key of one function: write it under [functions.<name>]")))
    }
}

/// The value of a key that is not one of the settings: those of this function, if it is a table.
struct OfOne<'a> {
    name: &'a str,
    keys: &'static [&'static str],
}

impl OfOne<'_> {
    fn unknown<T, E: Error>(&self) -> Result<T, E> {
        let known = self.keys.iter().filter(|key| !FOR_ONE_FUNCTION.contains(key));
        let known: Vec<String> = known.map(|key| format!("`{key}`")).collect();
        // Almost the form of serde's own error, which takes static keys only.
        Err(E::custom(format!("unknown {SETTING} `{}`, expected one of {}", self.name, known.join(", "))))
    }
}

impl<'de> DeserializeSeed<'de> for OfOne<'_> {
    type Value = FunctionSettings;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<FunctionSettings, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OfOne<'_> {
    type Value = FunctionSettings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FunctionSettings, A::Error> {
        FunctionSettings::deserialize(MapAccessDeserializer::new(map))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<FunctionSettings, E> {
        self.unknown()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<FunctionSettings, E> {
        self.unknown()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<FunctionSettings, E> {
        self.unknown()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<FunctionSettings, E> {
        self.unknown()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<FunctionSettings, A::Error> {
        self.unknown()
    }
}
