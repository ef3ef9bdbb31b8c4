//! All failures of a run, so that they need not be searched for in the output.

use std::collections::BTreeMap;
use std::fmt::Write;

use engine::apply::{ApplyReport, Failure, StepOutcome};
use engine::error::Error;
use engine::resource::ResourceId;

use super::style::{BAD, DIM, to_do, wrapped};

/// Returns every failure of a run with its resources, then the steps that were not done and why. Empty if the
/// run succeeded.
///
/// An error that many resources have in common, such as expired credentials, is shown once.
pub fn failures(report: &ApplyReport) -> String {
    let mut text = String::new();
    let mut groups: Vec<(&Error, Vec<(&StepOutcome, &Error)>)> = Vec::new();
    for outcome in &report.outcomes {
        let Err(Failure::Failed(error)) = &outcome.result else { continue };
        match groups.iter_mut().find(|(first, _)| alike(first, error)) {
            Some((_, met)) => met.push((outcome, error)),
            None => groups.push((error, vec![(outcome, error)])),
        }
    }
    for (error, met) in groups {
        for (outcome, error) in met {
            let verb = to_do(outcome.action).trim_start_matches("to ");
            let request = error.request_id.as_ref().map(|id| format!("  {DIM}request {id}{DIM:#}"));
            let _ = writeln!(text, "  {BAD}✗{BAD:#} {verb} {}{}", outcome.id, request.unwrap_or_default());
        }
        reason(&mut text, error);
    }
    undone(&mut text, report);
    text.trim_end().to_owned()
}

/// Returns whether two errors read the same.
fn alike(one: &Error, other: &Error) -> bool {
    let said = |error: &Error| (error.code.clone(), error.message.clone(), error.hint.clone());
    one.operation == other.operation && said(one) == said(other)
}

/// Writes which operation failed, why, and the hint.
fn reason(text: &mut String, error: &Error) {
    let said = match &error.code {
        Some(code) => format!("{}: {code}\n{}", error.operation, error.message),
        None => format!("{}: {}", error.operation, error.message),
    };
    for line in wrapped(&said, "      ") {
        let _ = writeln!(text, "{line}");
    }
    if let Some(hint) = &error.hint {
        for line in wrapped(&format!("hint: {hint}"), "      ") {
            let _ = writeln!(text, "{line}");
        }
    }
}

/// Writes the steps that were not done: first those skipped, by cause, then those that the end of the run
/// stopped.
fn undone(text: &mut String, report: &ApplyReport) {
    let causes: BTreeMap<&ResourceId, &Failure> = report
        .outcomes
        .iter()
        .filter_map(|outcome| Some((&outcome.id, outcome.result.as_ref().err()?)))
        .collect();
    let mut skipped: BTreeMap<&ResourceId, Vec<&ResourceId>> = BTreeMap::new();
    let (mut interrupted, mut not_begun) = (Vec::new(), Vec::new());
    for outcome in &report.outcomes {
        match &outcome.result {
            Ok(()) | Err(Failure::Failed(_)) => {}
            Err(Failure::Interrupted) => interrupted.push(&outcome.id),
            Err(Failure::Stopped) => not_begun.push(&outcome.id),
            Err(Failure::Skipped(cause)) => match root(cause, &causes) {
                (_, Some(Failure::Stopped)) => not_begun.push(&outcome.id),
                (root, _) => skipped.entry(root).or_default().push(&outcome.id),
            },
        }
    }
    for (cause, ids) in skipped {
        let why = match causes.get(cause) {
            Some(Failure::Interrupted) => "did not finish",
            _ => "failed",
        };
        group(text, &format!("{} skipped because {cause} {why}", ids.len()), &ids);
    }
    let at_work = "in progress when the run was stopped; the result is not known";
    group(text, &format!("{} {at_work}", interrupted.len()), &interrupted);
    group(text, &format!("{} not started when the run was stopped", not_begun.len()), &not_begun);
}

/// Returns the first cause of a chain of skipped steps.
fn root<'a>(
    mut cause: &'a ResourceId,
    causes: &BTreeMap<&'a ResourceId, &'a Failure>,
) -> (&'a ResourceId, Option<&'a Failure>) {
    // The cause of a skipped step ended before that step, so this loop ends.
    while let Some(Failure::Skipped(before)) = causes.get(cause) {
        cause = before;
    }
    (cause, causes.get(cause).copied())
}

fn group(text: &mut String, title: &str, ids: &[&ResourceId]) {
    if ids.is_empty() {
        return;
    }
    let _ = writeln!(text, "  {DIM}-{DIM:#} {title}");
    let names: Vec<String> = ids.iter().map(|id| id.to_string()).collect();
    for line in wrapped(&names.join(", "), "      ") {
        let _ = writeln!(text, "{DIM}{line}{DIM:#}");
    }
}
