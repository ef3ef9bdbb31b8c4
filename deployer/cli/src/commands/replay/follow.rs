//! Following a replay: showing how it gets on, and having it go on when nobody runs it.

use std::time::{Duration, Instant};

use eventsourcing::replay::{ReplayState, ReplayStatus, Request, Runner, Which};

use super::function::{InVain, ReplayFunction};
use crate::exit::Problem;
use crate::render::{ProgressLine, Ui, replay_progress};
use crate::signal::signal;

/// Between two looks, at first: many a replay takes seconds.
const PAUSE: Duration = Duration::from_secs(1);
/// Between two looks, later on: each is an invocation.
const LONG_PAUSE: Duration = Duration::from_secs(5);
/// From when on.
const LATER: Duration = Duration::from_secs(60);
/// A runner saves every few seconds. One that has not for so long is dead: it was killed, or
/// failed more often than Lambda repeats an invocation. Were it alive after all, it would be
/// stopped by its next save, and events might arrive twice: nothing worse.
const STANDS_STILL: Duration = Duration::from_secs(60);
/// How often a replay is made to go on that does not get any further by it.
const ATTEMPTS: u32 = 3;
/// How many looks in a row may fail.
const UNANSWERED: u32 = 10;

/// How following ended.
pub(super) enum Followed {
    /// With the replay.
    ToTheEnd(ReplayStatus),
    /// With a signal; the replay goes on.
    Left(ReplayStatus),
}

/// Tells whether nobody runs a replay that is to run, by the clock of the function.
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
    let told = ProgressLine::new(ui, &replay_progress(&status, None));
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
                    "nothing was saved for a minute{}: another runner is asked for",
                    status.trouble.as_ref().map(|trouble| format!(" ({trouble})")).unwrap_or_default()
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
            // Nobody wants to sit by a replay for hours and be sent away for one lost answer.
            Err(InVain { problem, passes: true }) if unanswered < UNANSWERED => {
                unanswered += 1;
                ui.say(&format!("no answer: {problem}; asked again"));
                continue;
            }
            Err(in_vain) => return Err(in_vain.into()),
        };
        unanswered = 0;
        if asked.order.id != id {
            return Err(Problem::new("the replay has ended, and somebody started another one since"));
        }
        status = asked;
        let delivered = status.counts.delivered.saturating_sub(at_first);
        told.now(|| replay_progress(&status, Some(delivered as f64 / began.elapsed().as_secs_f64())));
    }
}

/// Returns how long to wait before the next look, after so long.
fn pause(followed: Duration) -> Duration {
    if followed < LATER { PAUSE } else { LONG_PAUSE }
}

fn stuck(status: &ReplayStatus) -> Problem {
    let handler = &status.order.handler;
    Problem::new(format!(
        "the replay of {handler} does not get on, though it was made to go on {ATTEMPTS} times"
    ))
    .details(status.trouble.clone())
    .hint("mend what is wrong, then run the same command again: it goes on from where it is")
}

/// What was seen of a replay, to tell whether somebody runs it.
#[derive(Debug)]
struct Watch {
    saves: u64,
    since: Instant,
    /// How far it was when it was first made to go on, and how often that was.
    reached: Reached,
    attempts: u32,
}

/// How far a replay has come: events that were delivered, passes, and what was read in this
/// pass. It can read for hours before something comes that is wanted.
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
        // What stood still before anybody looked need not be watched for as long once more.
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
        // Something has gone, or more was read, so it was worth it.
        let gets_on: [fn(&mut ReplayStatus); 2] =
            [|status| status.counts.delivered += 1, |status| status.reading.done += 1];
        for gets_on in gets_on {
            for _ in 0..ATTEMPTS {
                assert_eq!(look(&mut watch, &status), Look::StandsStill);
                // A runner that fails saves what ails it.
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
        assert!(LONG_PAUSE * 4 < STANDS_STILL, "what stands still is seen soon all the same");
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
