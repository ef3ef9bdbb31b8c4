//! What to delete when an environment goes: everything that its tags say is ours.

use super::decide::blank;
use super::{Action, Plan, Step, Verdict};
use crate::resource::{Kind, ResourceId, Risk};
use crate::scope::Scope;
use crate::survey::Survey;

/// Returns the plan that deletes what was found and is ours, users before what they use.
///
/// `survey` is one of an empty stack, so that everything found is a stray: whether the code
/// still mentions a thing plays no part in whether it is ours.
pub fn teardown<C: 'static>(scope: &Scope, kinds: &[Kind<C>], survey: &Survey) -> Plan {
    let owned: Vec<&ResourceId> =
        survey.strays.iter().filter(|(_, tags)| scope.owns(tags)).map(|(id, _)| id).collect();
    let mut steps: Vec<Step> = Vec::new();
    for kind in kinds {
        let users = |id: &&&ResourceId| {
            kinds.iter().any(|user| user.name == id.kind() && user.stands_on.contains(&kind.name))
        };
        let needs: Vec<ResourceId> = owned.iter().filter(users).map(|id| (*id).clone()).collect();
        let deletes = owned.iter().filter(|id| id.kind() == kind.name).map(|id| Step {
            action: Action::Delete,
            verdicts: vec![Verdict::Orphan],
            risk: if kind.stateful { Risk::LosesData } else { Risk::Safe },
            needs: needs.clone(),
            ..blank((*id).clone())
        });
        steps.extend(deletes);
    }
    steps.extend(survey.unreadable.iter().map(|(id, error)| Step {
        verdicts: vec![Verdict::Unknown],
        reason: Some(error.to_string()),
        ..blank(id.clone())
    }));
    Plan::new(&scope.environment, steps)
}
