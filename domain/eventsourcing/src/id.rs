//! Identifiers: all are UUIDs, and other values are rejected.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use crate::aggregate::Aggregate;

/// The id of one aggregate, unique among all types; written as `<type>#<uuid>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct AggregateId {
    aggregate_type: Cow<'static, str>,
    uuid: Uuid,
}

/// The text is not a UUID.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{field} must be a UUID such as 01997d2e-8a3b-7c11-9f0e-6b1d5a2c4e70")]
pub struct InvalidId {
    /// The field of the identifier.
    pub field: &'static str,
}

/// The text is not an aggregate id in its stored form.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not an aggregate id like <type>#<uuid>")]
pub struct InvalidAggregateId(String);

impl AggregateId {
    /// Returns the id of the aggregate of type `A` with this UUID.
    pub fn of<A: Aggregate>(uuid: Uuid) -> Self {
        Self { aggregate_type: Cow::Borrowed(A::TYPE), uuid }
    }

    /// Returns the type of the aggregate.
    pub fn aggregate_type(&self) -> &str {
        &self.aggregate_type
    }

    /// Returns the UUID, unique among the aggregates of this type.
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }
}

impl fmt::Display for AggregateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.aggregate_type, self.uuid)
    }
}

impl FromStr for AggregateId {
    type Err = InvalidAggregateId;

    fn from_str(text: &str) -> Result<Self, InvalidAggregateId> {
        let invalid = || InvalidAggregateId(text.to_owned());
        let (aggregate_type, uuid) = text.split_once('#').ok_or_else(invalid)?;
        let id = Self {
            aggregate_type: Cow::Owned(aggregate_type.to_owned()),
            uuid: parse("aggregate id", uuid).map_err(|_| invalid())?,
        };
        // Another spelling of the same id would be a different key in the table.
        if aggregate_type.is_empty() || id.to_string() != text {
            return Err(invalid());
        }
        Ok(id)
    }
}

impl From<AggregateId> for String {
    fn from(id: AggregateId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for AggregateId {
    type Error = InvalidAggregateId;

    fn try_from(text: String) -> Result<Self, InvalidAggregateId> {
        text.parse()
    }
}

/// Parses the UUID of a field.
///
/// Only the hyphenated form is accepted, in upper or lower case: other forms of a UUID are mostly mistakes,
/// and an answer should have the id as it was requested.
pub fn parse(field: &'static str, text: &str) -> Result<Uuid, InvalidId> {
    text.parse::<uuid::fmt::Hyphenated>().map(Uuid::from).map_err(|_| InvalidId { field })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Probe;

    const ID: &str = "01997d2e-8a3b-7c11-9f0e-6b1d5a2c4e70";

    #[test]
    fn aggregate_id_is_read_as_it_is_written() {
        let id = AggregateId::of::<Probe>(ID.parse().unwrap());
        assert_eq!(id.to_string(), format!("probe#{ID}"));
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn aggregate_id_in_another_spelling_is_refused() {
        for text in [
            ID.to_owned(),
            format!("#{ID}"),
            format!("tally#{}", ID.to_uppercase()),
            format!("tally#{}", ID.replace('-', "")),
            format!("tally#x#{ID}"),
            "tally#1".to_owned(),
        ] {
            assert!(text.parse::<AggregateId>().is_err(), "{text}");
        }
    }

    #[test]
    fn identifier_is_a_hyphenated_uuid_in_either_case() {
        assert_eq!(parse("tally_id", &ID.to_uppercase()), parse("tally_id", ID));
        for text in ["", "1", &ID.replace('-', ""), &format!("{{{ID}}}")] {
            assert_eq!(parse("tally_id", text), Err(InvalidId { field: "tally_id" }), "{text}");
        }
    }
}
