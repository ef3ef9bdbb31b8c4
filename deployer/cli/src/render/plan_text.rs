//! A plan as text.

use std::collections::BTreeSet;
use std::fmt::Write;

use anstyle::Style;
use engine::plan::{Action, Compared, NotCompared, Plan, Step, Verdict};
use engine::scope::Scope;

use super::changes::{Form, Line, ShownChange, Sign, shown_changes};
use super::style::{BAD, BOLD, DIM, GOOD, count, risk, sign, to_do, verdict, wrapped};
use super::text::printable;

/// A longer path does not widen the column of paths.
const WIDEST_PATH: usize = 48;
/// Up to this number, settings that are left out are listed with the reason.
const NAMED: usize = 3;

/// The subject of a plan.
#[derive(Debug, Clone, Copy)]
pub struct Heading<'a> {
    /// The environment.
    pub scope: &'a Scope,
    /// The question that the plan answers.
    pub question: Question,
    /// Which code is deployed and would be deployed, if functions change.
    pub code: Option<&'a str>,
}

/// The question that a plan answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// What would `up` do?
    Plan,
    /// What was changed outside the deployer?
    Drift,
}

/// Returns the plan: each resource that is not in sync, then the totals.
pub fn plan_text(plan: &Plan, heading: Heading<'_>) -> String {
    let mut text = String::new();
    let scope = heading.scope;
    let _ = writeln!(
        text,
        "{BOLD}{}-{}{BOLD:#} in {} {DIM}(account {}){DIM:#}",
        scope.stack, scope.environment, scope.region, scope.account,
    );
    let shown: Vec<&Step> = plan.steps.iter().filter(|step| worth_telling(step)).collect();
    if shown.iter().any(|step| !step.changes.is_empty()) {
        let _ = writeln!(text, "{DIM}changes are live → desired{DIM:#}");
    }
    if let Some(code) = heading.code {
        let _ = writeln!(text, "{DIM}code: {}{DIM:#}", printable(code));
    }
    if !shown.is_empty() {
        text.push('\n');
    }
    for step in shown {
        write_step(&mut text, step);
    }
    let _ = write!(text, "\n{}", totals(plan, heading));
    if heading.question == Question::Drift
        && let Some(left_out) = left_out(&plan.compared)
    {
        let _ = write!(text, "\n{DIM}{left_out}{DIM:#}");
    }
    text
}

/// Returns the sign and colour of a step: of its action, or of its verdict if there is no action.
pub(super) fn sign_of(step: &Step) -> (&'static str, Style) {
    match step.verdicts.first() {
        Some(Verdict::Unknown) => ("?", BAD),
        Some(Verdict::Orphan) if step.action == Action::Keep => ("o", DIM),
        _ => sign(step.action),
    }
}

/// Returns whether a step is shown.
pub(super) fn worth_telling(step: &Step) -> bool {
    step.action != Action::Keep || step.verdicts != [Verdict::InSync]
}

fn write_step(text: &mut String, step: &Step) {
    let (sign, style) = sign_of(step);
    let verdicts: Vec<&str> = match step.action {
        // A resource to be created or deleted is always pending.
        Action::Create | Action::Delete if step.reason.is_none() => Vec::new(),
        _ => step.verdicts.iter().map(|found| verdict(*found)).collect(),
    };
    let _ = write!(text, "  {style}{sign}{style:#} {}", step.id);
    if !verdicts.is_empty() {
        let _ = write!(text, "  {DIM}{}{DIM:#}", verdicts.join(", "));
    }
    // The risk of a field is shown with the field.
    let by_field = step.changes.iter().any(|change| change.risk == step.risk);
    if let Some(cost) = risk(step.risk).filter(|_| !by_field) {
        let _ = write!(text, "  {BAD}{cost}{BAD:#}");
    }
    text.push('\n');
    for line in step.reason.iter().flat_map(|reason| wrapped(reason, "      ")) {
        let _ = writeln!(text, "{line}");
    }
    let shown = shown_changes(&step.changes);
    let on_one_line = shown.iter().filter(|shown| matches!(shown.form, Form::Values { .. }));
    let widths = on_one_line.map(|shown| shown.path.chars().count());
    let width = widths.filter(|width| *width <= WIDEST_PATH).max().unwrap_or_default();
    for shown in shown {
        change(text, shown, width);
    }
}

