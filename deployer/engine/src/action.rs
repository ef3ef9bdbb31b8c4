//! The actions of a plan.

use serde::{Deserialize, Serialize};

/// The action of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Creates a resource that does not exist.
    Create,
    /// Updates the differing fields in place.
    Update,
    /// Deletes the resource and creates it again.
    Recreate,
    /// Stops the resource's own activity, without deleting it.
    Disable,
    /// Deletes the resource.
    Delete,
    /// Does nothing, because the change needs a manual action.
    Refuse,
    /// Does nothing, because there is nothing to do or the state is unknown.
    Keep,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 7] =
        [Self::Create, Self::Update, Self::Recreate, Self::Disable, Self::Delete, Self::Refuse, Self::Keep];
}
