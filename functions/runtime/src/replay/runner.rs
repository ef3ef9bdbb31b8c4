//! Runs a replay: reads events, delivers those that are ready, and saves, until everything is delivered or
//! time is over.

use std::time::Duration;

use eventsourcing::Surroundings;
use eventsourcing::replay::{ControlAnswer, Order, Reason, ReplayState, Runner, Which};
use storage::{
    bucket::{Bucket, Expected},
    fault::chain,
    scan::Scan,
};
use tokio::time::{Instant, sleep_until};

use super::{
    Replay,
    ledger::Ledger,
    pace::Pace,
    progress::{Progress, ReadingPosition},
    reader::{Read, Reader},
};
use crate::{fault::Fault, invoke::Invoke};

/// The most events that are read before they are delivered.
const ROUND: u64 = 2_000;
/// The most bytes of events that are read before they are delivered: an event may have 1 MB, and the function
/// has 1,024 MB.
const ROUND_BYTES: u64 = 64_000_000;
/// How often the progress is saved, even while batches are in flight. A client that follows a replay takes it
/// for dead if nothing was saved for many times as long.
const SAVED_EVERY: Duration = Duration::from_secs(2);
/// The shortest time between two saves, as a multiple of the duration of a save: the progress of many
/// aggregates is large.
const WORK_FOR_A_SAVE: u32 = 5;
/// When a runner stops: it needs time for the batches in flight, and to save.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// From then on, no more events are read or delivered.
    pub(super) stop: Instant,
    /// From then on, batches in flight are not awaited: they will be delivered again.
    pub(super) leave: Instant,
}

/// The outcome of a part of the work.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RunOutcome {
    /// It succeeded.
    Done,
    /// Time is over: another runner has to continue.
    OutOfTime,
    /// Another writer changed the progress: a runner took over, or the replay was cancelled.
    TakenOver,
    /// It cannot continue for now.
    Failed(String),
}

/// A replay that this runner has taken over.
pub(super) struct Hold<'a, B> {
    ledger: Ledger<'a, B>,
    pub(super) progress: Progress,
    expected: Expected,
    /// When the progress is saved next.
    pub(super) due: Instant,
    /// From when on the end of the archive can be read. It uses this monotonic clock, because the system
    /// clock may be wrong, and differently for each runner.
    settles: Instant,
}

impl<B: Bucket, T: Scan, I: Invoke, S: Surroundings> Replay<B, T, I, S> {
    /// Runs a replay until it ends or time is over. In the second case, another runner is requested.
    pub(super) async fn run(&self, runner: &Runner, deadline: Instant) -> Result<ControlAnswer, Fault> {
        let Some(mut hold) = self.take_over(runner).await? else {
            return self.status(&Which { handler: runner.handler.clone(), dry_run: runner.dry_run }).await;
        };
        let times = Times::until(deadline);
        let pace = Pace::of(hold.progress.order.rate);
        let mut reader = Reader::new(&self.bucket, &self.table);
        let outcome = loop {
            match self.round(&mut hold, &mut reader, &pace, times).await? {
                RunOutcome::Done if hold.progress.state == ReplayState::Running => {}
                outcome => break outcome,
            }
        };
        if outcome == RunOutcome::TakenOver {
            tracing::warn!("another writer changed the progress; this runner stops");
            return Ok(ControlAnswer::refused(Reason::NoReplay, "the replay was taken over or cancelled"));
        }
        if let RunOutcome::Failed(problem) = outcome {
            // The invocation fails: that raises the alarm, and Lambda repeats it.
            return Err(Fault::new(format!("{} cannot be replayed for now: {problem}", runner.handler)));
        }
        let status = hold.progress.status(self.surroundings.now());
        tracing::info!(state = ?status.state, delivered = status.counts.delivered, "runner ended");
        if hold.progress.state == ReplayState::Running {
            self.leave(&hold.progress).await?;
        }
        Ok(ControlAnswer::of(status))
    }

