//! A plan as a comment on a pull request: the same text for the same plan, so that a comment
//! can be found by its first line and updated in place.

use std::fmt::Write;

use engine::plan::{Action, Plan, Step, Verdict};

use super::changes::{Form, Line, Sign, shown_changes};
use super::fence::{fenced, html};
use super::plan_text::{Heading, Question, coverage, numbers, sign_of, worth_telling};
use super::style::{count, risk, to_do, verdict};
use super::text::printable;

/// How many bytes a comment may have. GitHub accepts 65,536 characters (its API answers "body is too long
/// (maximum is 65536 characters)"); the rest is for text that is added later.
const LONGEST: usize = 60_000;

/// Returns the plan as Markdown: the verdict, the totals, and a collapsible block for each resource.
pub fn plan_markdown(plan: &Plan, heading: Heading<'_>) -> String {
    let scope = heading.scope;
    let of = format!("{}-{}", scope.stack, scope.environment);
    let (what, command) =
        if heading.question == Question::Drift { ("Drift", "drift") } else { ("Plan", "plan") };
    let mut text = format!("<!-- deployer:{command}:{of} -->\n");
    let _ = writeln!(text, "### {what} of `{of}` in {}: {}\n", scope.region, verdict(plan.verdict));
    if plan.verdict == Verdict::InSync {
        text.push_str("Everything matches the stack.\n");
    } else {
        text.push_str(&totals(plan, heading));
    }
    let end = end(plan);
    let shown = plan.steps.iter().filter(|step| worth_telling(step));
    let (bare, full): (Vec<&Step>, Vec<&Step>) = shown.partition(|step| body(step).is_empty());
    let blocks: Vec<(usize, String)> =
        full.into_iter().map(|step| (1, block(step))).chain(groups(&bare)).collect();
    let room = LONGEST.saturating_sub(text.len() + end.len());
    let (mut used, mut left) = (0, 0);
    for (resources, block) in blocks {
        // If one block is left out, all later ones are, too: a list with holes would look complete.
        used += block.len() + 1;
        if used > room {
            left += resources;
        } else {
            let _ = write!(text, "\n{block}");
        }
    }
    if left > 0 {
        let _ = writeln!(
            text,
            "\n… and {}, which do not fit into a comment: `deployer {command} {}` shows all.",
            count(left, "more resource"),
            scope.environment,
        );
    }
    text + &end
}

/// Returns a table with the number of each action, or of each verdict.
fn totals(plan: &Plan, heading: Heading<'_>) -> String {
    let columns = numbers(plan, heading).into_iter();
    let (titles, numbers): (Vec<&str>, Vec<String>) =
        columns.map(|(number, title)| (title, number.to_string())).unzip();
    let rule = vec!["---:"; titles.len()].join("|");
    format!("| {} |\n|{rule}|\n| {} |\n", titles.join(" | "), numbers.join(" | "))
}

/// Returns a collapsible block.
fn details(summary: &str, body: &str) -> String {
    format!("<details><summary>{summary}</summary>\n\n{body}\n\n</details>\n")
}

fn block(step: &Step) -> String {
    let verdicts = step.verdicts.iter().map(|found| verdict(*found));
    let about: Vec<&str> = verdicts.chain(risk(step.risk)).collect();
    let id = html(&printable(&step.id.to_string()));
    details(
        &format!("<code>{} {id}</code> {}", sign_of(step).0, about.join(", ")),
        &fenced("diff", &body(step)),
    )
}

/// Returns the reason and the changes of a step.
fn body(step: &Step) -> Vec<String> {
    let reason = step.reason.iter().flat_map(|reason| reason.lines());
    let mut lines: Vec<String> = reason.map(|line| format!("# {}", printable(line))).collect();
    for shown in shown_changes(&step.changes) {
        let risk = risk(shown.risk).map(|risk| format!(" {risk}")).unwrap_or_default();
        lines.push(format!("@@ {} @@{risk}", shown.path));
        match shown.form {
            Form::Values { live, desired } => {
                lines.extend(live.map(|live| format!("- {live}")));
                lines.extend(desired.map(|desired| format!("+ {desired}")));
            }
            Form::Lines(diff) => lines.extend(diff.into_iter().map(|Line { sign, text }| match sign {
                Sign::Gone => format!("- {text}"),
                Sign::Come => format!("+ {text}"),
                Sign::Same => format!("  {text}"),
            })),
        }
    }
    lines
}

/// Returns a block, with the number of its resources, for each group of steps that are shown by name only.
fn groups(steps: &[&Step]) -> Vec<(usize, String)> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for step in steps {
        let what = match step.action {
            Action::Keep => step.verdicts.iter().map(|found| verdict(*found)).collect::<Vec<_>>().join(", "),
            action => to_do(action).to_owned(),
        };
        let cost = risk(step.risk).map(|cost| format!(", {cost}")).unwrap_or_default();
        let title = format!("<code>{}</code> {what}{cost}", sign_of(step).0);
        let line = format!("{} {}", sign_of(step).0, printable(&step.id.to_string()));
        match groups.iter_mut().find(|(of, _)| *of == title) {
            Some((_, lines)) => lines.push(line),
            None => groups.push((title, vec![line])),
        }
    }
    let blocks = groups.into_iter().map(|(title, lines)| {
        let summary = format!("{title}: {}", count(lines.len(), "resource"));
        (lines.len(), details(&summary, &fenced("diff", &lines)))
    });
    blocks.collect()
}

/// Returns how much was compared, and what was left out.
fn end(plan: &Plan) -> String {
    let summary = coverage(plan);
    if plan.compared.left_out.is_empty() {
        return format!("\n{summary}\n");
    }
    let left_out = plan
        .compared
        .left_out
        .iter()
        .map(|left| printable(&format!("{}: {} ({})", left.kind, left.what, left.why)));
    let listed = fenced("text", &left_out.collect::<Vec<_>>());
    format!("\n{}", details(&format!("{summary} (details)"), &listed))
}
