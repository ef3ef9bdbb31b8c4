//! A run and the record: what it says when it begins and ends, and whom it met.

use std::collections::{BTreeMap, BTreeSet};

use crate::apply::{ApplyReport, StepOutcome};
use crate::error::{Class, Error};
use crate::plan::{Action, Plan, STORED_SCHEMA, Verdict};
use crate::release::{Recorded, Release, ReleaseRecord, ReleaseState, SCHEMA, also_reads};
use crate::retry::retried;
use crate::survey::Survey;

/// Whether what is there after a run is what it wanted, where others may have been at work as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Convergence {
    /// Everything is as the run wanted it.
    Converged,
    /// Something is not.
    Diverged,
}

impl Convergence {
    /// Returns what this outcome of a check means.
    pub fn of<T, E>(checked: &Result<T, E>) -> Self {
        if checked.is_ok() { Self::Converged } else { Self::Diverged }
    }
}

/// A run that the record knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    begun: Release,
    number: u64,
}

impl Run {
    /// Returns the entry of a run that carries out this plan for what was seen, not yet written.
    pub fn entry(plan: &Plan, survey: &Survey, release: Option<String>, by: String) -> Release {
        let before = survey.last_release();
        let ids = |wanted: fn(Action) -> bool| {
            let steps = plan.writes().filter(move |step| wanted(step.action));
            steps.map(|step| step.id.to_string())
        };
        // What an earlier run came to make or change is not known yet, either.
        let making = before.iter().flat_map(|before| before.making.iter().cloned());
        let changing = before.iter().flat_map(|before| before.changing.iter().cloned());
        let there = plan.steps.iter().filter(|step| {
            let not_ours = [Verdict::Unknown, Verdict::Foreign];
            let is_data = step.kind == STORED_SCHEMA;
            !is_data
                && step.action != Action::Create
                && !step.verdicts.iter().any(|verdict| not_ours.contains(verdict))
        });
        let changes = plan
            .actions
            .iter()
            .filter(|(action, count)| !matches!(action, Action::Keep | Action::Refuse) && **count > 0);
        // Who removes everything looks at nothing closely.
        let seen: BTreeSet<String> = survey.seen.keys().map(ToString::to_string).collect();
        let unseen = before.into_iter().flat_map(|before| before.identities.clone());
        let unseen = unseen.filter(|(id, _)| !seen.contains(id));
        let deployed: BTreeSet<String> = there.map(|step| step.id.to_string()).collect();
        Release {
            schema: SCHEMA,
            run: format!("{:08x}", fastrand::u32(..)),
            packages: BTreeMap::new(),
            state: ReleaseState::Begun,
            release,
            by,
            changes: changes.map(|(action, count)| (*action, *count)).collect(),
            identities: unseen.chain(identities(&deployed, survey)).collect(),
            deployed,
            making: making.chain(ids(|action| action == Action::Create)).collect(),
            changing: changing
                .chain(ids(|action| matches!(action, Action::Update | Action::Recreate)))
                .collect(),
            reads: plan.reads.clone(),
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
        let number = before.map_or(1, |before| before.number + 1);
        match entered(cloud, &release, number).await? {
            Entered::Ours => {}
            Entered::Taken(other) => return Err(faster(&other.by)),
            Entered::NoRecord => return Err(faster(WHO_RAN_DOWN)),
        }
        if let Some(before) = before {
            // Where a `down` deleted the record, others may have begun a new one, and just come to this number.
            let entries = retried(async || cloud.releases(before.number).await).await?;
            if entries.first().is_none_or(|first| first.release != before.release) {
                retried(async || cloud.withdraw(number).await).await?;
                return Err(faster(WHO_RAN_DOWN));
            }
        }
        Ok(Self { begun: release, number })
    }

    /// Returns the number of the entry with which it began.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Returns the last entry of another run that was at work since this one began.
    ///
    /// # Errors
    /// The record cannot be read.
    pub async fn met<C: ReleaseRecord>(&self, cloud: &C) -> Result<Option<Release>, Error> {
        let entries = retried(async || cloud.releases(self.number).await).await?;
        Ok(self.others(&entries))
    }

    /// Writes how the run ended, and what was seen last of what it changed. Returns the last entry of another run that was at work since this one began: who was `met`, or
    /// who came since.
    ///
    /// # Errors
    /// The record cannot be written.
    pub async fn end<C: ReleaseRecord>(
        &self,
        cloud: &C,
        report: &ApplyReport,
        survey: &Survey,
        convergence: Convergence,
        met: Option<Release>,
    ) -> Result<Option<Release>, Error> {
        let ended = self.ended(report, survey, convergence);
        // Who has met nobody finds the next number free, unless somebody came this very moment.
        if met.is_none()
            && let Entered::Ours = entered(cloud, &ended, self.number + 1).await?
        {
            return Ok(None);
        }
        loop {
            let entries = retried(async || cloud.releases(self.number).await).await?;
            let other = self.others(&entries);
            let Some(last) = entries.last().filter(|_| self.is_in(&entries)) else {
                // What there is now, others have made since a `down` deleted the record.
                return Ok(other);
            };
            let ended = beside(&ended, &entries);
            let number = match entered(cloud, &ended, last.number + 1).await? {
                Entered::Ours => last.number + 1,
                // Somebody else has written meanwhile, or deleted the record.
                Entered::Taken(_) | Entered::NoRecord => continue,
            };
            let open = |other: &&Release| matches!(other.state, ReleaseState::Begun | ReleaseState::Removing);
            if let Some(open) = other.as_ref().filter(open) {
                // They are at work: what they set out to make is still to be told from a stranger's. Where
                // they have written meanwhile, they have said so themselves.
                entered(cloud, open, number + 1).await?;
            }
            return Ok(other);
        }
    }

    fn ended(&self, report: &ApplyReport, survey: &Survey, convergence: Convergence) -> Release {
        let done = report.succeeded() && convergence == Convergence::Converged;
        let state = if done { ReleaseState::Done } else { ReleaseState::Failed };
        let mut ended = Release { state, ..self.begun.clone() };
        for outcome in report.outcomes.iter().filter(|outcome| outcome.result.is_ok()) {
            match outcome.action {
                Action::Delete => ended.deployed.remove(&outcome.id.to_string()),
                _ => ended.deployed.insert(outcome.id.to_string()),
            };
        }
        ended.identities = identities(&ended.deployed, survey);
        if report.succeeded() {
            (ended.making, ended.changing) = Default::default();
        }
        // What was not there when this run looked, no earlier one has made; of anything else, one may have.
        let unmade = |outcome: &StepOutcome| outcome.action == Action::Create && !outcome.sent;
        ended.making.retain(|id| uncertain(report, id, unmade));
        ended.changing.retain(|id| uncertain(report, id, |outcome| !outcome.sent));
        ended
    }

    /// Tells whether this run's first entry is the first of these.
    fn is_in(&self, entries: &[Recorded]) -> bool {
        entries.first().is_some_and(|first| first.release.run == self.begun.run)
    }

    /// Returns the last of these entries of another run; where ours is gone, a `down` was at work.
    fn others(&self, entries: &[Recorded]) -> Option<Release> {
        let mut others = entries.iter().map(|entry| &entry.release);
        match others.rfind(|release| release.run != self.begun.run) {
            None if !self.is_in(entries) => {
                let by = WHO_RAN_DOWN.into();
                Some(Release { state: ReleaseState::Removing, by, ..self.begun.clone() })
            }
            other => other.cloned(),
        }
    }

    /// Tells whether the last entry of the record is of this run.
    pub fn is_last(&self, last: Option<&Recorded>) -> bool {
        last.is_none_or(|last| last.release.run == self.begun.run)
    }
}

/// Returns the last entry of a run beside which others have written: what their code can write may be stored.
fn beside(ended: &Release, entries: &[Recorded]) -> Release {
    let mut ended = ended.clone();
    also_reads(&mut ended.reads, entries.iter().flat_map(|entry| &entry.release.reads));
    ended
}

/// Returns what tells each of these things from another of its name, as far as it was seen.
fn identities(ids: &BTreeSet<String>, survey: &Survey) -> BTreeMap<String, String> {
    let seen = survey.seen.iter().filter_map(|(id, seen)| {
        let identity = seen.as_ref().ok()?.as_ref()?.identity.clone()?;
        Some((id.to_string(), identity))
    });
    seen.filter(|(id, _)| ids.contains(id)).collect()
}

/// Tells whether a run that has ended does not know what became of this one, unless it was left `untouched`.
fn uncertain(report: &ApplyReport, id: &str, untouched: impl Fn(&StepOutcome) -> bool) -> bool {
    let outcome = report.outcomes.iter().find(|outcome| outcome.id.to_string() == id);
    // What is not in the report is an earlier run's, and nobody has looked after it.
    outcome.is_none_or(|outcome| outcome.result.is_err() && !untouched(outcome))
}

/// What became of an entry.
enum Entered {
    /// It is there.
    Ours,
    /// Its number is taken, by this one.
    Taken(Box<Release>),
    /// There is no record any more.
    NoRecord,
}

/// Who is unknown because the record went with what they did.
const WHO_RAN_DOWN: &str = "somebody who ran `down`";

fn faster(by: &str) -> Error {
    let message = format!("another run, by {by}, began since this one looked");
    Error::new(Class::Exists, "release record", message)
        .hint("wait until it has ended, then run the command again: it looks anew")
}

/// Adds an entry under this number.
async fn entered<C: ReleaseRecord>(cloud: &C, release: &Release, number: u64) -> Result<Entered, Error> {
    match retried(async || cloud.record(release, number).await).await {
        Ok(()) => return Ok(Entered::Ours),
        Err(error) if error.class == Class::Gone => return Ok(Entered::NoRecord),
        Err(error) if error.class == Class::Exists => {}
        Err(error) => return Err(error),
    }
    let there = retried(async || cloud.releases(number).await).await?;
    match there.into_iter().find(|entry| entry.number == number) {
        // An answer that got lost made our own entry look like somebody else's.
        Some(entry) if entry.release == *release => Ok(Entered::Ours),
        Some(entry) => Ok(Entered::Taken(Box::new(entry.release))),
        // It was taken, and is gone.
        None => Ok(Entered::NoRecord),
    }
}
