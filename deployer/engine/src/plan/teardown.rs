//! What to delete when an environment goes: everything that its tags say is ours.

use std::collections::BTreeSet;

use super::order::users_first;
use super::owner::Owner;
use super::{Action, Compared, Plan, Step, Verdict};
use crate::resource::{Cloud, Risk};
use crate::stack::Stack;
use crate::survey::Survey;

/// Returns the plan that deletes what was found and is ours, users before what they use.
///
/// `survey` is one of an empty stack, so that everything found is a stray: whether the code
/// still mentions a thing plays no part in whether it is ours.
pub fn teardown<C: Cloud>(stack: &Stack<C>, survey: &Survey) -> Plan {
    let owner = Owner { scope: &stack.scope, record: survey.last_release(), adopt: &BTreeSet::new() };
    let owned = survey.strays.iter().filter(|(id, tags)| owner.owns(id, tags, None)).map(|(id, _)| id);
    let mut steps: Vec<Step> = owned
        .map(|id| Step {
            action: Action::Delete,
            verdicts: vec![Verdict::Orphan],
            risk: if stack.holds_data(id) { Risk::LosesData } else { Risk::Safe },
            ..Step::blank(id.clone())
        })
        .collect();
    users_first(&mut steps, &stack.kinds);
    steps.extend(survey.unreadable.iter().map(Step::unknown));
    let compared = Compared::of(&[], &steps);
    // Until all is gone, something may be stored.
    let reads = survey.last_release().map(|record| record.reads.clone()).unwrap_or_default();
    Plan::new(&stack.scope.environment, steps, compared, reads)
}
