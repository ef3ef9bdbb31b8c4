//! Which code a plan deploys: the deployed and the current commit, and the files that differ.

use std::collections::BTreeSet;

use engine::plan::{Action, Step};
use engine::resource::{Resource, field_of};

use super::Planned;
use crate::render::short_commit;
use aws::resources::function::{Function, FunctionFieldName};

/// How many files are named.
const NAMED: usize = 5;

impl Planned {
    /// Returns the deployed and the current commit with the files that differ, if code of a function differs.
    pub(crate) async fn code(&self) -> Option<String> {
        if !self.plan.steps.iter().any(uploads) {
            return None;
        }
        let deployed = self.survey.last_release()?.release.clone()?;
        let current = self.sources.release().await?;
        let files = self.sources.changed_since(&deployed).await;
        // The same sources can be built in another way, such as with another profile.
        (deployed != current || !files.is_empty()).then(|| code(&deployed, &current, &files))
    }
}

/// Returns whether a step uploads the code of a function.
pub(crate) fn uploads(step: &Step) -> bool {
    step.kind == Function::KIND
        && match step.action {
            Action::Create | Action::Recreate => true,
            Action::Update => {
                step.changes.iter().filter_map(field_of::<Function>).any(FunctionFieldName::is_uploaded)
            }
            // Pruned functions have no sources any more.
            _ => false,
        }
}

fn code(deployed: &str, current: &str, files: &BTreeSet<String>) -> String {
    let mut text = format!("{} → {}", short_commit(deployed), short_commit(current));
    if !files.is_empty() {
        let named: Vec<&str> = files.iter().take(NAMED).map(String::as_str).collect();
        text.push_str(&format!(": {}", named.join(", ")));
    }
    if files.len() > NAMED {
        text.push_str(&format!(" and {} more", files.len() - NAMED));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_a_plan_names_commits_and_files() {
        let (one, other) = ("4d5b4aa105b3c2d1e0f9", "4d5b4aa105b3c2d1e0f9-dirty");
        assert_eq!(code(one, other, &BTreeSet::new()), "4d5b4aa105 → 4d5b4aa105-dirty");
        let files = ["a.rs", "b.rs", "c.rs", "d.rs", "e.rs", "f.rs", "g.rs"].map(str::to_owned).into();
        let text = "4d5b4aa105 → 4d5b4aa105-dirty: a.rs, b.rs, c.rs, d.rs, e.rs and 2 more";
        assert_eq!(code(one, other, &files), text);
    }
}
