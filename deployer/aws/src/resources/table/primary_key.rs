//! The primary key of a table: a hash key, and a range key if there is one.

use aws_sdk_dynamodb::types::{AttributeDefinition, KeySchemaElement, ScalarAttributeType, TableDescription};
use engine::error::Error;
use serde::Serialize;

use super::requests::incomplete;

/// One attribute of the primary key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct KeyAttribute {
    pub(super) name: String,
    /// `HASH` or `RANGE`.
    role: String,
    /// `S`, `N` or `B`.
    of: String,
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

/// The primary key of a table: a hash key, and in most tables a range key, which sorts the items of one hash
/// key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrimaryKey(Vec<KeyAttribute>);

impl PrimaryKey {
    /// Returns the key with this hash key only: one item for each value.
    pub fn hash(name: &str, of: KeyType) -> Self {
        Self(vec![KeyAttribute::new(name, "HASH", of)])
    }

    /// Returns the key with this range key.
    pub fn range(mut self, name: &str, of: KeyType) -> Self {
        self.0.truncate(1);
        self.0.push(KeyAttribute::new(name, "RANGE", of));
        self
    }

    pub(super) fn into_attributes(self) -> Vec<KeyAttribute> {
        self.0
    }
}

impl KeyAttribute {
    fn new(name: &str, role: &str, of: KeyType) -> Self {
        let of = match of {
            KeyType::String => ScalarAttributeType::S,
            KeyType::Number => ScalarAttributeType::N,
            KeyType::Binary => ScalarAttributeType::B,
        };
        Self { name: name.to_owned(), role: role.to_owned(), of: of.as_str().to_owned() }
    }
}

/// Returns the key of a live table, hash key first. Attributes that only an index uses are left out.
pub(super) fn live(table: &TableDescription) -> Vec<KeyAttribute> {
    let of = |name: &str| {
        let mut definitions = table.attribute_definitions().iter();
        let definition = definitions.find(|definition| definition.attribute_name == name);
        definition.map(|definition| definition.attribute_type.as_str().to_owned()).unwrap_or_default()
    };
    let attributes = table.key_schema().iter().map(|element| KeyAttribute {
        name: element.attribute_name.clone(),
        role: element.key_type.as_str().to_owned(),
        of: of(&element.attribute_name),
    });
    let mut key: Vec<KeyAttribute> = attributes.collect();
    key.sort_by(|one, other| one.role.cmp(&other.role));
    key
}

/// Returns the key's attributes for CreateTable.
pub(super) fn definitions(key: &[KeyAttribute]) -> Result<Vec<AttributeDefinition>, Error> {
    let definitions = key.iter().map(|key| {
        let definition = AttributeDefinition::builder().attribute_name(&key.name);
        definition.attribute_type(key.of.as_str().into()).build()
    });
    definitions.collect::<Result<_, _>>().map_err(incomplete)
}

/// Returns the roles of the key's attributes for CreateTable.
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
