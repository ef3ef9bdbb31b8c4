//! What speaks against a plan, said before the first write.

use crate::exit::Problem;
use crate::plan::{Action, Plan, Step, Verdict, Wishes};
use crate::session::Session;

/// Stops before the first write when anything speaks against it.
pub(super) fn check(plan: &Plan, wishes: &Wishes, session: &Session) -> Result<(), Problem> {
    known(plan, wishes)?;
    if plan.having(Verdict::Unknown).next().is_some() {
        return Err(Problem::new("not everything could be read, so nothing was changed")
            .details(plan.having(Verdict::Unknown).map(about))
            .exit(Verdict::Unknown));
    }
    if plan.having(Verdict::Foreign).next().is_some() {
        return Err(Problem::new("something has our names and is not ours, so nothing was changed")
            .details(plan.having(Verdict::Foreign).map(about))
            .hint(match &session.environment.local {
                Some(_) => "`local reset` empties the local cloud; `up --adopt <id>` takes a thing over",
                None => {
                    "`up --adopt <id>` takes a thing over; or deploy under another environment's name, or \
                     remove it if nobody needs it"
                }
            })
            .exit(Verdict::Foreign));
    }
    let refused: Vec<&Step> = plan.steps.iter().filter(|step| step.action == Action::Refuse).collect();
    if !refused.is_empty() {
        return Err(Problem::new("some changes cannot be made, so nothing was changed")
            .details(refused.into_iter().map(about)));
    }
    losses(plan, wishes, session)
}

/// Nothing is adopted or allowed by a slip of the keyboard.
fn known(plan: &Plan, wishes: &Wishes) -> Result<(), Problem> {
    let exists = |id: &&String| plan.steps.iter().any(|step| step.id.to_string() == **id);
    for (option, ids) in [("--allow", &wishes.allow), ("--adopt", &wishes.adopt)] {
        if let Some(unknown) = ids.iter().find(|id| !exists(id)) {
            return Err(Problem::usage(format!("{option} {unknown} names nothing in this environment"))
                .hint("an id is kind and name, as `plan` shows it"));
        }
    }
    Ok(())
}

fn losses(plan: &Plan, wishes: &Wishes, session: &Session) -> Result<(), Problem> {
    // Nothing in a local cloud is worth keeping, and nobody is asked there.
    let guarded = session.environment.local.is_none();
    let losses = plan.losses().filter(|step| guarded && !wishes.allow.contains(&step.id.to_string()));
    let losses: Vec<&Step> = losses.collect();
    if losses.is_empty() {
        return Ok(());
    }
    let allow: Vec<String> = losses.iter().map(|step| format!("--allow {}", step.id)).collect();
    Err(Problem::new("some changes lose data, so nothing was changed")
        .details(losses.into_iter().map(about))
        .hint(format!("if that is meant, allow it by name: {}", allow.join(" "))))
}

/// Returns what a step is about: why, or which fields.
fn about(step: &Step) -> String {
    let paths: Vec<&str> = step.changes.iter().map(|change| change.path.as_str()).collect();
    match &step.reason {
        Some(reason) => format!("{}: {reason}", step.id),
        None if paths.is_empty() => step.id.to_string(),
        None => format!("{}: {}", step.id, paths.join(", ")),
    }
}
