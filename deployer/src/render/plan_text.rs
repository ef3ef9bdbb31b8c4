//! A plan for reading.

use std::fmt::Write;

use anstyle::Style;

use super::style::{BAD, BOLD, DIM, count, sign, to_do, value, verdict};
use crate::plan::{Action, Plan, Step, Verdict};
use crate::resource::Risk;
use crate::scope::Scope;

/// What a plan is about.
#[derive(Debug, Clone, Copy)]
pub struct Heading<'a> {
    /// Whose plan it is.
    pub scope: &'a Scope,
    /// Whether it is read for drift or for what `up` would do.
    pub drift: bool,
}

/// Returns the plan: what is not as it should be, resource by resource, then the totals.
pub fn plan_text(plan: &Plan, heading: Heading<'_>) -> String {
    let mut text = String::new();
    let scope = heading.scope;
    let _ = writeln!(
        text,
        "{BOLD}{}-{}{BOLD:#} in {} {DIM}(account {}){DIM:#}",
        scope.stack, scope.environment, scope.region, scope.account,
    );
    let told: Vec<&Step> = plan.steps.iter().filter(|step| worth_telling(step)).collect();
    if !told.is_empty() {
        text.push('\n');
    }
    for step in told {
        tell(&mut text, step);
    }
    let _ = write!(text, "\n{}", totals(plan, heading));
    text
}

/// Returns the sign and colour of a step: its action, or why it has none.
pub(super) fn sign_of(step: &Step) -> (&'static str, Style) {
    match step.verdicts.first() {
        Some(Verdict::Unknown) => ("?", BAD),
        Some(Verdict::Orphan) if step.action == Action::Keep => ("o", DIM),
        _ => sign(step.action),
    }
}

fn worth_telling(step: &Step) -> bool {
    step.action != Action::Keep || step.verdicts != [Verdict::InSync]
}

fn tell(text: &mut String, step: &Step) {
    let (sign, style) = sign_of(step);
    let verdicts: Vec<&str> = match step.action {
        // A thing to be made or deleted is pending by nature.
        Action::Create | Action::Delete if step.reason.is_none() => Vec::new(),
        _ => step.verdicts.iter().map(|found| verdict(*found)).collect(),
    };
    let _ = write!(text, "  {style}{sign}{style:#} {}", step.id);
    if !verdicts.is_empty() {
        let _ = write!(text, "  {DIM}{}{DIM:#}", verdicts.join(", "));
    }
    if let Some(risk) = risk(step) {
        let _ = write!(text, "  {BAD}{risk}{BAD:#}");
    }
    text.push('\n');
    if let Some(reason) = &step.reason {
        let _ = writeln!(text, "      {reason}");
    }
    let width = step.changes.iter().map(|change| change.path.len()).max().unwrap_or_default();
    for change in &step.changes {
        let (live, desired) = (short(&change.live), short(&change.desired));
        let _ = writeln!(text, "      {:width$}  {live} → {desired}", change.path);
    }
}

/// Returns a value on part of a line; the JSON form has all of it.
fn short(whole: &serde_json::Value) -> String {
    const LONGEST: usize = 64;
    let text = value(whole);
    match text.char_indices().nth(LONGEST) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

fn risk(step: &Step) -> Option<&'static str> {
    match step.risk {
        // Everything deleted on purpose would say so.
        _ if step.action == Action::Delete => None,
        Risk::Safe => None,
        Risk::Interrupts => Some("interrupts"),
        Risk::LosesPosition => Some("loses its position in the stream"),
        Risk::LosesData => Some("loses data"),
    }
}

fn totals(plan: &Plan, heading: Heading<'_>) -> String {
    let compared: usize = plan.steps.iter().map(|step| step.compared).sum();
    let fields = match compared {
        0 => String::new(),
        compared => format!(", {} compared", count(compared, "field")),
    };
    let looked_at = format!("{DIM}({}{fields}){DIM:#}", count(plan.steps.len(), "resource"));
    if plan.verdict == Verdict::InSync {
        let clean = if heading.drift { "No drift" } else { "Nothing to do" };
        return format!("{clean}: everything is as the code says {looked_at}");
    }
    let parts: Vec<String> = if heading.drift {
        let found = plan.verdicts.iter().filter(|(_, number)| **number > 0);
        found.map(|(found, number)| format!("{number} {}", verdict(*found))).collect()
    } else {
        let found = plan.actions.iter().filter(|(_, number)| **number > 0);
        found.map(|(action, number)| format!("{number} {}", to_do(*action))).collect()
    };
    format!("{} {looked_at}", parts.join(", "))
}
