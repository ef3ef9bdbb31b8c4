//! Follows a replay: shows its progress, and restarts it if its runner has stopped.

use std::time::{Duration, Instant};

use eventsourcing::replay::{ReplayState, ReplayStatus, Request, Runner, Which};

use super::function::{InVain, ReplayFunction};
use crate::exit::Problem;
use crate::render::{ProgressLine, Ui, replay_progress};
use crate::signal::signal;

/// The pause between two status requests at first: many replays take only seconds.
const PAUSE: Duration = Duration::from_secs(1);
/// The pause between two status requests later: each request is an invocation.
const LONG_PAUSE: Duration = Duration::from_secs(5);
/// When the long pause starts.
const LATER: Duration = Duration::from_secs(60);
/// A runner saves its progress every few seconds. One that has not saved for this long has stopped: it was
/// killed, or failed more often than Lambda retries an invocation. If it still runs, its next save stops it;
/// at worst, events arrive twice.
const STANDS_STILL: Duration = Duration::from_secs(60);
/// How often a replay is restarted without any progress.
const ATTEMPTS: u32 = 3;
/// How many status requests in a row may fail.
const UNANSWERED: u32 = 10;

/// How following ended.
pub(super) enum Followed {
    /// The replay ended.
    ToTheEnd(ReplayStatus),
    /// A signal arrived; the replay continues.
    Left(ReplayStatus),
}

/// Returns whether a running replay has no runner, by the clock of the function `replay`.
pub(super) fn stands_still(status: &ReplayStatus) -> bool {
    status.state == ReplayState::Running && Duration::from_secs(status.idle_s) >= STANDS_STILL
}

/// Follows a replay to its end, or until a signal comes.
pub(super) async fn follow(
    function: &ReplayFunction<'_>,
    mut status: ReplayStatus,
    ui: &Ui,
) -> Result<Followed, Problem> {
    let which = Which { handler: status.order.handler.clone(), dry_run: status.order.dry_run };
    let id = status.order.id;
    let line = ProgressLine::new(ui, &replay_progress(&status, None));
    let (began, at_first) = (Instant::now(), status.counts.delivered);
    let (mut watch, mut unanswered) = (Watch::on(&status, began), 0);
    let stopped = signal();
    tokio::pin!(stopped);
    loop {
        if status.state != ReplayState::Running {
            return Ok(Followed::ToTheEnd(status));
        }
        match watch.look(&status, Instant::now()) {
            Look::Moves => {}
            Look::StandsStill => {
                ui.say(&format!(
                    "no progress was saved for a minute{}; starting another runner",
                    status.problem.as_ref().map(|problem| format!(" ({problem})")).unwrap_or_default()
                ));
                let runner = Runner { saves: Some(status.saves), ..status.order.runner() };
                function.leave(&Request::Continue(runner)).await?;
            }
            Look::GivesUp => return Err(stuck(&status)),
        }
        tokio::select! {
            () = &mut stopped => return Ok(Followed::Left(status)),
            () = tokio::time::sleep(pause(began.elapsed())) => {}
        }
        let asked = tokio::select! {
            () = &mut stopped => return Ok(Followed::Left(status)),
            asked = function.agreed(Request::Status(which.clone())) => asked,
        };
        let asked = match asked {
            Ok(asked) => asked,
            // One lost response must not end the following of a replay that takes hours.
            Err(InVain { problem, passes: true }) if unanswered < UNANSWERED => {
                unanswered += 1;
                ui.say(&format!("no response: {problem}; trying again"));
                continue;
            }
            Err(in_vain) => return Err(in_vain.into()),
        };
        unanswered = 0;
        if asked.order.id != id {
            return Err(Problem::new("the replay has ended, and another one was started since"));
        }
        status = asked;
        let delivered = status.counts.delivered.saturating_sub(at_first);
        line.now(|| replay_progress(&status, Some(delivered as f64 / began.elapsed().as_secs_f64())));
    }
}

/// Returns the pause before the next status request, by how long the replay has been followed.
fn pause(followed: Duration) -> Duration {
    if followed < LATER { PAUSE } else { LONG_PAUSE }
}

