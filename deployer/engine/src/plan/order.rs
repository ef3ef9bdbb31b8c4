//! Deletion order: users before what they use.

use std::collections::BTreeSet;

use super::{Action, Step};
use crate::resource::{Cloud, Kind, ResourceId};

/// Makes every deletion wait for all writes to resources that use its kind: a role is deleted after the
/// functions that have it, and after the functions that get another role.
pub(super) fn users_first<C: Cloud>(steps: &mut [Step], kinds: &[Kind<C>]) {
    let writes: BTreeSet<ResourceId> =
        steps.iter().filter(|step| step.writes()).map(|step| step.id.clone()).collect();
    for step in steps.iter_mut().filter(|step| step.action == Action::Delete) {
        let stands_on_it = |id: &&ResourceId| {
            kinds.iter().any(|user| user.info.name == id.kind() && user.info.depends_on.contains(&step.kind))
        };
        step.needs = writes.iter().filter(stands_on_it).cloned().collect();
    }
}
