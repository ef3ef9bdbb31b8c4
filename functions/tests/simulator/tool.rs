//! The simulator as a tool: many schedules, or one with its trace.

use std::{
    io::Write,
    process::ExitCode,
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{
    invariants::Broken,
    schedule::{Outcome, Schedule},
};

const USAGE: &str = "usage: --schedules <count> [--from <seed>] [--threads <count>] | --seed <seed>";

/// What somebody wants.
#[derive(Debug)]
pub(crate) enum Order {
    /// Many schedules, one seed after the other.
    Many(Many),
    /// One, with its trace.
    One(u64),
}

/// Many schedules.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Many {
    /// How many.
    pub(crate) schedules: u64,
    /// The first seed.
    pub(crate) from: u64,
    /// How many threads run them.
    pub(crate) threads: usize,
}

/// How many schedules went.
#[derive(Debug)]
pub(crate) struct Report {
    /// The first seed at which an invariant does not hold.
    pub(crate) failed: Option<u64>,
    /// How many were run.
    pub(crate) schedules: u64,
    /// How many events there were in all of them.
    pub(crate) events: usize,
    /// How long it took.
    pub(crate) took: Duration,
}

impl Order {
    /// Returns what the arguments ask for, if they ask for something else than the tests.
    pub(crate) fn of(arguments: &[String]) -> Option<Result<Self, String>> {
        if !arguments.iter().any(|argument| argument == "--schedules" || argument == "--seed") {
            return None;
        }
        let mut many = Many { schedules: 0, from: 0, threads: threads() };
        let mut one = None;
        for pair in arguments.chunks(2) {
            let [name, value] = pair else { return Some(Err(USAGE.to_owned())) };
            let Ok(value) = value.parse::<u64>() else { return Some(Err(USAGE.to_owned())) };
            match name.as_str() {
                "--schedules" => many.schedules = value,
                "--from" => many.from = value,
                "--threads" => many.threads = value.clamp(1, 1024) as usize,
                "--seed" => one = Some(value),
                _ => return Some(Err(USAGE.to_owned())),
            }
        }
        Some(Ok(one.map_or(Self::Many(many), Self::One)))
    }

    /// Runs what was asked for, and says how it went.
    pub(crate) fn run(self) -> ExitCode {
        match self {
            Self::Many(many) => {
                let report = many.run(Schedule::of, |_| true);
                let (minutes, schedules) = (report.took.as_secs_f64() / 60.0, report.schedules);
                say(&format!(
                    "{schedules} schedules with {} events in {:.1} s: {:.0} a minute on {} threads",
                    report.events,
                    report.took.as_secs_f64(),
                    schedules as f64 / minutes,
                    many.threads,
                ));
                report.failed.map_or(ExitCode::SUCCESS, |seed| Self::One(seed).run())
            }
            Self::One(seed) => {
                let outcome = Schedule { traced: true, ..Schedule::of(seed) }.run();
                say(&outcome.trace.join("\n"));
                match outcome.broken {
                    None => ExitCode::SUCCESS,
                    Some(_) => {
                        say(&told(seed, &outcome));
                        ExitCode::FAILURE
                    }
                }
            }
        }
    }
}

impl Many {
    /// Runs schedules until all are done, or one breaks what counts.
    pub(crate) fn run(
        self,
        schedule: impl Fn(u64) -> Schedule + Sync,
        counts: impl Fn(&Broken) -> bool + Sync,
    ) -> Report {
        let start = Instant::now();
        let (next, failed) = (AtomicU64::new(0), AtomicBool::new(false));
        let (first, events) = (AtomicU64::new(u64::MAX), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..self.threads {
                scope.spawn(|| {
                    while !failed.load(Ordering::Relaxed) {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= self.schedules {
                            break;
                        }
                        let outcome = schedule(self.from + n).run();
                        events.fetch_add(outcome.events, Ordering::Relaxed);
                        if outcome.broken.as_ref().is_some_and(&counts) {
                            failed.store(true, Ordering::Relaxed);
                            // Each thread ends the one that it has begun: the first is the first.
                            first.fetch_min(self.from + n, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        Report {
            failed: Some(first.into_inner()).filter(|_| failed.into_inner()),
            schedules: next.into_inner().min(self.schedules),
            events: events.into_inner(),
            took: start.elapsed(),
        }
    }
}

/// Returns what is wrong with a seed, and how to see it.
pub(crate) fn told(seed: u64, outcome: &Outcome) -> String {
    let Some(broken) = &outcome.broken else { return format!("seed {seed} is fine") };
    format!(
        "seed {seed} breaks what holds of {}: {}\nto see it: cargo test -p functions --test simulator -- --seed {seed}",
        broken.invariant, broken.because
    )
}

/// Returns how many threads there are for schedules.
pub(crate) fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Says something on standard output. Nobody may be listening.
pub(crate) fn say(text: &str) {
    drop(writeln!(std::io::stdout(), "{text}"));
}