    /// Takes over a replay that has to continue. From then on, its previous runner cannot save.
    async fn take_over(&self, runner: &Runner) -> Result<Option<Hold<'_, B>>, Fault> {
        let which = Which { handler: runner.handler.clone(), dry_run: runner.dry_run };
        let ledger = Ledger::of(&self.bucket, &which);
        let Some((mut progress, expected)) = ledger.read().await? else { return Ok(None) };
        let meant = progress.order.id == runner.id && progress.state == ReplayState::Running;
        let dead = runner.saves.is_none_or(|saves| saves == progress.saves);
        if !(meant && dead) {
            tracing::info!(?runner, "there is no replay to continue");
            return Ok(None);
        }
        progress.writer = self.surroundings.new_id();
        let (now, settles_in) = (Instant::now(), progress.settles_in);
        let mut hold = Hold { ledger, progress, expected, due: now, settles: now + settles_in };
        Ok(self.save(&mut hold).await?.then_some(hold))
    }

    /// Reads some events and delivers those that are ready. Saves the progress when it is due, and before
    /// this runner stops.
    async fn round(
        &self,
        hold: &mut Hold<'_, B>,
        reader: &mut Reader<'_, B, T>,
        pace: &Pace,
        times: Times,
    ) -> Result<RunOutcome, Fault> {
        let (progress, settles) = (&mut hold.progress, hold.settles);
        let (until, enough) = (times.stop.min(hold.due), enough(&progress.order));
        let mut outcome = RunOutcome::Done;
        while progress.lineup.may_go().events < enough
            && progress.lineup.may_go().bytes < ROUND_BYTES
            && progress.place != ReadingPosition::End
            && Instant::now() < until
        {
            match reader.read(progress, Instant::now() >= settles).await {
                Ok(Read::On) => {}
                Ok(Read::NotYet) if progress.lineup.may_go().events > 0 => break,
                Ok(Read::NotYet) => {
                    sleep_until(settles.min(until)).await;
                    progress.reading.waits_s = settles.saturating_duration_since(Instant::now()).as_secs();
                }
                Err(error) => {
                    outcome = RunOutcome::Failed(chain(&error));
                    break;
                }
            }
        }
        if outcome == RunOutcome::Done {
            outcome = self.deliver(hold, pace, times).await?;
        }
        let progress = &mut hold.progress;
        match &outcome {
            RunOutcome::Done if progress.state != ReplayState::Running => {}
            RunOutcome::Done => {
                progress.goes(None);
                if progress.place == ReadingPosition::End {
                    pass_ends(progress);
                }
            }
            RunOutcome::Failed(problem) => progress.goes(Some(problem.clone())),
            RunOutcome::TakenOver => return Ok(outcome),
            RunOutcome::OutOfTime => {}
        }
        let (ended, now) = (progress.state != ReplayState::Running, Instant::now());
        if outcome == RunOutcome::Done && !ended && now >= times.stop {
            outcome = RunOutcome::OutOfTime;
        }
        let matters = ended || outcome != RunOutcome::Done || now >= hold.due;
        let ours = !matters || self.save(hold).await?;
        Ok(if ours { outcome } else { RunOutcome::TakenOver })
    }

    /// Saves the progress. Returns whether this runner still owns the replay.
    pub(super) async fn save(&self, hold: &mut Hold<'_, B>) -> Result<bool, Fault> {
        let began = Instant::now();
        hold.progress.saved_at = self.surroundings.now();
        hold.progress.settles_in = hold.settles.saturating_duration_since(began);
        let written = hold.ledger.write(&mut hold.progress, &hold.expected).await?;
        hold.due = Instant::now() + SAVED_EVERY.max(began.elapsed() * WORK_FOR_A_SAVE);
        Ok(written.map(|expected| hold.expected = expected).is_some())
    }
}

impl Times {
    /// Returns the times for an invocation that is cut off at `deadline`.
    fn until(deadline: Instant) -> Self {
        let left = deadline.saturating_duration_since(Instant::now());
        // Of the function's 15 minutes, 30 seconds are for the batches in flight, and 10 of these for saving.
        // With a shorter timeout, as in tests, both are shorter in proportion.
        let (stop, leave) = (Duration::from_secs(30).min(left / 4), Duration::from_secs(10).min(left / 10));
        Self { stop: deadline - stop, leave: deadline - leave }
    }
}

/// Returns the most events of a round, which should not take much longer than the time between two saves.
fn enough(order: &Order) -> u64 {
    let rate = if order.dry_run { u64::MAX } else { u64::from(order.rate) };
    ROUND.min(rate.saturating_mul(SAVED_EVERY.as_secs()))
}

/// Ends the replay, unless events wait for others that another pass may find.
fn pass_ends(progress: &mut Progress) {
    let waits = progress.lineup.gaps().next().is_some();
    // The first pass may have read an object before an earlier one was written. A later pass that delivered
    // events may have made room for others.
    if waits && (progress.reading.pass == 1 || progress.gone_in_pass > 0) {
        tracing::info!(
            pass = progress.reading.pass,
            "events wait for earlier ones; reading everything again"
        );
        progress.read_again();
    } else {
        progress.end();
    }
}
