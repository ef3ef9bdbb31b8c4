//! What a cart's commits fold to: the very answer that its callers get.

use domain::cart::ShoppingCart;
use eventsourcing::{Answer, Commit, History};
use serde_json::Value;
use storage::fault::chain;

/// Returns what `get-cart` answered right after the last of these commits.
pub(crate) fn state(commits: &[Commit]) -> Result<Value, String> {
    let Some(first) = commits.first() else {
        return Ok(Value::Null);
    };
    let mut history = History::<ShoppingCart>::new(first.aggregate_id.clone());
    for commit in commits {
        history.fold(commit).map_err(|error| chain(&error))?;
    }
    serde_json::to_value(Answer::of(&history)).map_err(|error| chain(&error))
}
