//! Annotations for GitHub Actions: the resources that need attention, where a workflow shows them.

use std::fmt::Write;

use engine::plan::{Plan, Step, Verdict};
use engine::resource::Risk;

use super::changes::{Form, ShownChange, shown_changes};
use super::markdown::plan_markdown;
use super::plan_text::Heading;
use super::style::{risk, verdict};
use super::text::printable;

/// How many annotations of each level GitHub shows for one step (actions/toolkit, docs/problem-matchers.md).
const SHOWN: usize = 10;

/// Returns one annotation for each resource that needs attention, then the Markdown ("Workflow commands for
/// GitHub Actions").
pub(super) fn plan_github(plan: &Plan, heading: Heading<'_>) -> String {
    let mut text = String::new();
    for level in ["error", "warning"] {
        let found: Vec<&Step> = plan.steps.iter().filter(|step| level_of(step) == Some(level)).collect();
        // The last annotation counts those that GitHub would drop silently.
        let shown = if found.len() > SHOWN { SHOWN - 1 } else { found.len() };
        for step in &found[..shown] {
            let title = property(&step.id.to_string());
            let _ = writeln!(text, "::{level} title={title}::{}", data(&about(step)));
        }
        if found.len() > shown {
            let _ = writeln!(text, "::{level} title=and more::{} more resources", found.len() - shown);
        }
    }
    text + &plan_markdown(plan, heading)
}

fn level_of(step: &Step) -> Option<&'static str> {
    match step.verdicts.first() {
        Some(Verdict::Unknown | Verdict::Unmanaged) => Some("error"),
        Some(Verdict::Drift) => Some("warning"),
        _ if step.writes() && step.risk == Risk::LosesData => Some("warning"),
        _ => None,
    }
}

fn about(step: &Step) -> String {
    let verdicts = step.verdicts.iter().map(|found| verdict(*found));
    let about = match &step.reason {
        Some(reason) => reason.clone(),
        None if step.changes.is_empty() => verdicts.collect::<Vec<_>>().join(", "),
        None => shown_changes(&step.changes).iter().map(change).collect::<Vec<_>>().join(", "),
    };
    match risk(step.risk) {
        Some(cost) => format!("{about} ({cost})"),
        None => about,
    }
}

/// Returns the path of a change, with its values if they are short.
fn change(change: &ShownChange) -> String {
    match &change.form {
        Form::Values { live, desired } => {
            let text = |side: &Option<String>| side.clone().unwrap_or_else(|| "none".to_owned());
            format!("{} {} → {}", change.path, text(live), text(desired))
        }
        Form::Lines(_) => change.path.clone(),
    }
}

/// Escapes a message as actions/toolkit does (packages/core/src/command.ts): a line break would end the
/// command. Control characters are escaped, too.
fn data(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(printable).collect();
    lines.join("\n").replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property, which colons and commas would end as well.
fn property(text: &str) -> String {
    data(&printable(text)).replace(':', "%3A").replace(',', "%2C")
}
