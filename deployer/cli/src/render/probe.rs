//! The path of a probe: a line for each stage that it passed, and a hint if it did not arrive.

use std::time::Duration;

use serde::Serialize;
use uuid::Uuid;

use super::style::duration;
use crate::exit::Problem;
use crate::probe::{Passage, Stage, StageKind};

/// The JSON form of a probe.
#[derive(Debug, Serialize)]
pub struct ProbeReport<'a> {
    /// The version of this format.
    pub schema: u32,
    /// The environment.
    pub environment: &'a str,
    /// The aggregate of the probe.
    pub probe: Uuid,
    /// How long the command waits for it, in seconds.
    pub within_s: u64,
    /// Whether it arrived everywhere.
    pub arrived: bool,
    /// The stages, each with the time at which the probe arrived.
    pub stages: &'a [Stage],
}

/// Returns the line of a stage, aligned with the lines of all stages.
pub fn stage_text(stage: &Stage, passage: &Passage) -> String {
    let width = passage.stages.iter().map(|stage| stage.name.chars().count()).max().unwrap_or_default();
    let after =
        stage.after_ms.map_or_else(|| "not seen".to_owned(), |ms| duration(Duration::from_millis(ms)));
    format!("  {:<8} {:<width$}  {after:>6}", word(stage.kind), stage.name)
}

/// Returns the error for a probe that did not arrive everywhere, with a hint what to check.
pub fn probe_lost(
    passage: &Passage,
    within: Duration,
    program: &str,
    environment: &str,
    prefix: &str,
) -> Problem {
    let last = passage
        .last()
        .map_or_else(String::new, |stage| format!("; it was last seen in {}", described(stage)));
    let missing = passage.missing().map(|stage| format!("not in {}", described(stage)));
    let problem =
        Problem::new(format!("the probe did not arrive everywhere within {}{last}", duration(within)));
    let problem = problem.details(missing.collect::<Vec<_>>());
    let Some(suspect) = passage.suspect().map(|stage| stage.name.as_str()) else {
        return problem;
    };
    let short = suspect.strip_prefix(prefix).unwrap_or(suspect);
    problem.hint(format!(
        "check the configuration of {short} with `{program} drift {environment}` and its log with `{program} \
         logs {environment} {short}`; its alarms are {suspect}-behind, -failing, -throttled, -quarantining \
         and -undelivered"
    ))
}

fn described(stage: &Stage) -> String {
    format!("{} {}", word(stage.kind), stage.name)
}

fn word(kind: StageKind) -> &'static str {
    match kind {
        StageKind::Table => "table",
        StageKind::Capture => "capture",
        StageKind::Stream => "stream",
        StageKind::Handler => "handler",
        StageKind::Archive => "archive",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage() -> Passage {
        let stage = |kind, name: &str, after_ms| Stage { kind, name: name.to_owned(), after_ms };
        Passage {
            stages: vec![
                stage(StageKind::Table, "demo-dev-events", Some(12)),
                stage(StageKind::Capture, "demo-dev-capture", Some(1_234)),
                stage(StageKind::Stream, "demo-dev-events", None),
                stage(StageKind::Handler, "demo-dev-log-events", None),
                stage(StageKind::Archive, "demo-dev-archive-111111111111-eu-central-1-an", None),
            ],
        }
    }

    #[test]
    fn stages_line_up() {
        let passage = passage();
        let lines: Vec<String> = passage.stages.iter().map(|stage| stage_text(stage, &passage)).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn lost_probe_names_suspect_and_hint() {
        let problem = probe_lost(&passage(), Duration::from_secs(60), "deployer", "dev", "demo-dev-");
        let hint = problem.hint.clone().expect("there is a hint");
        insta::assert_snapshot!(format!("{problem}\n{}\n{hint}", problem.details.join("\n")));
    }
}
