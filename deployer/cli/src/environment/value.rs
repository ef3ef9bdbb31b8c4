//! Types of values in environment files. An invalid value is refused with its place in the file.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::EnvironmentError;
use aws::resources::log_group::RETENTION_DAYS;

/// A whole number in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
pub struct Between<const MIN: i32, const MAX: i32>(i32);

impl<const MIN: i32, const MAX: i32> Between<MIN, MAX> {
    /// Returns a number of this program. Panics if the number is not in the range.
    pub(super) const fn of(number: i32) -> Self {
        assert!(MIN <= number && number <= MAX);
        Self(number)
    }

    /// Returns the number.
    pub fn get(self) -> i32 {
        self.0
    }
}

impl<const MIN: i32, const MAX: i32> TryFrom<i64> for Between<MIN, MAX> {
    type Error = String;

    fn try_from(number: i64) -> Result<Self, String> {
        match i32::try_from(number) {
            Ok(fits) if (MIN..=MAX).contains(&fits) => Ok(Self(fits)),
            _ => Err(format!("{number} is not between {MIN} and {MAX}")),
        }
    }
}

impl<const MIN: i32, const MAX: i32> JsonSchema for Between<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Between{MIN}And{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// A retention of log lines in days, one of those that CloudWatch Logs offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
pub struct RetentionDays(i32);

impl RetentionDays {
    /// Returns the number of days.
    pub fn get(self) -> i32 {
        self.0
    }
}

impl TryFrom<i64> for RetentionDays {
    type Error = String;

    fn try_from(number: i64) -> Result<Self, String> {
        let found = RETENTION_DAYS.iter().find(|days| i64::from(**days) == number);
        found.map(|days| Self(*days)).ok_or_else(|| {
            let known = RETENTION_DAYS.map(|days| days.to_string()).join(", ");
            format!("{number} is not a number of days that CloudWatch Logs knows: {known}")
        })
    }
}

impl JsonSchema for RetentionDays {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "RetentionDays".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "enum": RETENTION_DAYS })
    }
}

/// The twelve digits of an AWS account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(extend("pattern" = "^[0-9]{12}$"))]
pub struct AccountId(String);

impl TryFrom<String> for AccountId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text))
        } else {
            Err(format!("`{text}` is not an AWS account: twelve digits in quotes"))
        }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The code of an AWS region.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct Region(String);

impl TryFrom<String> for Region {
    type Error = String;

    /// Accepts every text with the form of a Region: a place, a direction and a number. It has no list of
    /// Regions, because AWS adds new ones.
    fn try_from(text: String) -> Result<Self, String> {
        let right = || match text.split('-').collect::<Vec<_>>().as_slice() {
            [places @ .., direction, number] => {
                let words = |place: &&str| !place.is_empty() && place.bytes().all(|b| b.is_ascii_lowercase());
                !places.is_empty()
                    && places.iter().all(words)
                    && DIRECTIONS.contains(direction)
                    && !number.is_empty()
                    && number.bytes().all(|byte| byte.is_ascii_digit())
            }
            _ => false,
        };
        if right() {
            Ok(Self(text))
        } else {
            Err(format!("`{text}` is not a Region, such as `eu-central-1`"))
        }
    }
}

/// The words before the number of every Region ("AWS Regions", AWS Regions and Availability Zones).
const DIRECTIONS: [&str; 9] =
    ["central", "east", "north", "northeast", "northwest", "south", "southeast", "southwest", "west"];

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Checks that a name can be part of the names of resources. Names of roles and functions have the lowest
/// limit: 64 characters, for stack, environment and thing together.
pub(super) fn check_name(name: &str) -> Result<(), EnvironmentError> {
    let refuse = |reason| Err(EnvironmentError::Name { name: name.to_owned(), reason, likely: None });
    if name.is_empty() || name.len() > 20 {
        return refuse("it has to have 1 to 20 characters");
    }
    if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        return refuse("it may hold lower-case letters, digits and hyphens");
    }
    if name.starts_with('-') || name.ends_with('-') {
        return refuse("it may not begin or end with a hyphen");
    }
    Ok(())
}
