//! The simulator as a tool: it runs many schedules, or one with its trace.

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

/// The requested schedules.
#[derive(Debug)]
pub(crate) enum Order {
    /// Many schedules with consecutive seeds.
    Many(Many),
    /// One schedule, with its trace.
    One(u64),
}

/// Many schedules.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Many {
    /// The number of schedules.
    pub(crate) schedules: u64,
    /// The first seed.
    pub(crate) from: u64,
    /// The number of threads that run them.
    pub(crate) threads: usize,
}

/// The outcome of many schedules.
#[derive(Debug)]
pub(crate) struct Report {
    /// The first seed that violates an invariant.
    pub(crate) failed: Option<u64>,
    /// The number of schedules that were run.
    pub(crate) schedules: u64,
    /// The number of events in all of them.
    pub(crate) events: usize,
    /// How long it took.
    pub(crate) took: Duration,
}

impl Order {
    /// Returns what the arguments request, unless they request the tests.
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

    /// Runs the requested schedules, and prints the outcome.
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
                        say(&summary(seed, &outcome));
                        ExitCode::FAILURE
                    }
                }
            }
        }
    }
}

impl Many {
    /// Runs schedules until all are done, or one violates an invariant.
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
                            // Each thread finishes its schedule, so the lowest failing seed is found.
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

/// Returns the violated invariant of a seed, and how to reproduce it.
pub(crate) fn summary(seed: u64, outcome: &Outcome) -> String {
    let Some(broken) = &outcome.broken else { return format!("seed {seed} breaks no invariant") };
    format!(
        "seed {seed} breaks the invariant about {}: {}\nto reproduce it: cargo test -p functions --test simulator -- --seed {seed}",
        broken.invariant, broken.because
    )
}

/// Returns how many threads are available for schedules.
pub(crate) fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Prints a line on standard output, which may be closed.
pub(crate) fn say(text: &str) {
    drop(writeln!(std::io::stdout(), "{text}"));
}
