//! A change: one field in which the live and the desired state differ, and the risk of changing it.
//!
//! `diff` finds changes, each kind of resource defines their effect, and the plan lists them.

use serde::Serialize;
use serde_json::Value;

/// The prefix of the paths of tags. No kind has a field of this name.
const TAGS: &str = "tags.";

/// One field whose live value differs from the desired one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The path of the field, with dots between object keys and brackets around list positions. A list of
    /// plain values is one change.
    pub path: String,
    /// The live value; null if there is none.
    pub live: Value,
    /// The desired value; null if there is none.
    pub desired: Value,
    /// The risk of the change; set by the planner.
    #[serde(skip_serializing_if = "is_safe")]
    pub risk: Risk,
}

impl Change {
    /// Returns a change whose risk is not known yet: [`Risk::Safe`].
    pub fn new(path: impl Into<String>, live: Value, desired: Value) -> Self {
        Self { path: path.into(), live, desired, risk: Risk::Safe }
    }

    /// Returns a change of a tag.
    pub fn of_tag(key: &str, live: Value, desired: Value) -> Self {
        Self::new(format!("{TAGS}{key}"), live, desired)
    }

    /// Returns whether the change is of a tag, not of a field.
    pub fn is_tag(&self) -> bool {
        self.path.starts_with(TAGS)
    }
}

/// The risk of a planned change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// No effect on work in progress.
    Safe,
    /// Work stops for a while and continues.
    Interrupts,
    /// A stream consumer loses its position, and receives records again or misses some.
    LosesPosition,
    /// Data is lost.
    LosesData,
}

fn is_safe(risk: &Risk) -> bool {
    *risk == Risk::Safe
}
