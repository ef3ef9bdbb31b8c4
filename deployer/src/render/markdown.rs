//! A plan as a pull request comment, and as annotations of GitHub Actions.

use std::fmt::Write;

use super::plan_text::{Heading, sign_of};
use super::style::{to_do, value, verdict};
use crate::plan::{Action, Plan, Step, Verdict};

/// Returns the plan as Markdown: a table of what is not as it should be.
pub fn plan_markdown(plan: &Plan, heading: Heading<'_>) -> String {
    let mut text = String::new();
    let scope = heading.scope;
    let what = if heading.drift { "Drift" } else { "Plan" };
    let _ = writeln!(text, "### {what} of `{}-{}` in {}\n", scope.stack, scope.environment, scope.region);
    let told: Vec<&Step> = plan.steps.iter().filter(|step| step.verdicts != [Verdict::InSync]).collect();
    if told.is_empty() {
        let _ = write!(text, "Everything is as the code says ({} resources).", plan.steps.len());
        return text;
    }
    text.push_str("| | resource | verdict | change |\n|---|---|---|---|\n");
    for step in told {
        let verdicts: Vec<&str> = step.verdicts.iter().map(|found| verdict(*found)).collect();
        let _ = writeln!(
            text,
            "| {} | `{}` | {} | {} |",
            sign_of(step).0,
            step.id,
            verdicts.join(", "),
            changes(step),
        );
    }
    let totals: Vec<String> = plan
        .actions
        .iter()
        .filter(|(action, number)| **number > 0 && **action != Action::Keep)
        .map(|(action, number)| format!("{number} {}", to_do(*action)))
        .collect();
    let _ = write!(text, "\n{}", if totals.is_empty() { "Nothing to do".into() } else { totals.join(", ") });
    text
}

/// Returns the Markdown, and before it one annotation for each resource that somebody
/// should look at ("Workflow commands for GitHub Actions").
pub(super) fn plan_github(plan: &Plan, heading: Heading<'_>) -> String {
    let mut text = String::new();
    for step in &plan.steps {
        let grave = match step.verdicts.first() {
            Some(Verdict::Unknown | Verdict::Foreign) => "error",
            Some(Verdict::Drift) => "warning",
            _ => continue,
        };
        let paths: Vec<&str> = step.changes.iter().map(|change| change.path.as_str()).collect();
        let about = step.reason.clone().unwrap_or_else(|| paths.join(", "));
        // A line break would end the command.
        let about = about.replace('%', "%25").replace('\n', "%0A");
        let _ = writeln!(text, "::{grave} title={}::{about}", step.id);
    }
    text + &plan_markdown(plan, heading)
}

fn changes(step: &Step) -> String {
    let listed = step.changes.iter().map(|change| {
        let (live, desired) = (cell(&value(&change.live)), cell(&value(&change.desired)));
        format!("`{}`: {live} → {desired}", change.path)
    });
    listed.chain(step.reason.as_deref().map(cell)).collect::<Vec<_>>().join("<br>")
}

/// Returns text that stays within a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
