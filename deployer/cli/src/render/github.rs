//! Annotations of GitHub Actions: what somebody should look at, where a workflow shows it.

use std::fmt::Write;

use engine::plan::{Plan, Step, Verdict};
use engine::resource::Risk;

use super::markdown::plan_markdown;
use super::plan_text::Heading;
use super::style::{risk, verdict};
use super::text::printable;

/// How many annotations of each level GitHub shows of one step (actions/toolkit,
/// docs/problem-matchers.md).
const SHOWN: usize = 10;

/// Returns the Markdown, and before it one annotation for each resource that somebody
/// should look at ("Workflow commands for GitHub Actions").
pub(super) fn plan_github(plan: &Plan, heading: Heading<'_>) -> String {
    let mut text = String::new();
    for level in ["error", "warning"] {
        let found: Vec<&Step> = plan.steps.iter().filter(|step| level_of(step) == Some(level)).collect();
        // The last place is for the number of those that GitHub would drop in silence.
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
        Some(Verdict::Unknown | Verdict::Foreign) => Some("error"),
        Some(Verdict::Drift) => Some("warning"),
        _ if step.writes() && step.risk == Risk::LosesData => Some("warning"),
        _ => None,
    }
}

fn about(step: &Step) -> String {
    let paths = step.changes.iter().map(|change| change.path.as_str());
    let verdicts = step.verdicts.iter().map(|found| verdict(*found));
    let about = match &step.reason {
        Some(reason) => reason.clone(),
        None if step.changes.is_empty() => verdicts.collect::<Vec<_>>().join(", "),
        None => paths.collect::<Vec<_>>().join(", "),
    };
    match risk(step.risk) {
        Some(cost) => format!("{about} ({cost})"),
        None => about,
    }
}

/// Escapes a message as actions/toolkit does (packages/core/src/command.ts): a line break
/// would end the command. What a terminal would obey is written out.
fn data(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(printable).collect();
    lines.join("\n").replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property, which colons and commas end as well.
fn property(text: &str) -> String {
    data(&printable(text)).replace(':', "%3A").replace(',', "%2C")
}
