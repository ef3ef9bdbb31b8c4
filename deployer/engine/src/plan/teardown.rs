//! The plan that deletes an environment: everything that this environment owns.

use std::collections::BTreeSet;

use super::order::users_first;
use super::owner::Owner;
use super::{Action, Compared, Plan, Step, Verdict};
use crate::resource::{Cloud, Risk};
use crate::stack::Stack;
use crate::survey::Survey;

/// Returns the plan that deletes all owned resources, users before what they use.
///
/// `survey` is the survey of an empty stack, so that every resource counts as a stray: whether the code still
/// mentions a resource does not matter for its owner.
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
    // Data may be written until everything is deleted.
    let reads = survey.last_release().map(|record| record.reads.clone()).unwrap_or_default();
    Plan::new(&stack.scope.environment, steps, compared, reads)
}
