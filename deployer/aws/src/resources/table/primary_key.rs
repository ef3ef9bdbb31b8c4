//! The primary key of a table: a hash key, and a range key if there is one.

use aws_sdk_dynamodb::types::{AttributeDefinition, KeySchemaElement, TableDescription};
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

/// Returns a hash key that is a string with a range key that is a number.
pub(super) fn of(hash: &str, range: &str) -> Vec<KeyAttribute> {
    let attribute = |name: &str, role: &str, of: &str| KeyAttribute {
        name: name.to_owned(),
        role: role.to_owned(),
        of: of.to_owned(),
    };
    vec![attribute(hash, "HASH", "S"), attribute(range, "RANGE", "N")]
}

/// Returns the key of a live table, hash first. The definitions of attributes that only an
/// index uses come and go with the index.
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

/// Returns the key's attributes as CreateTable takes them.
pub(super) fn definitions(key: &[KeyAttribute]) -> Result<Vec<AttributeDefinition>, Error> {
    let definitions = key.iter().map(|key| {
        let definition = AttributeDefinition::builder().attribute_name(&key.name);
        definition.attribute_type(key.of.as_str().into()).build()
    });
    definitions.collect::<Result<_, _>>().map_err(incomplete)
}

/// Returns the roles of the key's attributes as CreateTable takes them.
pub(super) fn schema(key: &[KeyAttribute]) -> Result<Vec<KeySchemaElement>, Error> {
    let elements = key.iter().map(|key| {
        let element = KeySchemaElement::builder().attribute_name(&key.name);
        element.key_type(key.role.as_str().into()).build()
    });
    elements.collect::<Result<_, _>>().map_err(incomplete)
}
