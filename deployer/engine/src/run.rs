//! A run and its entries in the release record, and concurrent runs that it finds there.

use std::collections::{BTreeMap, BTreeSet};

use crate::apply::{ApplyReport, StepOutcome};
use crate::error::{Class, Error};
use crate::plan::{Action, Plan, STORED_SCHEMA, Verdict};
use crate::release::{Recorded, Release, ReleaseRecord, ReleaseState, SCHEMA, also_reads};
use crate::retry::retried;
use crate::survey::Survey;

/// Whether the resources are as desired after a run, where other runs may have changed them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Convergence {
    /// All resources are as desired.
    Converged,
    /// At least one resource is not.
    Diverged,
}

impl Convergence {
    /// Returns the convergence that the result of a check means.
    pub fn of<T, E>(checked: &Result<T, E>) -> Self {
        if checked.is_ok() { Self::Converged } else { Self::Diverged }
    }
}

/// A run with an entry in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    begun: Release,
    number: u64,
}

impl Run {
    /// Returns the first entry of a run of this plan, not yet written.
    pub fn entry(plan: &Plan, survey: &Survey, release: Option<String>, by: String) -> Release {
        let before = survey.last_release();
        let ids = |wanted: fn(Action) -> bool| {
            let steps = plan.writes().filter(move |step| wanted(step.action));
            steps.map(|step| step.id.to_string())
        };
        // An earlier run's lists are kept: it is still unknown whether it created or changed those resources.
        let making = before.iter().flat_map(|before| before.making.iter().cloned());
        let changing = before.iter().flat_map(|before| before.changing.iter().cloned());
        let there = plan.steps.iter().filter(|step| {
            let not_ours = [Verdict::Unknown, Verdict::Unmanaged];
            let is_data = step.kind == STORED_SCHEMA;
            !is_data
                && step.action != Action::Create
                && !step.verdicts.iter().any(|verdict| not_ours.contains(verdict))
        });
        let changes = plan
            .actions
            .iter()
            .filter(|(action, count)| !matches!(action, Action::Keep | Action::Refuse) && **count > 0);
        // `down` reads no states, so the recorded identities of unread resources are kept.
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

    /// Records the start of a run, unless another run has started since `before` was read.
    ///
    /// # Errors
    /// Fails if another run was faster ([`Class::Exists`]) or the record cannot be written.
    pub async fn begin<C: ReleaseRecord>(
        cloud: &C,
        before: Option<&Recorded>,
        release: Release,
    ) -> Result<Self, Error> {
        let number = before.map_or(1, |before| before.number + 1);
        match entered(cloud, &release, number).await? {
            Entered::Ours => {}
            Entered::Taken(other) => return Err(faster(&other.by)),
            Entered::NoRecord => return Err(faster(UNKNOWN_CALLER_OF_DOWN)),
        }
        if let Some(before) = before {
            // After a `down` deleted the record, other runs may have started a new one and reached this
            // number.
            let entries = retried(async || cloud.releases(before.number).await).await?;
            if entries.first().is_none_or(|first| first.release != before.release) {
                retried(async || cloud.withdraw(number).await).await?;
                return Err(faster(UNKNOWN_CALLER_OF_DOWN));
            }
        }
        Ok(Self { begun: release, number })
    }

    /// Returns the number of the run's first entry.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Returns the last entry of another run since this one started.
    ///
    /// # Errors
    /// Fails if the record cannot be read.
    pub async fn met<C: ReleaseRecord>(&self, cloud: &C) -> Result<Option<Release>, Error> {
        let entries = retried(async || cloud.releases(self.number).await).await?;
        Ok(self.others(&entries))
    }

    /// Records the end of the run, with the last known state of the changed resources. Returns the last entry
    /// of another run since this one started: `met`, or a later one.
    ///
    /// # Errors
    /// Fails if the record cannot be written.
    pub async fn end<C: ReleaseRecord>(
        &self,
        cloud: &C,
        report: &ApplyReport,
        survey: &Survey,
        convergence: Convergence,
        met: Option<Release>,
    ) -> Result<Option<Release>, Error> {
        let ended = self.ended(report, survey, convergence);
        // A run that met no other run finds the next number free, unless another run has just taken it.
        if met.is_none()
            && let Entered::Ours = entered(cloud, &ended, self.number + 1).await?
        {
            return Ok(None);
        }
        loop {
            let entries = retried(async || cloud.releases(self.number).await).await?;
            let other = self.others(&entries);
            let Some(last) = entries.last().filter(|_| self.is_in(&entries)) else {
                // This run's first entry is missing: a `down` deleted the record, and all entries that exist
                // now are of other runs.
                return Ok(other);
            };
            let ended = beside(&ended, &entries);
            let number = match entered(cloud, &ended, last.number + 1).await? {
                Entered::Ours => last.number + 1,
                // Another run has added an entry or deleted the record.
                Entered::Taken(_) | Entered::NoRecord => continue,
            };
            let open = |other: &&Release| matches!(other.state, ReleaseState::Begun | ReleaseState::Removing);
            if let Some(open) = other.as_ref().filter(open) {
                repeat(cloud, open, number + 1).await?;
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
        // A resource to create did not exist when this run read it. If this run sent no call for it, it still
        // does not exist, and no earlier run created it. An earlier run may have created any other resource.
        let unmade = |outcome: &StepOutcome| outcome.action == Action::Create && !outcome.sent;
        ended.making.retain(|id| uncertain(report, id, unmade));
        ended.changing.retain(|id| uncertain(report, id, |outcome| !outcome.sent));
        ended
    }

    /// Returns whether the first of these entries is this run's first entry.
    fn is_in(&self, entries: &[Recorded]) -> bool {
        entries.first().is_some_and(|first| first.release.run == self.begun.run)
    }

    /// Returns the last entry of another run. If there is none and this run's entry is missing, returns an
    /// entry for the `down` that deleted the record.
    fn others(&self, entries: &[Recorded]) -> Option<Release> {
        let mut others = entries.iter().map(|entry| &entry.release);
        match others.rfind(|release| release.run != self.begun.run) {
            None if !self.is_in(entries) => {
                let by = UNKNOWN_CALLER_OF_DOWN.into();
                Some(Release { state: ReleaseState::Removing, by, ..self.begun.clone() })
            }
            other => other.cloned(),
        }
    }

    /// Returns whether the last entry of the record is of this run.
    pub fn is_last(&self, last: Option<&Recorded>) -> bool {
        last.is_none_or(|last| last.release.run == self.begun.run)
    }
}

/// Returns the last entry of a run that overlapped with other runs, with the schema versions that their code
/// may have stored.
fn beside(ended: &Release, entries: &[Recorded]) -> Release {
    let mut ended = ended.clone();
    also_reads(&mut ended.reads, entries.iter().flat_map(|entry| &entry.release.reads));
    ended
}

/// Returns the identities of these resources, as far as they were read.
fn identities(ids: &BTreeSet<String>, survey: &Survey) -> BTreeMap<String, String> {
    let seen = survey.seen.iter().filter_map(|(id, seen)| {
        let identity = seen.as_ref().ok()?.as_ref()?.identity.clone()?;
        Some((id.to_string(), identity))
    });
    seen.filter(|(id, _)| ids.contains(id)).collect()
}

/// Returns whether the state of this resource is unknown after the run: its step failed and was not
/// `untouched`, or this run had no step for it.
fn uncertain(report: &ApplyReport, id: &str, untouched: impl Fn(&StepOutcome) -> bool) -> bool {
    let outcome = report.outcomes.iter().find(|outcome| outcome.id.to_string() == id);
    // A resource without an outcome is from an earlier run, and this run did not check it.
    outcome.is_none_or(|outcome| outcome.result.is_err() && !untouched(outcome))
}

/// Repeats the entry of a run that has not recorded its end, at the end of the record: a plan uses only the
/// last entry, and needs the list of resources that the open run creates. Does nothing if that run has written
/// another entry meanwhile.
async fn repeat<C: ReleaseRecord>(cloud: &C, open: &Release, mut number: u64) -> Result<(), Error> {
    // A third run that has just started does not know the open run, so the entry comes after that of the third.
    while let Entered::Taken(other) = entered(cloud, open, number).await? {
        if other.run == open.run {
            break;
        }
        number += 1;
    }
    Ok(())
}

/// The result of adding an entry.
enum Entered {
    /// The entry was added.
    Ours,
    /// The number is taken by this entry.
    Taken(Box<Release>),
    /// The record does not exist any more.
    NoRecord,
}

/// The caller in messages about a `down` whose entries were deleted with the record.
const UNKNOWN_CALLER_OF_DOWN: &str = "an unknown caller of `down`";

fn faster(by: &str) -> Error {
    let message =
        format!("another run, by {by}, started after this run read the environment, so nothing was changed");
    Error::new(Class::Exists, "release record", message)
        .hint("wait until it has ended, then run the command again")
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
        // If the answer to the write was lost, the number is taken by this run's own entry.
        Some(entry) if entry.release == *release => Ok(Entered::Ours),
        Some(entry) => Ok(Entered::Taken(Box::new(entry.release))),
        // The entry that took the number was removed.
        None => Ok(Entered::NoRecord),
    }
}
