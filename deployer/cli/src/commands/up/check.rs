//! Checks of a plan before the first write.

use std::collections::BTreeSet;

use engine::change::{Change, Risk};
use engine::plan::{Action, Plan, Step, Verdict, Wishes};
use engine::survey::Survey;

use aws::resources::is_of_key;

use crate::exit::Problem;
use crate::session::Session;
use crate::suggestion::{known_words, likely};

/// Returns an error if a plan must not be applied.
pub(super) fn check(plan: &Plan, survey: &Survey, wishes: &Wishes, session: &Session) -> Result<(), Problem> {
    if plan.having(Verdict::Unknown).next().is_some() {
        return Err(Problem::new("some resources could not be read, so nothing was changed")
            .details(plan.having(Verdict::Unknown).map(about))
            .exit(Verdict::Unknown));
    }
    if plan.having(Verdict::Unmanaged).next().is_some() {
        return Err(Problem::new("unmanaged resources with these names exist, so nothing was changed")
            .details(plan.having(Verdict::Unmanaged).map(about))
            .hint(ways_out(plan, survey, wishes, session))
            .exit(Verdict::Unmanaged));
    }
    let refused: Vec<&Step> = plan.steps.iter().filter(|step| step.action == Action::Refuse).collect();
    if !refused.is_empty() {
        return Err(Problem::new("some changes cannot be made, so nothing was changed")
            .details(refused.into_iter().map(about)));
    }
    losses(plan, wishes, session)
}

/// Returns what to do about unmanaged resources: the options that adopt them, and those that cannot be adopted.
fn ways_out(plan: &Plan, survey: &Survey, wishes: &Wishes, session: &Session) -> String {
    let unmanaged: BTreeSet<String> =
        plan.having(Verdict::Unmanaged).map(|step| step.id.to_string()).collect();
    let adopt = wishes.adopt.union(&unmanaged).cloned().collect();
    let adopted = engine::plan::plan(&session.stack, survey, &Wishes { adopt, ..wishes.clone() });
    let named = adopted.steps.iter().filter(|step| unmanaged.contains(&step.id.to_string()));
    let (stuck, adoptable): (Vec<_>, Vec<_>) = named.partition(|step| step.action == Action::Refuse);
    let mut ways = Vec::new();
    if !adoptable.is_empty() {
        let options = adoptable.iter().map(|step| format!("--adopt {}", step.id)).collect::<Vec<_>>();
        ways.push(format!("to take ownership, add {}", options.join(" ")));
    }
    ways.extend(stuck.into_iter().map(|step| format!("cannot be adopted: {}", about(step))));
    ways.push(match &session.environment.local {
        Some(_) => format!(
            "to start again with an empty local cloud, run `deployer local reset {}`",
            session.environment.name
        ),
        None => "to keep them as they are, deploy under another environment name".into(),
    });
    ways.join("; ")
}

/// Returns an error if `--allow` or `--adopt` has a value that is no id of any kind. Needs no call to AWS.
pub(super) fn are_ids(wishes: &Wishes, kinds: &[&str]) -> Result<(), Problem> {
    for (option, id) in named(wishes) {
        let kind = id.split_once('/').map_or(id, |(kind, _)| kind);
        if !id.contains('/') || !kinds.contains(&kind) {
            return Err(Problem::usage(format!("`{option} {id}` is not an id of a resource"))
                .hint(format!("an id is <kind>/<name>; {}", known_words(kind, "kinds", kinds))));
        }
    }
    Ok(())
}

/// Returns an error if `--allow` or `--adopt` names a resource that the plan does not have, such as a typo.
pub(super) fn are_planned(
    plan: &Plan,
    wishes: &Wishes,
    environment: &str,
    program: &str,
) -> Result<(), Problem> {
    let ids: Vec<String> = plan.steps.iter().map(|step| step.id.to_string()).collect();
    let Some((option, unknown)) = named(wishes).find(|(_, id)| !ids.iter().any(|known| known == id)) else {
        return Ok(());
    };
    let likely = likely(unknown, ids.iter().map(String::as_str));
    Err(Problem::usage(format!("`{option} {unknown}` is not a resource of this environment"))
        .hint(format!("{likely}`{program} outputs {environment}` lists all ids")))
}

/// Returns each id of an option, with the option.
fn named(wishes: &Wishes) -> impl Iterator<Item = (&'static str, &str)> {
    let allowed = wishes.allow.iter().map(|id| ("--allow", id.as_str()));
    allowed.chain(wishes.adopt.iter().map(|id| ("--adopt", id.as_str())))
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

    #[test]
    fn id_without_a_known_kind_is_refused_before_any_call() {
        let refused = |id: &str| {
            let wishes = Wishes { allow: [id.to_owned()].into(), ..Wishes::default() };
            let problem = are_ids(&wishes, &["dynamodb.table", "iam.role"]).err()?;
            Some(format!("{problem}: {}", problem.hint.as_deref().unwrap_or_default()))
        };
        assert_eq!(refused("dynamodb.table/cart-dev-events"), None);
        for wrong in ["cart-dev-events", "dynamodb.tabel/cart-dev-events", "dynamodb.table"] {
            let said = refused(wrong).expect("this is no id");
            assert!(said.starts_with(&format!("`--allow {wrong}` is not an id")), "{said}");
        }
        let said = refused("dynamodb.tabel/x").expect("this is no kind");
        assert!(said.contains("did you mean `dynamodb.table`? kinds: dynamodb.table, iam.role"), "{said}");
    }
}
