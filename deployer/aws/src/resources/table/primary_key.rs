//! The key of a table or of an index: a hash key, and a range key if there is one.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeDefinition, KeySchemaElement, ScalarAttributeType};
use engine::error::Error;
use serde::Serialize;

use super::requests::incomplete;

/// One attribute of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct KeyAttribute {
    pub(super) name: String,
    /// `HASH` or `RANGE`.
    role: String,
    /// `S`, `N` or `B`.
    pub(super) of: String,
}

/// The type of a key attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// Text.
    String,
    /// A number.
    Number,
    /// Bytes.
    Binary,
}

/// The key of a table or of a global index: a hash key, and mostly a range key, which sorts the items of one
/// hash key. Several items of an index can have the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrimaryKey(Vec<KeyAttribute>);

impl PrimaryKey {
    /// Returns the key with this hash key only: a table has one item for each value.
    pub fn hash(name: &str, of: KeyType) -> Self {
        Self(vec![KeyAttribute::new(name, "HASH", of)])
    }

    /// Returns the key with this range key.
    pub fn range(mut self, name: &str, of: KeyType) -> Self {
        self.0.truncate(1);
        self.0.push(KeyAttribute::range(name, of));
        self
    }

    pub(super) fn into_attributes(self) -> Vec<KeyAttribute> {
        self.0
    }
}

impl KeyAttribute {
    /// Returns the range key with this name and type.
    pub(super) fn range(name: &str, of: KeyType) -> Self {
        Self::new(name, "RANGE", of)
    }

    /// Returns name, role and type: `Owner HASH S`.
    pub(super) fn text(&self) -> String {
        format!("{} {} {}", self.name, self.role, self.of)
    }

    fn new(name: &str, role: &str, of: KeyType) -> Self {
        let of = match of {
            KeyType::String => ScalarAttributeType::S,
            KeyType::Number => ScalarAttributeType::N,
            KeyType::Binary => ScalarAttributeType::B,
        };
        Self { name: name.to_owned(), role: role.to_owned(), of: of.as_str().to_owned() }
    }
}

/// Returns the live key with this schema, hash key first. The definitions can have attributes of other keys.
pub(super) fn live(schema: &[KeySchemaElement], definitions: &[AttributeDefinition]) -> Vec<KeyAttribute> {
    let of = |name: &str| {
        let definition = definitions.iter().find(|definition| definition.attribute_name == name);
        definition.map(|definition| definition.attribute_type.as_str().to_owned()).unwrap_or_default()
    };
    let attributes = schema.iter().map(|element| KeyAttribute {
        name: element.attribute_name.clone(),
        role: element.key_type.as_str().to_owned(),
        of: of(&element.attribute_name),
    });
    let mut key: Vec<KeyAttribute> = attributes.collect();
    key.sort_by(|one, other| one.role.cmp(&other.role));
    key
}

/// Returns the attributes of these keys for a request, each once.
pub(super) fn definitions<'a>(
    keys: impl IntoIterator<Item = &'a KeyAttribute>,
) -> Result<Vec<AttributeDefinition>, Error> {
    let attributes: BTreeMap<&str, &str> =
        keys.into_iter().map(|key| (key.name.as_str(), key.of.as_str())).collect();
    let definitions = attributes.into_iter().map(|(name, of)| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(of.into()).build()
    });
    definitions.collect::<Result<_, _>>().map_err(incomplete)
}

/// Returns the roles of the key's attributes for a request.
pub(super) fn schema(key: &[KeyAttribute]) -> Result<Vec<KeySchemaElement>, Error> {
    let elements = key.iter().map(|key| {
        let element = KeySchemaElement::builder().attribute_name(&key.name);
        element.key_type(key.role.as_str().into()).build()
    });
    elements.collect::<Result<_, _>>().map_err(incomplete)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This form is part of the stamp.
    #[test]
    fn key_is_compared_by_names_roles_and_types() {
        let key = PrimaryKey::hash("Id", KeyType::String).range("At", KeyType::Binary);
        let key = key.range("Version", KeyType::Number);
        assert_eq!(
            serde_json::to_value(key.into_attributes()).expect("the key serializes to JSON"),
            serde_json::json!([
                {"name": "Id", "role": "HASH", "of": "S"},
                {"name": "Version", "role": "RANGE", "of": "N"},
            ]),
        );
        assert_eq!(PrimaryKey::hash("Id", KeyType::Binary).into_attributes().len(), 1);
    }
}
