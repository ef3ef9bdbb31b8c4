//! A run and the record: what it says when it begins and ends, and whom it met.

use crate::apply::{Outcome, Report};
use crate::error::{Class, Error};
use crate::plan::{Action, Plan, Verdict};
use crate::release::{Recorded, Release, ReleaseRecord, SCHEMA, State, withdrawn};
use crate::retry::retried;

/// A run that the record knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    begun: Release,
    number: u64,
}

impl Run {
    /// Returns the entry of a run that carries out this plan, not yet written.
    pub fn entry(plan: &Plan, before: Option<&Release>, release: Option<String>, by: String) -> Release {
        let ids = |wanted: fn(Action) -> bool| {
            let steps = plan.writes().filter(move |step| wanted(step.action));
            steps.map(|step| step.id.to_string())
        };
        // What an earlier run came to make or change is not known yet, either.
        let making = before.iter().flat_map(|before| before.making.iter().cloned());
        let changing = before.iter().flat_map(|before| before.changing.iter().cloned());
        let there = plan.steps.iter().filter(|step| {
            let not_ours = [Verdict::Unknown, Verdict::Foreign];
            step.action != Action::Create && !step.verdicts.iter().any(|verdict| not_ours.contains(verdict))
        });
        let changes = plan
            .actions
            .iter()
            .filter(|(action, count)| !matches!(action, Action::Keep | Action::Refuse) && **count > 0);
        Release {
            schema: SCHEMA,
            run: format!("{:08x}", fastrand::u32(..)),
            state: State::Begun,
            release,
            by,
            changes: changes.map(|(action, count)| (*action, *count)).collect(),
            deployed: there.map(|step| step.id.to_string()).collect(),
            making: making.chain(ids(|action| action == Action::Create)).collect(),
            changing: changing
                .chain(ids(|action| matches!(action, Action::Update | Action::Recreate)))
                .collect(),
        }
    }

    /// Writes that a run begins, unless another one has begun since `before` was read.
    ///
    /// # Errors
    /// Another run was faster ([`Class::Exists`]), or the record cannot be written.
    pub async fn begin<C: ReleaseRecord>(
        cloud: &C,
        before: Option<&Recorded>,
        release: Release,
    ) -> Result<Self, Error> {
        let last = before.map_or(0, |before| before.number);
        let number = entered(cloud, &release, last == 0).await?;
        let other = match number {
            Some(number) if number == last + 1 => return Ok(Self { begun: release, number }),
            Some(number) if number <= last => {
                // The record was deleted meanwhile: what we wrote is all there is of it.
                retried(async || cloud.forget_releases().await).await?;
                None
            }
            _ => {
                let entries = complete(cloud, &release, last, number).await?;
                match others(&entries, &release.run, last) {
                    // An answer that got lost made our own entry look like somebody else's.
                    None => {
                        let number = entries.last().map_or(last + 1, |entry| entry.number);
                        return Ok(Self { begun: release, number });
                    }
                    Some(other) => {
                        // What they said counts, and not that we wanted to begin.
                        if entries.iter().any(|entry| entry.release.run == release.run) {
                            retried(async || cloud.record(&other, false).await).await?;
                        }
                        Some(other)
                    }
                }
            }
        };
        let by = other.map_or("somebody who ran `down`".to_owned(), |other| other.by);
        Err(Error::new(
            Class::Exists,
            "release record",
            format!("another run, by {by}, began since this one looked"),
        )
        .hint("wait until it has ended, then run the command again: it looks anew"))
    }

    /// Returns the last entry of another run that was at work since this one began, and is not
    /// known to have stopped before its first write.
    ///
    /// # Errors
    /// The record cannot be read.
    pub async fn met<C: ReleaseRecord>(&self, cloud: &C) -> Result<Option<Release>, Error> {
        let entries = complete(cloud, &self.begun, self.number - 1, None).await?;
        let ours = entries.iter().find(|entry| entry.number == self.number);
        if ours.is_some_and(|entry| entry.release.run == self.begun.run) {
            return Ok(others(&entries, &self.begun.run, self.number));
        }
        // A `down` deleted the record, and by chance somebody has as many entries since.
        Ok(Some(others(&entries, &self.begun.run, 0).unwrap_or_else(|| removed(&self.begun))))
    }

