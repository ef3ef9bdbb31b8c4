//! A plan for reading.

use std::collections::BTreeSet;
use std::fmt::Write;

use anstyle::Style;
use engine::plan::{Action, Compared, NotCompared, Plan, Step, Verdict};
use engine::scope::Scope;

use super::changes::{Form, Line, ShownChange, Sign, told};
use super::style::{BAD, BOLD, DIM, GOOD, count, risk, sign, to_do, verdict, wrapped};
use super::text::printable;

/// How far a path may push the values after it to the right.
const WIDEST_PATH: usize = 48;
/// How many things that were left out are named with the reason.
const NAMED: usize = 3;

/// What a plan is about.
#[derive(Debug, Clone, Copy)]
pub struct Heading<'a> {
    /// Whose plan it is.
    pub scope: &'a Scope,
    /// What it is read for.
    pub question: Question,
}

/// What a plan is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// What `up` would do.
    Plan,
    /// What was changed outside the deployer.
    Drift,
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
    if heading.question == Question::Drift
        && let Some(left_out) = left_out(&plan.compared)
    {
        let _ = write!(text, "\n{DIM}{left_out}{DIM:#}");
    }
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

/// Tells whether there is anything to say of a step.
pub(super) fn worth_telling(step: &Step) -> bool {
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
    // What a field costs is said where the field is.
    let by_field = step.changes.iter().any(|change| change.risk == step.risk);
    if let Some(cost) = risk(step.risk).filter(|_| !by_field) {
        let _ = write!(text, "  {BAD}{cost}{BAD:#}");
    }
    text.push('\n');
    for line in step.reason.iter().flat_map(|reason| wrapped(reason, "      ")) {
        let _ = writeln!(text, "{line}");
    }
    let told = told(&step.changes);
    let on_one_line = told.iter().filter(|told| matches!(told.form, Form::Values { .. }));
    let widths = on_one_line.map(|told| told.path.chars().count());
    let width = widths.filter(|width| *width <= WIDEST_PATH).max().unwrap_or_default();
    for told in told {
        change(text, told, width);
    }
}

fn change(text: &mut String, told: ShownChange, width: usize) {
    let path = told.path;
    let risk = risk(told.risk).map(|risk| format!("  {BAD}{risk}{BAD:#}")).unwrap_or_default();
    match told.form {
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
        return format!("{clean}: everything is as the code says {looked_at}");
    }
    let numbers: Vec<String> =
        numbers(plan, heading).into_iter().map(|(number, what)| format!("{number} {what}")).collect();
    format!("{} {looked_at}", numbers.join(", "))
}

/// Returns what a plan comes to, with how many there are of each: actions, or verdicts where it is
/// read for drift.
pub(super) fn numbers(plan: &Plan, heading: Heading<'_>) -> Vec<(usize, &'static str)> {
    let verdicts = || plan.verdicts.iter().map(|(of, number)| (*number, verdict(*of))).collect();
    let mut numbers: Vec<_> = if heading.question == Question::Drift { verdicts() } else { to_be_done(plan) };
    numbers.retain(|(number, _)| *number > 0);
    numbers
}

/// Nothing is done about an orphan, and yet it is not as the code says. What could not be read is
/// told beside what was compared.
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

/// Returns what a plan leaves behind that the code does not mention, with what is to be done
/// about it, and what of it still works.
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

/// Returns how much was looked at: without it, "clean" says nothing.
pub(super) fn coverage(plan: &Plan) -> String {
    let Compared { resources, fields, left_out, unreadable } = &plan.compared;
    let mut parts = vec![match fields {
        0 => count(plan.steps.len(), "resource"),
        _ => format!("{} and {} compared", count(*resources, "resource"), count(*fields, "field")),
    }];
    if !left_out.is_empty() && *fields > 0 {
        parts.push(format!("{} left out", count(left_out.len(), "thing")));
    }
    if *unreadable > 0 {
        parts.push(format!("{unreadable} unreadable"));
    }
    parts.join(", ")
}

/// Returns what was left out on one line, with the reasons while there are few.
fn left_out(compared: &Compared) -> Option<String> {
    let of = |left: &NotCompared| format!("{} of {}", left.what, left.kind);
    let named = match compared.left_out.as_slice() {
        [] => return None,
        few if few.len() <= NAMED => few.iter().map(|left| format!("{} ({})", of(left), left.why)).collect(),
        many => {
            let kinds: BTreeSet<&str> = many.iter().map(|left| left.kind).collect();
            let (things, kinds) = (count(many.len(), "thing"), count(kinds.len(), "kind"));
            vec![format!("{things} of {kinds}, by choice")]
        }
    };
    let why =
        if compared.left_out.len() > NAMED { " (`--format json` names each with its reason)" } else { "" };
    Some(format!("not compared: {}{why}", named.join("; ")))
}
