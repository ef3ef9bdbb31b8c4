//! The way of a probe: a line for each hop as it is passed, and what there is to look at when
//! it is not.

use std::time::Duration;

use serde::Serialize;
use uuid::Uuid;

use super::style::duration;
use crate::exit::Problem;
use crate::probe::{Hop, HopKind, Passage};

/// A probe as programs read it.
#[derive(Debug, Serialize)]
pub struct ProbeReport<'a> {
    /// The version of this form.
    pub schema: u32,
    /// The environment.
    pub environment: &'a str,
    /// The aggregate that is the probe.
    pub probe: Uuid,
    /// How long it was waited for, in seconds.
    pub within_s: u64,
    /// Whether it was seen everywhere.
    pub arrived: bool,
    /// Each hop, and when it was seen there.
    pub hops: &'a [Hop],
}

/// Returns the line of a hop at which a probe was seen, lined up with those of the others.
pub fn hop_text(hop: &Hop, passage: &Passage) -> String {
    let width = passage.hops.iter().map(|hop| hop.name.chars().count()).max().unwrap_or_default();
    let after = hop.after_ms.map_or_else(|| "not seen".to_owned(), |ms| duration(Duration::from_millis(ms)));
    format!("  {:<8} {:<width$}  {after:>6}", word(hop.kind), hop.name)
}

/// Returns what there is to say of a probe that did not arrive everywhere, and to look at.
pub fn probe_lost(
    passage: &Passage,
    within: Duration,
    program: &str,
    environment: &str,
    prefix: &str,
) -> Problem {
    let last = passage.last().map_or_else(String::new, |hop| format!("; it was last seen in {}", told(hop)));
    let missing = passage.missing().map(|hop| format!("not in {}", told(hop)));
    let problem =
        Problem::new(format!("the probe did not arrive everywhere within {}{last}", duration(within)));
    let problem = problem.details(missing.collect::<Vec<_>>());
    let Some(suspect) = passage.suspect().map(|hop| hop.name.as_str()) else {
        return problem;
    };
    let short = suspect.strip_prefix(prefix).unwrap_or(suspect);
    problem.hint(format!(
        "`{program} drift {environment}` tells whether {short} is fed, `{program} logs {environment} {short}` what it \
         wrote; its alarms are {suspect}-behind, -failing, -throttled, -keeping-aside and -losing"
    ))
}

fn told(hop: &Hop) -> String {
    format!("{} {}", word(hop.kind), hop.name)
}

fn word(kind: HopKind) -> &'static str {
    match kind {
        HopKind::Table => "table",
        HopKind::Capture => "capture",
        HopKind::Stream => "stream",
        HopKind::Handler => "handler",
        HopKind::Archive => "archive",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage() -> Passage {
        let hop = |kind, name: &str, after_ms| Hop { kind, name: name.to_owned(), after_ms };
        Passage {
            hops: vec![
                hop(HopKind::Table, "demo-dev-events", Some(12)),
                hop(HopKind::Capture, "demo-dev-capture", Some(1_234)),
                hop(HopKind::Stream, "demo-dev-events", None),
                hop(HopKind::Handler, "demo-dev-log-events", None),
                hop(HopKind::Archive, "demo-dev-archive-111111111111-eu-central-1-an", None),
            ],
        }
    }

    #[test]
    fn hops_line_up() {
        let passage = passage();
        let lines: Vec<String> = passage.hops.iter().map(|hop| hop_text(hop, &passage)).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn lost_probe_names_suspect_and_hint() {
        let problem = probe_lost(&passage(), Duration::from_secs(60), "deployer", "dev", "demo-dev-");
        let hint = problem.hint.clone().expect("there is something to look at");
        insta::assert_snapshot!(format!("{problem}\n{}\n{hint}", problem.details.join("\n")));
    }
}
