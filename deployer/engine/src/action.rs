//! What is done about a resource.

use serde::{Deserialize, Serialize};

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Makes what is absent.
    Create,
    /// Changes in place what differs.
    Update,
    /// Deletes and makes again.
    Recreate,
    /// Ends what it does by itself, and leaves it where it is.
    Disable,
    /// Deletes.
    Delete,
    /// Does nothing, because what is asked for is not done without a person.
    Refuse,
    /// Does nothing, because there is nothing to do or nothing known.
    Keep,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 7] =
        [Self::Create, Self::Update, Self::Recreate, Self::Disable, Self::Delete, Self::Refuse, Self::Keep];
}
