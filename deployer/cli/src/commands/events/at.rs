//! A point in an aggregate's history, a version or a time, and the commits up to it. Pure.

use std::str::FromStr;

use eventsourcing::Commit;
use jiff::Timestamp;

use crate::commands::time::time;

/// The end of the history to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// Up to and including this version.
    Version(u64),
    /// Up to and including this time.
    Time(Timestamp),
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(version) = text.parse() {
            return Ok(Self::Version(version));
        }
        time(text).map(Self::Time).map_err(|error| format!("not a version, such as 3, or a time: {error}"))
    }
}

impl At {
    /// Returns the commits up to this point; a commit that contains it is cut after the event at this point.
    ///
    /// Events are ordered by version. Clocks may disagree with that order: an event after one that is too
    /// late is too late as well.
    ///
    /// # Errors
    /// Fails if the aggregate had no event at that time, or does not have that version.
    pub(super) fn cut(self, commits: Vec<Commit>) -> Result<Vec<Commit>, String> {
        let (Some(first), Some(last)) = (commits.first(), commits.last()) else {
            return Err("it has no events".to_owned());
        };
        match self {
            Self::Version(version) => {
                let (from, to) = (first.version, last.next_version() - 1);
                if !(from..=to).contains(&version) {
                    return Err(format!("version {version} does not exist; it has versions {from} to {to}"));
                }
                Ok(commits.into_iter().filter_map(|commit| up_to(version, commit)).collect())
            }
            Self::Time(time) => {
                let began = first.context.occurred_at;
                let cut: Vec<Commit> = commits
                    .into_iter()
                    .take_while(|commit| commit.context.occurred_at.timestamp() <= time)
                    .collect();
                if cut.is_empty() {
                    Err(format!("it did not exist yet at {time}; its first event is from {began}"))
                } else {
                    Ok(cut)
                }
            }
        }
    }
}

fn up_to(version: u64, mut commit: Commit) -> Option<Commit> {
    let events = (version + 1).checked_sub(commit.version).filter(|events| *events > 0)?;
    commit.events.truncate(usize::try_from(events).unwrap_or(usize::MAX));
    Some(commit)
}

#[cfg(test)]
mod tests {
    use eventsourcing::probe::{Probe, ProbeEvent};
    use eventsourcing::{AggregateId, Context, OccurredAt};

    use super::*;

    /// Returns commits with these numbers of events, one second apart, except the third: its clock was a
    /// minute slow.
    fn commits(sizes: &[usize]) -> Vec<Commit> {
        let id = AggregateId::of::<Probe>(Default::default());
        let mut behind = 0;
        let commit = |(number, size): (i64, &usize)| {
            let second = 1_795_262_400 + if number == 3 { number - 60 } else { number };
            let at = OccurredAt::new(Timestamp::from_second(second).expect("it is a time"));
            let events = vec![ProbeEvent::Probed {}; *size];
            let context = Context::new(Default::default(), at);
            let commit = Commit::of(id.clone(), behind, &events, context, Default::default);
            behind += *size as u64;
            commit.expect("the events can be stored")
        };
        (1..).zip(sizes).map(commit).collect()
    }

    fn cut(at: &str, sizes: &[usize]) -> Result<u64, String> {
        let cut = at.parse::<At>()?.cut(commits(sizes))?;
        Ok(cut.last().map_or(0, |last| last.next_version() - 1))
    }

    #[test]
    fn version_cuts_history_even_inside_a_commit() {
        for version in 1..=6 {
            assert_eq!(cut(&version.to_string(), &[1, 3, 2]), Ok(version));
        }
        for version in ["0", "7"] {
            let error = cut(version, &[1, 3, 2]).expect_err("there is no such version");
            assert_eq!(error, format!("version {version} does not exist; it has versions 1 to 6"));
        }
    }

    #[test]
    fn time_cuts_history_at_the_last_commit_by_then() {
        assert_eq!(cut("2026-11-21T12:00:01Z", &[1, 3, 2, 1]), Ok(1));
        assert_eq!(cut("2026-11-21T13:00:02.5+01:00", &[1, 3, 2, 1]), Ok(6), "a slow clock is no gap");
        assert_eq!(cut("2026-11-21T12:00:04Z", &[1, 3, 2, 1]), Ok(7));
        assert_eq!(cut("2026-11-21 12:00:02.000000Z", &[1, 3]), Ok(4), "the format of the time line");
        assert_eq!(cut("2026-11-22", &[1, 3]), Ok(4), "a format that replay accepts");
        let error = cut("2026-11-21T12:00:00Z", &[1]).expect_err("the first event is later");
        assert_eq!(
            error,
            "it did not exist yet at 2026-11-21T12:00:00Z; its first event is from \
             2026-11-21T12:00:01.000000Z"
        );
    }

    #[test]
    fn text_neither_version_nor_time_is_refused() {
        for wrong in ["", "v3", "-1", "yesterday", "2026-13-01", "2026-11-21T12:00:00"] {
            assert!(wrong.parse::<At>().is_err_and(|error| error.starts_with("not a version")), "{wrong}");
        }
    }
}
