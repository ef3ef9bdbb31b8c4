//! Running a replay: read some, deliver what may go, save; until all is done or time is over.

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

/// How many events are read before they are delivered, if there are as many.
const ROUND: u64 = 2_000;
/// How many bytes of events are read before they are delivered: an event may have 1 MB, and the
/// function has 1,024 MB.
const ROUND_BYTES: u64 = 64_000_000;
/// After which time what has gone is saved, even while other batches are on their way. Whoever
/// follows a replay takes it for dead when nothing was saved for many times as long.
const SAVED_EVERY: Duration = Duration::from_secs(2);
/// How many times as long as saving takes the time is between two saves at least: what has to
/// be saved of many aggregates is large.
const WORK_FOR_A_SAVE: u32 = 5;
/// When a runner stops: it needs time for what is on its way, and to save.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// Nothing more is read or delivered from then on.
    pub(super) stop: Instant,
    /// Nobody waits any longer for what is on its way: it will go once more.
    pub(super) leave: Instant,
}

/// How a part of the work ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RunOutcome {
    /// All is well.
    Done,
    /// Time is over: another runner is to go on.
    OutOfTime,
    /// Somebody else has written the progress: took it over, or stopped the replay.
    TakenOver,
    /// It cannot go on for now.
    Trouble(String),
}

/// A replay in the hands of a runner.
pub(super) struct Hold<'a, B> {
    ledger: Ledger<'a, B>,
    pub(super) progress: Progress,
    expected: Expected,
    /// When the progress is to be saved next.
    pub(super) due: Instant,
    /// From when on the end of the archive can be read. By this clock, not by the one that tells
    /// the time: that one may be wrong, other for each runner.
    settles: Instant,
}

impl<B: Bucket, T: Scan, I: Invoke, S: Surroundings> Replay<B, T, I, S> {
    /// Runs a replay on, until it ends or time is over. Then somebody else is asked to go on.
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
            tracing::warn!("somebody else has written the progress: this runner stops");
            return Ok(ControlAnswer::refused(Reason::NoReplay, "the replay was taken over, or stopped"));
        }
        if let RunOutcome::Trouble(trouble) = outcome {
            // The invocation fails: that rings the alarm, and Lambda repeats it.
            return Err(Fault::new(format!("{} cannot be replayed for now: {trouble}", runner.handler)));
        }
        let status = hold.progress.status(self.surroundings.now());
        tracing::info!(state = ?status.state, delivered = status.counts.delivered, "the runner ends");
        if hold.progress.state == ReplayState::Running {
            self.leave(&hold.progress).await?;
        }
        Ok(ControlAnswer::of(status))
    }

    /// Takes over a replay that is to go on; from then on its former runner cannot save.
    async fn take_over(&self, runner: &Runner) -> Result<Option<Hold<'_, B>>, Fault> {
        let which = Which { handler: runner.handler.clone(), dry_run: runner.dry_run };
        let ledger = Ledger::of(&self.bucket, &which);
        let Some((mut progress, expected)) = ledger.read().await? else { return Ok(None) };
        let meant = progress.order.id == runner.id && progress.state == ReplayState::Running;
        let dead = runner.saves.is_none_or(|saves| saves == progress.saves);
        if !(meant && dead) {
            tracing::info!(?runner, "there is nothing to run on");
            return Ok(None);
        }
        progress.writer = self.surroundings.new_id();
        let (now, settles_in) = (Instant::now(), progress.settles_in);
        let mut hold = Hold { ledger, progress, expected, due: now, settles: now + settles_in };
        Ok(self.save(&mut hold).await?.then_some(hold))
    }

    /// Reads some events and delivers what may go. What has gone is saved when it is time to,
    /// and before this runner stops.
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
                    outcome = RunOutcome::Trouble(chain(&error));
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
            RunOutcome::Trouble(trouble) => progress.goes(Some(trouble.clone())),
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

    /// Saves the progress. Returns whether this runner still has it in its hands.
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
    /// Returns the times of an invocation that is cut off then.
    fn until(deadline: Instant) -> Self {
        let left = deadline.saturating_duration_since(Instant::now());
        // Of the quarter of an hour that the function has: half a minute for what is on its
        // way, ten seconds to save. A test, or a stack that gives it less, has in proportion.
        let (stop, leave) = (Duration::from_secs(30).min(left / 4), Duration::from_secs(10).min(left / 10));
        Self { stop: deadline - stop, leave: deadline - leave }
    }
}

/// Returns how many events a round has at most: it should not take much longer than the time
/// between two saves.
fn enough(order: &Order) -> u64 {
    let rate = if order.dry_run { u64::MAX } else { u64::from(order.rate) };
    ROUND.min(rate.saturating_mul(SAVED_EVERY.as_secs()))
}

/// Ends the replay when nothing waits for something that another pass could bring.
fn pass_ends(progress: &mut Progress) {
    let waits = progress.lineup.gaps().next().is_some();
    // The first pass may have read an object before another was written; any later one that
    // moved something may have made room for more.
    if waits && (progress.reading.pass == 1 || progress.gone_in_pass > 0) {
        tracing::info!(pass = progress.reading.pass, "events wait for others: everything is read once more");
        progress.read_again();
    } else {
        progress.end();
    }
}
