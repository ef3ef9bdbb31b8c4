//! The tests: the real code breaks no invariant, each planted bug breaks its invariant, and a seed determines
//! the history.

use std::{num::NonZero, process::ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};

use crate::{
    planted::Planted,
    schedule::Schedule,
    tool::{Many, summary, threads},
};

/// How many schedules a test runs, unless this variable sets another number.
const SCHEDULES: u64 = 1000;
const SCHEDULES_VARIABLE: &str = "SIMULATOR_SCHEDULES";
/// Within how many schedules a planted bug must be found.
const ENOUGH: u64 = 1000;

/// Runs the tests.
pub(crate) fn run() -> ExitCode {
    let mut trials = vec![
        Trial::test("schedules_break_no_invariant", schedules_break_no_invariant),
        Trial::test("seed_determines_the_history", seed_determines_the_history),
    ];
    for (planted, invariant) in Planted::ALL {
        let name = format!("planted_{planted:?}_is_found");
        trials.push(Trial::test(name, move || is_found(planted, invariant)));
    }
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn schedules_break_no_invariant() -> Result<(), Failed> {
    let schedules = schedules()?;
    let report = Many { schedules, from: 0, threads: threads() }.run(Schedule::of, |_| true);
    match report.failed {
        None => Ok(()),
        Some(seed) => {
            let outcome = Schedule { traced: true, ..Schedule::of(seed) }.run();
            Err(format!("{}\n{}", outcome.trace.join("\n"), summary(seed, &outcome)).into())
        }
    }
}

/// Returns how many schedules are run. 0 is refused, because the test would pass without proving anything.
fn schedules() -> Result<u64, Failed> {
    let Some(wanted) = std::env::var_os(SCHEDULES_VARIABLE) else {
        return Ok(SCHEDULES);
    };
    let number = wanted.to_str().and_then(|wanted| wanted.parse::<NonZero<u64>>().ok());
    Ok(number
        .ok_or_else(|| format!("{SCHEDULES_VARIABLE} is not a number above 0: {}", wanted.display()))?
        .get())
}

fn seed_determines_the_history() -> Result<(), Failed> {
    for seed in 0..50 {
        let trace = || Schedule { traced: true, ..Schedule::of(seed) }.run().trace;
        let (one, other) = (trace(), trace());
        if let Some((one, other)) = one.iter().zip(&other).find(|(one, other)| one != other) {
            return Err(format!("seed {seed} has two different histories:\n{one}\n{other}").into());
        }
        if one.len() != other.len() || one.len() < 10 {
            return Err(format!("seed {seed} has {} and {} steps", one.len(), other.len()).into());
        }
    }
    Ok(())
}

fn is_found(planted: Planted, invariant: &'static str) -> Result<(), Failed> {
    let schedule = |seed| Schedule { planted: Some(planted), ..Schedule::of(seed) };
    let report = Many { schedules: ENOUGH, from: 0, threads: threads() }
        .run(schedule, |broken| broken.invariant == invariant);
    match report.failed {
        Some(_) => Ok(()),
        None => {
            Err(format!("in {ENOUGH} schedules, {planted:?} does not break the invariant about {invariant}")
                .into())
        }
    }
}