fn stuck(status: &ReplayStatus) -> Problem {
    let handler = &status.order.handler;
    Problem::new(format!("the replay to {handler} makes no progress after {ATTEMPTS} restarts"))
        .details(status.problem.clone())
        .hint("fix the cause, then run the same command again; it continues from there")
}

/// The progress seen so far, to detect a stalled replay.
#[derive(Debug)]
struct Watch {
    saves: u64,
    since: Instant,
    /// The most progress seen, and the number of restarts since.
    reached: Reached,
    attempts: u32,
}

/// The progress of a replay: events delivered, passes, and objects or pages read in this pass. A replay can
/// read for hours before it finds an event that matches its filter.
type Reached = (u64, u32, u64);

fn reached(status: &ReplayStatus) -> Reached {
    (status.counts.delivered, status.reading.pass, status.reading.done)
}

#[derive(Debug, PartialEq, Eq)]
enum Look {
    Moves,
    StandsStill,
    GivesUp,
}

impl Watch {
    fn on(status: &ReplayStatus, now: Instant) -> Self {
        // A replay that had stalled before following started is restarted at once.
        let idle = if stands_still(status) { STANDS_STILL } else { Duration::ZERO };
        let since = now.checked_sub(idle).unwrap_or(now);
        Self { saves: status.saves, since, reached: reached(status), attempts: 0 }
    }

    fn look(&mut self, status: &ReplayStatus, now: Instant) -> Look {
        if reached(status) > self.reached {
            (self.reached, self.attempts) = (reached(status), 0);
        }
        if status.saves != self.saves {
            (self.saves, self.since) = (status.saves, now);
            return Look::Moves;
        }
        if now.duration_since(self.since) < STANDS_STILL {
            return Look::Moves;
        }
        if self.attempts == ATTEMPTS {
            return Look::GivesUp;
        }
        self.attempts += 1;
        self.since = now;
        Look::StandsStill
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::replayed;

    #[test]
    fn replay_that_saves_progress_is_left_alone() {
        let (mut status, start) = (replayed(ReplayState::Running), Instant::now());
        let mut watch = Watch::on(&status, start);
        for minute in 1..100 {
            status.saves += 1;
            assert_eq!(watch.look(&status, start + Duration::from_secs(minute * 120)), Look::Moves);
        }
    }

    #[test]
    fn stalled_replay_is_resumed_until_attempts_run_out() {
        let (mut status, start) = (replayed(ReplayState::Running), Instant::now());
        let mut watch = Watch::on(&status, start);
        let mut now = start;
        let mut look = |watch: &mut Watch, status: &ReplayStatus| {
            now += Duration::from_secs(61);
            watch.look(status, now)
        };
        // Events were delivered, or more was read: the restart had an effect.
        let gets_on: [fn(&mut ReplayStatus); 2] =
            [|status| status.counts.delivered += 1, |status| status.reading.done += 1];
        for gets_on in gets_on {
            for _ in 0..ATTEMPTS {
                assert_eq!(look(&mut watch, &status), Look::StandsStill);
                // A runner that fails saves the reason.
                status.saves += 1;
                assert_eq!(look(&mut watch, &status), Look::Moves);
            }
            gets_on(&mut status);
            status.saves += 1;
            assert_eq!(look(&mut watch, &status), Look::Moves);
        }
        for _ in 0..ATTEMPTS {
            assert_eq!(look(&mut watch, &status), Look::StandsStill);
        }
        assert_eq!(look(&mut watch, &status), Look::GivesUp);
    }

    #[test]
    fn replay_is_polled_less_often_over_time() {
        let hour = Duration::from_secs(3600);
        let (mut followed, mut looks) = (Duration::ZERO, 0);
        while followed < hour {
            followed += pause(followed);
            looks += 1;
        }
        assert_eq!(looks, 60 + (3600 - 60) / 5);
        assert!(LONG_PAUSE * 4 < STANDS_STILL, "a stalled replay is detected soon");
    }

    #[test]
    fn replay_stalled_before_following_is_resumed_at_once() {
        let (mut status, start) = (replayed(ReplayState::Running), Instant::now());
        status.idle_s = 300;
        assert_eq!(Watch::on(&status, start).look(&status, start), Look::StandsStill);
        status.state = ReplayState::Complete;
        assert!(!stands_still(&status));
    }
}