fn change(text: &mut String, shown: ShownChange, width: usize) {
    let path = shown.path;
    let risk = risk(shown.risk).map(|risk| format!("  {BAD}{risk}{BAD:#}")).unwrap_or_default();
    match shown.form {
        Form::Values { live, desired } => {
            let [live, desired] = [live, desired].map(|side| side.unwrap_or_else(|| "none".into()));
            let _ = writeln!(text, "      {path:width$}  {live} → {desired}{risk}");
        }
        Form::Lines(lines) => {
            let _ = writeln!(text, "      {path}{risk}");
            for Line { sign, text: line } in lines {
                let (sign, style) = match sign {
                    Sign::Gone => ('-', BAD),
                    Sign::Come => ('+', GOOD),
                    Sign::Same => (' ', DIM),
                };
                let _ = writeln!(text, "        {style}{sign} {line}{style:#}");
            }
        }
    }
}

fn totals(plan: &Plan, heading: Heading<'_>) -> String {
    let looked_at = format!("{DIM}({}){DIM:#}", coverage(plan));
    if plan.verdict == Verdict::InSync {
        let clean = if heading.question == Question::Drift { "No drift" } else { "Nothing to do" };
        return format!("{clean}: everything matches the stack {looked_at}");
    }
    let numbers: Vec<String> =
        numbers(plan, heading).into_iter().map(|(number, what)| format!("{number} {what}")).collect();
    format!("{} {looked_at}", numbers.join(", "))
}

/// Returns the number of each action, or of each verdict if the question is drift.
pub(super) fn numbers(plan: &Plan, heading: Heading<'_>) -> Vec<(usize, &'static str)> {
    let verdicts = || plan.verdicts.iter().map(|(of, number)| (*number, verdict(*of))).collect();
    let mut numbers: Vec<_> = if heading.question == Question::Drift { verdicts() } else { to_be_done(plan) };
    numbers.retain(|(number, _)| *number > 0);
    numbers
}

/// Returns the number of each action. Orphans are counted too, although `up` keeps them. Resources that could
/// not be read are part of the coverage instead.
fn to_be_done(plan: &Plan) -> Vec<(usize, &'static str)> {
    let kept = |of: Verdict| plan.having(of).filter(|step| step.action == Action::Keep).count();
    let actions = plan.actions.iter().filter(|(action, _)| **action != Action::Keep);
    let orphans = kept(Verdict::Orphan);
    actions
        .map(|(action, number)| (*number, to_do(*action)))
        .chain([
            (orphans, if orphans == 1 { "orphan" } else { "orphans" }),
            (kept(Verdict::InSync), to_do(Action::Keep)),
        ])
        .collect()
}

/// Returns a warning about the orphans that a plan keeps: how to delete them, and which of them still work.
pub fn orphans_left(plan: &Plan, to_do: &str) -> Option<String> {
    let number = plan.orphans_left().count();
    if number == 0 {
        return None;
    }
    let (are, them) = if number == 1 { ("is", "it") } else { ("are", "them") };
    let resources = count(number, "resource");
    let mut text =
        format!("{resources} of this environment {are} no longer in the code; to delete {them}: {to_do}");
    for step in plan.orphans_left().filter(|step| step.action == Action::Keep) {
        if let Some(reason) = &step.reason {
            let _ = write!(text, "\n  {}: {}", step.id, printable(reason));
        }
    }
    Some(text)
}

/// Returns how much was compared: without it, "clean" means nothing.
pub(super) fn coverage(plan: &Plan) -> String {
    let Compared { resources, fields, left_out, unreadable } = &plan.compared;
    let mut parts = vec![match fields {
        0 => count(plan.steps.len(), "resource"),
        _ => format!("{} and {} compared", count(*resources, "resource"), count(*fields, "field")),
    }];
    if !left_out.is_empty() && *fields > 0 {
        parts.push(format!("{} left out", count(left_out.len(), "setting")));
    }
    if *unreadable > 0 {
        parts.push(format!("{unreadable} unreadable"));
    }
    parts.join(", ")
}

/// Returns one line with the settings that are left out, with the reasons if there are few.
fn left_out(compared: &Compared) -> Option<String> {
    let of = |left: &NotCompared| format!("{} of {}", left.what, left.kind);
    let named = match compared.left_out.as_slice() {
        [] => return None,
        few if few.len() <= NAMED => few.iter().map(|left| format!("{} ({})", of(left), left.why)).collect(),
        many => {
            let kinds: BTreeSet<&str> = many.iter().map(|left| left.kind).collect();
            let (things, kinds) = (count(many.len(), "setting"), count(kinds.len(), "kind"));
            vec![format!("{things} of {kinds}, by design")]
        }
    };
    let why =
        if compared.left_out.len() > NAMED { " (`--format json` lists each with its reason)" } else { "" };
    Some(format!("not compared: {}{why}", named.join("; ")))
}
