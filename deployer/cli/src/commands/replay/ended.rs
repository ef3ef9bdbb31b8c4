//! The end of a replay: whether it succeeded, with warnings and hints. Pure.

use eventsourcing::replay::{HandlerKind, Order, ReplayState, ReplayStatus};

use crate::exit::Problem;
use crate::render::{count, replay_unmatched};

/// The messages at the end of a replay, in addition to its status.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// A note.
    pub(super) said: Option<String>,
    /// Warnings that are not failures.
    pub(super) warnings: Vec<String>,
    /// Why the replay did not succeed.
    pub(super) problem: Option<Problem>,
}

/// Returns the messages for a replay with this final status.
pub(super) fn ended(status: &ReplayStatus, program: &str, environment: &str) -> Ended {
    let handler = &status.order.handler;
    let Order { dry_run, repeat_side_effects, .. } = status.order;
    let acts = dry_run && !repeat_side_effects && status.handler_kind == Some(HandlerKind::Reactor);
    let said =
        acts.then(|| format!("{handler} has side effects: the replay itself needs --repeat-side-effects"));
    let all_is_read = matches!(status.state, ReplayState::Complete | ReplayState::Incomplete);
    let unmatched = replay_unmatched(status).filter(|_| all_is_read);
    // A mistyped name must not look like success to a script.
    if let Some(unmatched) = &unmatched
        && status.state == ReplayState::Complete
        && status.counts.delivered == 0
    {
        let problem = Problem::new(format!("no events were delivered to {handler}: {unmatched}"));
        return Ended { said, problem: Some(problem), ..Ended::default() };
    }
    let quarantined = (status.state == ReplayState::Complete && status.counts.quarantined > 0).then(|| {
        format!(
            "{handler} quarantined {}: each is stored under failed/{handler}/ of the bucket, with the reason",
            count(status.counts.quarantined, "event"),
        )
    });
    let warnings = unmatched.into_iter().chain(quarantined).collect();
    Ended { said, warnings, problem: problem(status, &format!("{program} audit {environment}")) }
}

/// Returns why a replay did not succeed; `audit` is the command that finds missing events.
fn problem(status: &ReplayStatus, audit: &str) -> Option<Problem> {
    let handler = &status.order.handler;
    Some(match status.state {
        ReplayState::Complete | ReplayState::Running => return None,
        ReplayState::Incomplete if status.counts.contradictions > 0 => {
            Problem::new(format!("history contradicts itself, so not all events were delivered to {handler}"))
                .hint(format!(
                    "run `{audit}` to find events with different contents; the first content was delivered"
                ))
        }
        ReplayState::Incomplete => Problem::new(format!(
            "history has gaps, so not all events were delivered to {handler}"
        ))
        .hint(format!(
            "run `{audit}` to find missing events and `{audit} --repair` to republish them, or use \
             `--from table`"
        )),
        ReplayState::Cancelled => Problem::new("the replay was cancelled"),
        ReplayState::Failed => Problem::new("the replay failed").details(status.problem.clone()),
    })
}

#[cfg(test)]
mod tests {
    use eventsourcing::replay::Only;

    use super::*;
    use crate::render::replayed;

    /// Returns all messages about a replay, one line each.
    fn said(status: &ReplayStatus) -> Vec<String> {
        let Ended { said, warnings, problem } = ended(status, "d", "dev");
        let warnings = warnings.into_iter().map(|warning| format!("warning: {warning}"));
        let problem = problem.map(|problem| {
            let mut lines = vec![format!("error: {problem}")];
            lines.extend(problem.details);
            lines.extend(problem.hint);
            lines
        });
        said.into_iter().chain(warnings).chain(problem.into_iter().flatten()).collect()
    }

    /// Returns a replay in this state with a filter that matches no event.
    fn mistyped(state: ReplayState) -> ReplayStatus {
        let mut status = replayed(state);
        status.order.only = Only { types: ["ItemAded".to_owned()].into(), ..Only::default() };
        status.counts.delivered = 0;
        status
    }

    const UNMATCHED: &str = "no event has type ItemAded; the types are DemoOpened, ItemAdded";

    #[test]
    fn complete_replay_reports_only_quarantined_events() {
        let mut status = replayed(ReplayState::Complete);
        assert_eq!(said(&status), [""; 0]);
        status.counts.quarantined = 1_200;
        assert_eq!(
            said(&status),
            ["warning: log-events quarantined 1,200 events: each is stored under failed/log-events/ of \
                 the bucket, with the reason"],
        );
    }

    #[test]
    fn dry_run_of_acting_handler_names_the_needed_option() {
        let mut status = replayed(ReplayState::Complete);
        status.order.dry_run = true;
        let needs = "log-events has side effects: the replay itself needs --repeat-side-effects";
        assert_eq!(said(&status), [needs]);
        status.order.repeat_side_effects = true;
        assert_eq!(said(&status), [""; 0]);
    }

    #[test]
    fn replay_filter_without_match_is_no_success() {
        let nothing = format!("error: no events were delivered to log-events: {UNMATCHED}");
        assert_eq!(said(&mistyped(ReplayState::Complete)), [nothing]);
        // Some types of the filter exist.
        let mut status = mistyped(ReplayState::Complete);
        status.counts.delivered = 7;
        assert_eq!(said(&status), [format!("warning: {UNMATCHED}")]);
        for state in [ReplayState::Running, ReplayState::Cancelled, ReplayState::Failed] {
            assert!(!said(&mistyped(state)).iter().any(|said| said.contains("ItemAded")), "not all is read");
        }
    }

    #[test]
    fn incomplete_replay_reports_how_to_find_gaps() {
        let gaps = [
            "error: history has gaps, so not all events were delivered to log-events",
            "run `d audit dev` to find missing events and `d audit dev --repair` to republish them, or use \
             `--from table`",
        ];
        assert_eq!(said(&replayed(ReplayState::Incomplete)), gaps);
        let unmatched = format!("warning: {UNMATCHED}");
        assert_eq!(said(&mistyped(ReplayState::Incomplete)), [&*unmatched, gaps[0], gaps[1]]);
        let mut status = replayed(ReplayState::Incomplete);
        status.counts.contradictions = 1;
        assert_eq!(
            said(&status),
            [
                "error: history contradicts itself, so not all events were delivered to log-events",
                "run `d audit dev` to find events with different contents; the first content was delivered",
            ],
        );
    }

    #[test]
    fn cancelled_or_failed_replay_is_no_success() {
        assert_eq!(said(&replayed(ReplayState::Cancelled)), ["error: the replay was cancelled"]);
        let mut status = replayed(ReplayState::Failed);
        status.problem = Some("log-events is out of reach".into());
        assert_eq!(said(&status), ["error: the replay failed", "log-events is out of reach"]);
    }

    #[test]
    fn running_replay_reports_nothing() {
        assert_eq!(said(&replayed(ReplayState::Running)), [""; 0]);
    }
}