    /// Writes how the run ended: `well` when everything is as it wanted it. Returns the last
    /// entry of another run that [`Run::met`] could not see yet.
    ///
    /// # Errors
    /// The record cannot be written.
    pub async fn end<C: ReleaseRecord>(
        &self,
        cloud: &C,
        report: &Report,
        well: bool,
    ) -> Result<Option<Release>, Error> {
        let state = if report.succeeded() && well { State::Done } else { State::Failed };
        let mut ended = Release { state, ..self.begun.clone() };
        for outcome in report.outcomes.iter().filter(|outcome| outcome.result.is_ok()) {
            match outcome.action {
                Action::Delete => ended.deployed.remove(&outcome.id.to_string()),
                _ => ended.deployed.insert(outcome.id.to_string()),
            };
        }
        if report.succeeded() {
            (ended.making, ended.changing) = Default::default();
        }
        // What was not there when this run looked, no earlier one has made; of anything else, one may have.
        let unmade = |outcome: &Outcome| outcome.action == Action::Create && !outcome.sent;
        ended.making.retain(|id| uncertain(report, id, unmade));
        ended.changing.retain(|id| uncertain(report, id, |outcome| !outcome.sent));
        let number = entered(cloud, &ended, false).await?.unwrap_or_default();
        if number == self.number + 1 {
            return Ok(None);
        }
        if number <= self.number {
            // A `down` deleted the record: what there is now, no record says.
            retried(async || cloud.forget_releases().await).await?;
            return Ok(Some(removed(&ended)));
        }
        let entries = complete(cloud, &ended, self.number, Some(number)).await?;
        let other = others(&entries, &ended.run, self.number);
        if let Some(open) =
            other.as_ref().filter(|other| matches!(other.state, State::Begun | State::Removing))
        {
            // They are at work: what they set out to make is still to be told from a stranger's.
            retried(async || cloud.record(open, false).await).await?;
        }
        Ok(other)
    }

    /// Tells whether the last entry of the record is of this run.
    pub fn is_last(&self, last: Option<&Recorded>) -> bool {
        last.is_none_or(|last| last.release.run == self.begun.run)
    }
}

/// Tells whether a run that has ended does not know what became of this one, unless it was left `untouched`.
fn uncertain(report: &Report, id: &str, untouched: impl Fn(&Outcome) -> bool) -> bool {
    let outcome = report.outcomes.iter().find(|outcome| outcome.id.to_string() == id);
    // What is not in the report is an earlier run's, and nobody has looked after it.
    outcome.is_none_or(|outcome| outcome.result.is_err() && !untouched(outcome))
}

/// Adds an entry and returns its number; nothing when there was to be none before it and is.
async fn entered<C: ReleaseRecord>(cloud: &C, release: &Release, first: bool) -> Result<Option<u64>, Error> {
    retried(async || match cloud.record(release, first).await {
        Ok(number) => Ok(Some(number)),
        Err(error) if error.class == Class::Exists => match cloud.releases().await?.as_slice() {
            // The name of a deleted record may be held for a while: in SSM half a minute ("DeleteParameter").
            [] => Err(Error { class: Class::InProgress, ..error }),
            _ => Ok(None),
        },
        Err(error) => Err(error),
    })
    .await
}

/// Reads the record until it shows every entry from the one behind `last` to our own.
async fn complete<C: ReleaseRecord>(
    cloud: &C,
    ours: &Release,
    last: u64,
    number: Option<u64>,
) -> Result<Vec<Recorded>, Error> {
    retried(async || {
        let entries = cloud.releases().await?;
        let shown = |number: u64| entries.iter().any(|entry| entry.number == number);
        let all = number.is_none_or(|number| (last + 1..=number).all(shown));
        if all {
            return Ok(entries);
        }
        let message = format!("the history does not show all entries up to that of run {} yet", ours.run);
        Err(Error::new(Class::Propagating, "release record", message))
    })
    .await
}

/// Returns the last entry behind `last` of another run that came to write.
fn others(entries: &[Recorded], run: &str, last: u64) -> Option<Release> {
    let withdrawn = withdrawn(entries);
    let since = entries.iter().filter(|entry| entry.number > last && !withdrawn.contains(&entry.number));
    since.rev().find(|entry| entry.release.run != run).map(|entry| entry.release.clone())
}

/// Returns what stands for the entries of a run that deleted the record.
fn removed(release: &Release) -> Release {
    Release { state: State::Removing, by: "somebody who ran `down`".into(), ..release.clone() }
}
