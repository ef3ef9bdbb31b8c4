//! The fields of a kind as an enum, so that the compiler checks rules about a field.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::value::{Error as NoSuchField, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

use serde_json::Value;

use super::Resource;
use crate::change::Change;
use crate::diff::diff;

/// A field of a kind's state: an enum with one variant for each compared field, in the order of the struct.
/// Derive it from the struct, so that a renamed field cannot lose its rules:
///
/// ```
/// use struct_to_enum::FieldName;
///
/// #[derive(serde::Serialize, FieldName)]
/// #[stem_name_derive(PartialOrd, Ord, serde::Deserialize)]
/// #[stem_name_attr(serde(rename_all = "snake_case"))]
/// struct Queue {
///     #[serde(skip)]
///     #[stem_name(skip)]
///     arn: String,
///     name: String,
///     visibility_timeout_s: u32,
/// }
///
/// fn is_a_field<F: engine::resource::Field>(_field: F) {}
/// is_a_field(QueueFieldName::VisibilityTimeoutS);
/// ```
pub trait Field: DeserializeOwned + Copy + Ord + fmt::Debug + Send + Sync + 'static {}

impl<F: DeserializeOwned + Copy + Ord + fmt::Debug + Send + Sync + 'static> Field for F {}

/// The fields in which a live resource differs from the desired one, in the order of the struct.
pub type Changed<R> = BTreeSet<<R as Resource>::Field>;

/// Returns the fields in which a live resource differs from the desired one.
pub fn changed<R: Resource>(live: &R, desired: &R) -> Changed<R> {
    diff(&state_of(live), &state_of(desired)).iter().filter_map(field_of::<R>).collect()
}

/// Returns the field of a change to a resource of this kind; `None` for the change of a tag.
///
/// # Panics
/// Panics if the change is of another kind, or if the kind does not derive its fields from its struct.
pub fn field_of<R: Resource>(change: &Change) -> Option<R::Field> {
    if change.is_tag() {
        return None;
    }
    let name = change.path.split(['.', '[']).next().unwrap_or_default();
    let deserializer: StrDeserializer<'_, NoSuchField> = name.into_deserializer();
    let field = R::Field::deserialize(deserializer);
    Some(
        field
            .unwrap_or_else(|error| panic!("the fields of {} are derived from its struct: {error}", R::KIND)),
    )
}

/// Returns a resource's state as JSON.
pub(super) fn state_of<R: Resource>(resource: &R) -> Value {
    serde_json::to_value(resource).expect("a resource can be serialised")
}
