//! How a replay ended: whether that is a success, and what is to be done about what is not as it
//! should be. Pure.

use eventsourcing::replay::{Does, Order, ReplayState, ReplayStatus};

use crate::exit::Problem;
use crate::render::{count, replay_unmatched};

/// What is said at the end of a replay, besides how it stands.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// What else there is to know.
    pub(super) said: Option<String>,
    /// What is not as it should be, and no failure.
    pub(super) warnings: Vec<String>,
    /// Why it is no success.
    pub(super) problem: Option<Problem>,
}

/// Returns what is said of a replay that ended like this.
pub(super) fn ended(status: &ReplayStatus, program: &str, environment: &str) -> Ended {
    let handler = &status.order.handler;
    let Order { dry_run, even_if_it_acts, .. } = status.order;
    let acts = dry_run && !even_if_it_acts && status.does == Some(Does::Acts);
    let said =
        acts.then(|| format!("{handler} acts on the outside: the replay itself needs --even-if-it-acts"));
    let all_is_read = matches!(status.state, ReplayState::Complete | ReplayState::Incomplete);
    let unmatched = replay_unmatched(status).filter(|_| all_is_read);
    // A mistyped name must not look like success to a script.
    if let Some(unmatched) = &unmatched
        && status.state == ReplayState::Complete
        && status.counts.delivered == 0
    {
        let problem = Problem::new(format!("nothing went to {handler}: {unmatched}"));
        return Ended { said, problem: Some(problem), ..Ended::default() };
    }
    let kept_aside = (status.state == ReplayState::Complete && status.counts.kept_aside > 0).then(|| {
        format!(
            "{handler} kept {} aside: each is under failed/{handler}/ of the bucket, with the reason",
            count(status.counts.kept_aside, "event"),
        )
    });
    let warnings = unmatched.into_iter().chain(kept_aside).collect();
    Ended { said, warnings, problem: problem(status, &format!("{program} audit {environment}")) }
}

/// Returns why a replay is no success; `audit` is the command that tells what history lacks.
fn problem(status: &ReplayStatus, audit: &str) -> Option<Problem> {
    let handler = &status.order.handler;
    Some(match status.state {
        ReplayState::Complete | ReplayState::Running => return None,
        ReplayState::Incomplete if status.counts.contradictions > 0 => Problem::new(format!(
            "history contradicts itself, so not everything went to {handler}"
        ))
        .hint(format!(
            "`{audit}` tells which events have more than one content; the one that came first went"
        )),
        ReplayState::Incomplete => Problem::new(format!(
            "history has gaps, so not everything went to {handler}"
        ))
        .hint(format!(
            "`{audit}` tells what is missing, `{audit} --repair` publishes it again; or try `--from table`"
        )),
        ReplayState::Cancelled => Problem::new("the replay was cancelled"),
        ReplayState::Failed => Problem::new("the replay could not go on").details(status.trouble.clone()),
    })
}

#[cfg(test)]
mod tests {
    use eventsourcing::replay::Only;

    use super::*;
    use crate::render::replayed;

    /// Returns all that is said of a replay, a line each.
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

    /// Returns a replay of this state that wanted what there is not.
    fn mistyped(state: ReplayState) -> ReplayStatus {
        let mut status = replayed(state);
        status.order.only = Only { types: ["ItemAded".to_owned()].into(), ..Only::default() };
        status.counts.delivered = 0;
        status
    }

    const UNMATCHED: &str = "there is no event of type ItemAded; there are DemoOpened, ItemAdded";

    #[test]
    fn complete_replay_reports_only_quarantined_events() {
        let mut status = replayed(ReplayState::Complete);
        assert_eq!(said(&status), [""; 0]);
        status.counts.kept_aside = 1_200;
        assert_eq!(
            said(&status),
            [
                "warning: log-events kept 1,200 events aside: each is under failed/log-events/ of the bucket, with \
                 the reason"
            ],
        );
    }

    #[test]
    fn dry_run_of_acting_handler_names_the_needed_option() {
        let mut status = replayed(ReplayState::Complete);
        status.order.dry_run = true;
        let needs = "log-events acts on the outside: the replay itself needs --even-if-it-acts";
        assert_eq!(said(&status), [needs]);
        status.order.even_if_it_acts = true;
        assert_eq!(said(&status), [""; 0]);
    }

    #[test]
    fn replay_filter_without_match_is_no_success() {
        let nothing = format!("error: nothing went to log-events: {UNMATCHED}");
        assert_eq!(said(&mistyped(ReplayState::Complete)), [nothing]);
        // The other types that were asked for are there.
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
            "error: history has gaps, so not everything went to log-events",
            "`d audit dev` tells what is missing, `d audit dev --repair` publishes it again; or try `--from table`",
        ];
        assert_eq!(said(&replayed(ReplayState::Incomplete)), gaps);
        let unmatched = format!("warning: {UNMATCHED}");
        assert_eq!(said(&mistyped(ReplayState::Incomplete)), [&*unmatched, gaps[0], gaps[1]]);
        let mut status = replayed(ReplayState::Incomplete);
        status.counts.contradictions = 1;
        assert_eq!(
            said(&status),
            [
                "error: history contradicts itself, so not everything went to log-events",
                "`d audit dev` tells which events have more than one content; the one that came first went",
            ],
        );
    }

    #[test]
    fn cancelled_or_failed_replay_is_no_success() {
        assert_eq!(said(&replayed(ReplayState::Cancelled)), ["error: the replay was cancelled"]);
        let mut status = replayed(ReplayState::Failed);
        status.trouble = Some("log-events is out of reach".into());
        assert_eq!(said(&status), ["error: the replay could not go on", "log-events is out of reach"]);
    }

    #[test]
    fn running_replay_reports_nothing() {
        assert_eq!(said(&replayed(ReplayState::Running)), [""; 0]);
    }
}
