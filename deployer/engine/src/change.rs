//! A difference between live and desired as everything else speaks of it: a field, and how
//! grave it is to make it as desired.
//!
//! `diff` finds them, each kind says what they take, the plan carries them.

use serde::Serialize;
use serde_json::Value;

/// What the paths of tags begin with. No kind has a field of this name.
const TAGS: &str = "tags.";

/// One field that is live different from what is desired.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// Where, with dots between object keys and brackets around positions in lists. A list of
    /// plain values is one change.
    pub path: String,
    /// What is live; null for nothing.
    pub live: Value,
    /// What is desired; null for nothing.
    pub desired: Value,
    /// What making it as desired costs; the planner knows.
    #[serde(skip_serializing_if = "is_safe")]
    pub risk: Risk,
}

impl Change {
    /// Returns a change that costs nothing as far as is known.
    pub fn new(path: impl Into<String>, live: Value, desired: Value) -> Self {
        Self { path: path.into(), live, desired, risk: Risk::Safe }
    }

    /// Returns a change of a tag.
    pub fn of_tag(key: &str, live: Value, desired: Value) -> Self {
        Self::new(format!("{TAGS}{key}"), live, desired)
    }

    /// Tells whether it is one of a tag, not of a field.
    pub fn is_tag(&self) -> bool {
        self.path.starts_with(TAGS)
    }
}

/// How grave a planned change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Nobody notices.
    Safe,
    /// Work stops for a while and goes on.
    Interrupts,
    /// A stream consumer restarts and sees records again.
    LosesPosition,
    /// Data is gone afterwards.
    LosesData,
}

fn is_safe(risk: &Risk) -> bool {
    *risk == Risk::Safe
}
