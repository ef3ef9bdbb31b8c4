//! Checks of a plan before the first write.

use std::collections::BTreeSet;

use engine::change::{Change, Risk};
use engine::plan::{Action, Plan, Step, Verdict, Wishes};

use aws::resources::is_of_key;

use crate::exit::Problem;
use crate::session::Session;

/// Returns an error if a plan must not be applied.
pub(super) fn check(plan: &Plan, wishes: &Wishes, session: &Session) -> Result<(), Problem> {
    if plan.having(Verdict::Unknown).next().is_some() {
        return Err(Problem::new("some resources could not be read, so nothing was changed")
            .details(plan.having(Verdict::Unknown).map(about))
            .exit(Verdict::Unknown));
    }
    if plan.having(Verdict::Unmanaged).next().is_some() {
        return Err(Problem::new("unmanaged resources with these names exist, so nothing was changed")
            .details(plan.having(Verdict::Unmanaged).map(about))
            .hint(match &session.environment.local {
                Some(_) => "empty the local cloud with `local reset`, or adopt with `up --adopt <id>`",
                None => {
                    "take ownership with `up --adopt <id>`, deploy under another environment name, or delete \
                     resources that are not needed"
                }
            })
            .exit(Verdict::Unmanaged));
    }
    let refused: Vec<&Step> = plan.steps.iter().filter(|step| step.action == Action::Refuse).collect();
    if !refused.is_empty() {
        return Err(Problem::new("some changes cannot be made, so nothing was changed")
            .details(refused.into_iter().map(about)));
    }
    losses(plan, wishes, session)
}

/// Returns an error if `--allow` or `--adopt` names a resource that the plan does not have, such as a typo.
pub(super) fn known(plan: &Plan, wishes: &Wishes, environment: &str, program: &str) -> Result<(), Problem> {
    let exists = |id: &&String| plan.steps.iter().any(|step| step.id.to_string() == **id);
    for (option, ids) in [("--allow", &wishes.allow), ("--adopt", &wishes.adopt)] {
        if let Some(unknown) = ids.iter().find(|id| !exists(id)) {
            return Err(Problem::usage(format!(
                "`{option} {unknown}` is not a resource of this environment"
            ))
            .hint(format!("an id is <kind>/<name>: `{program} outputs {environment}` lists both")));
        }
    }
    Ok(())
}

fn losses(plan: &Plan, wishes: &Wishes, session: &Session) -> Result<(), Problem> {
    // Data in a local cloud is not worth keeping, so changes that lose it need no confirmation.
    let guarded = session.environment.local.is_none();
    let losses = plan.losses().filter(|step| guarded && !wishes.allow.contains(&step.id.to_string()));
    let losses: Vec<&Step> = losses.collect();
    if losses.is_empty() {
        return Ok(());
    }
    let allow: Vec<String> = losses.iter().map(|step| format!("--allow {}", step.id)).collect();
    let allow = format!("to accept the loss, add {}", allow.join(" "));
    let keep = keeping_keys(losses.iter().flat_map(|step| &step.changes));
    Err(Problem::new("some changes lose data, so nothing was changed")
        .details(losses.into_iter().map(about))
        .hint(keep.into_iter().chain([allow]).collect::<Vec<_>>().join("; ")))
}

/// Returns a hint how functions can still read data encrypted with the keys that these changes replace.
fn keeping_keys<'a>(changes: impl Iterator<Item = &'a Change>) -> Option<String> {
    let left = changes.filter(|change| change.risk == Risk::LosesData && is_of_key(change));
    let keys: BTreeSet<String> = left.map(|change| change.live.to_string()).collect();
    let keys = Vec::from_iter(keys).join(", ");
    (!keys.is_empty()).then(|| {
        format!("to keep reading data encrypted with the old key, add to [org.kms]: former = [{keys}]")
    })
}

/// Returns the id of a step, with its reason or its changed fields.
fn about(step: &Step) -> String {
    let paths: Vec<&str> = step.changes.iter().map(|change| change.path.as_str()).collect();
    match &step.reason {
        Some(reason) => format!("{}: {reason}", step.id),
        None if paths.is_empty() => step.id.to_string(),
        None => format!("{}: {}", step.id, paths.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn key_left_behind_has_a_hint_to_keep_it() {
        let change = |path: &str, risk| Change { risk, ..Change::new(path, json!("old"), json!("new")) };
        let said = |changes: &[Change]| keeping_keys(changes.iter());
        let both = ["kms_key", "encryption.kms_key"].map(|path| change(path, Risk::LosesData));
        assert!(said(&both).expect("there is a hint").ends_with("former = [\"old\"]"));
        assert_eq!(said(&[change("kms_key", Risk::Safe), change("retention_hours", Risk::LosesData)]), None);
    }
}
