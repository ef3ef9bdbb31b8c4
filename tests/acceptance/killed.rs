//! `up` and `down` are killed with SIGKILL before and after calls that may change something, and completed by
//! running them again.

use std::collections::VecDeque;
use std::env;
use std::sync::Mutex;
use std::thread;

use acceptance::{Change, Cloud, Hollow, Inventory, Moment, Place, Run, Side, Signal, differences};
use serde_json::json;

use crate::Test;

pub(crate) const TESTS: &[Test] =
    &[("run_killed_anywhere_converges_when_repeated", run_killed_anywhere_converges_when_repeated)];

/// If this is 1, the deployer is killed around every call, which takes 11 minutes of processor time;
/// otherwise only around the first and the last call of each operation.
const EVERY_CALL: &str = "KILLED_AT_EVERY_CALL";

/// How many accounts are tested at a time. More would wait for the cloud, which is one process.
const AT_ONCE: usize = 3;

// Without a `[local]` table, so that a loss of data would be refused as on AWS.
const SMALL: &str = "[functions]\nmemory_mb = 256\nlog_retention_days = 7\n\n\
                     [stream]\nretention_hours = 24\n";
const LARGE: &str = "[functions]\nmemory_mb = 512\nlog_retention_days = 30\n\n\
                     [functions.get-cart]\nurl = true\n\n\
                     [stream]\nretention_hours = 48\n";

/// The stages in each account: a verb, and the text of the environment file.
const STAGES: [(&str, &str); 3] = [("up", SMALL), ("up", LARGE), ("down", LARGE)];

/// A call, and the side of it on which the deployer is killed.
type Point = (Change, Side);

/// The result of a stage without a kill, and the points at which it can be killed.
struct Stage {
    verb: &'static str,
    environment: &'static str,
    points: Vec<Point>,
    after: Inventory,
}

/// An `up`, an `up` that changes resources, and a `down` run without a kill, to find their calls. For each
/// chosen call, and each side of it, there is an account in which the deployer is killed at this point and
/// run again.
fn run_killed_anywhere_converges_when_repeated(cloud: &Cloud) {
    let cloud = &cloud.aside().expect("another cloud can be started");
    let hollow = Hollow::of(cloud).expect("a temporary folder can be created");
    let place = cloud.place();
    let stages = STAGES.map(|(verb, environment)| Stage::look(&place, &hollow, verb, environment));
    let most = stages.iter().map(|stage| stage.points.len()).max().unwrap_or_default();
    let waiting: Mutex<VecDeque<usize>> = Mutex::new((0..most).collect());
    let failures = Mutex::new(Vec::new());
    let work = || {
        loop {
            let next = waiting.lock().expect("the lock is never poisoned").pop_front();
            let Some(account) = next else { return };
            let place = cloud.place();
            let failed = stages.iter().find_map(|stage| stage.repeat(&place, &hollow, account).err());
            failures.lock().expect("the lock is never poisoned").extend(failed);
        }
    };
    thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(work))));
    let failures = failures.into_inner().expect("the lock is never poisoned");
    let points = stages.each_ref().map(|stage| stage.points.len());
    assert!(failures.is_empty(), "{} of {points:?}:\n{}", failures.len(), failures.join("\n"));
}

impl Stage {
    /// Runs the stage without a kill.
    fn look(place: &Place<'_>, hollow: &Hollow, verb: &'static str, environment: &'static str) -> Self {
        place.environment("local", environment);
        let trapped = place.trapped(hollow.command(place, &[verb, "local", "--yes"]), None, &[]);
        assert_eq!(trapped.run.code, Some(0), "{verb}: {trapped:#?}");
        assert!(!trapped.changes.is_empty(), "{verb} changed nothing: {trapped:#?}");
        let sides = |call: Change| [(call.clone(), Side::Before), (call, Side::After)];
        let points = chosen(trapped.changes).into_iter().flat_map(sides).collect();
        Self { verb, environment, points, after: place.likeness() }
    }

    /// Runs the stage in another account, killed at the point with this number, and compares the result with
    /// the account without a kill. Does nothing if there is no such point.
    fn repeat(&self, place: &Place<'_>, hollow: &Hollow, number: usize) -> Result<(), String> {
        let Some((call, side)) = self.points.get(number) else { return Ok(()) };
        let at = format!("{} killed {side} {call}", self.verb);
        place.environment("local", self.environment);
        let run = |arguments: &[&str], code| {
            let run = Run::of(&mut hollow.command(place, arguments));
            if run.code == Some(code) { Ok(run) } else { Err(format!("{at}, then {arguments:?}: {run:#?}")) }
        };
        let killed = Some(Moment::Change(call.clone(), *side));
        let killed =
            place.trapped(hollow.command(place, &[self.verb, "local", "--yes"]), killed, &[Signal::KILL]);
        if killed.run.code.is_some() {
            return Err(format!("{at}: the run did not reach this call: {killed:#?}"));
        }
        if self.environment == LARGE && self.verb == "up" {
            let plan = Run::of(&mut hollow.command(place, &["plan", "local", "--format", "json"]));
            if plan.json()["verdicts"]["drift"] != json!(0) {
                return Err(format!("{at}, then called drift: {plan:#?}"));
            }
        }
        run(&[self.verb, "local", "--yes"], 0)?;
        let differences = differences(&self.after, &place.likeness());
        if !differences.is_empty() {
            return Err(format!("{at}, then again: {differences:#?}"));
        }
        // The comparison checks only that there is a stamp.
        if self.verb == "up" { run(&["drift", "local"], 0).map(drop) } else { Ok(()) }
    }
}

/// Returns the calls around which the deployer is killed.
fn chosen(calls: Vec<Change>) -> Vec<Change> {
    if env::var_os(EVERY_CALL).is_some_and(|value| value == "1") {
        return calls;
    }
    let operations: Vec<String> = calls.iter().map(|call| call.operation().to_owned()).collect();
    let outermost = |at: usize| {
        let (before, after) = (&operations[..at], &operations[at + 1..]);
        !before.contains(&operations[at]) || !after.contains(&operations[at])
    };
    calls.into_iter().enumerate().filter(|(at, _)| outermost(*at)).map(|(_, call)| call).collect()
}
