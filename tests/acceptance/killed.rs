//! Killed with SIGKILL before and after calls that may change something, `up` and `down` are
//! finished by being run again.

use std::collections::VecDeque;
use std::env;
use std::sync::Mutex;
use std::thread;

use acceptance::{Change, Cloud, Hollow, Inventory, Moment, Place, Run, Side, Signal, differences};
use serde_json::json;

use crate::Test;

pub(crate) const TESTS: &[Test] =
    &[("run_killed_anywhere_converges_when_repeated", run_killed_anywhere_converges_when_repeated)];

/// When it is 1, the deployer is killed around every call, which takes 11 minutes of processor
/// time; otherwise around the first and the last call of each operation.
const EVERY_CALL: &str = "KILLED_AT_EVERY_CALL";

/// Accounts at a time. More would wait for the cloud, which is one process.
const AT_ONCE: usize = 3;

const SMALL: &str = "[functions]\nmemory_mb = 256\nlog_retention_days = 7\n\n\
                     [stream]\nretention_hours = 24\n\n[local]\nport = 4566\n";
const LARGE: &str = "[functions]\nmemory_mb = 512\nlog_retention_days = 30\n\n\
                     [stream]\nretention_hours = 48\n\n[local]\nport = 4566\n";

/// What is done in each account: a verb, and what the environment file says by then.
const STAGES: [(&str, &str); 3] = [("up", SMALL), ("up", LARGE), ("down", LARGE)];

/// A call, and on which side of it the deployer ends.
type Point = (Change, Side);

/// How one stage is when nobody is killed, and where one could be.
struct Stage {
    verb: &'static str,
    environment: &'static str,
    points: Vec<Point>,
    after: Inventory,
}

/// An undisturbed `up`, one that changes what is there, and a `down` tell which calls there are.
/// For each call that is chosen, and each side of it, there is an account in which the deployer is
/// killed there and run once more.
fn run_killed_anywhere_converges_when_repeated(cloud: &Cloud) {
    let cloud = &cloud.aside().expect("another cloud can be started");
    let hollow = Hollow::of(cloud).expect("a temporary folder can be made");
    let place = cloud.place();
    let stages = STAGES.map(|(verb, environment)| Stage::look(&place, &hollow, verb, environment));
    let most = stages.iter().map(|stage| stage.points.len()).max().unwrap_or_default();
    let waiting: Mutex<VecDeque<usize>> = Mutex::new((0..most).collect());
    let failures = Mutex::new(Vec::new());
    let work = || {
        loop {
            let next = waiting.lock().expect("nobody panics while holding it").pop_front();
            let Some(account) = next else { return };
            let place = cloud.place();
            let failed = stages.iter().find_map(|stage| stage.repeat(&place, &hollow, account).err());
            failures.lock().expect("nobody panics while holding it").extend(failed);
        }
    };
    thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(work))));
    let failures = failures.into_inner().expect("nobody panics while holding it");
    let points = stages.each_ref().map(|stage| stage.points.len());
    assert!(failures.is_empty(), "{} of {points:?}:\n{}", failures.len(), failures.join("\n"));
}

impl Stage {
    /// Does it undisturbed.
    fn look(place: &Place<'_>, hollow: &Hollow, verb: &'static str, environment: &'static str) -> Self {
        place.environment("local", environment);
        let trapped = place.trapped(hollow.command(place, &[verb, "local"]), None, &[]);
        assert_eq!(trapped.run.code, Some(0), "{verb}: {trapped:#?}");
        assert!(!trapped.changes.is_empty(), "{verb} changed nothing: {trapped:#?}");
        let sides = |call: Change| [(call.clone(), Side::Before), (call, Side::After)];
        let points = chosen(trapped.changes).into_iter().flat_map(sides).collect();
        Self { verb, environment, points, after: place.likeness() }
    }

    /// Does it in another account, killed on the way at the point of this number, and compares
    /// with the account in which nobody was killed. Does nothing where there is no such point.
    fn repeat(&self, place: &Place<'_>, hollow: &Hollow, number: usize) -> Result<(), String> {
        let Some((call, side)) = self.points.get(number) else { return Ok(()) };
        let at = format!("{} killed {side} {call}", self.verb);
        place.environment("local", self.environment);
        let run = |arguments: &[&str], code| {
            let run = Run::of(&mut hollow.command(place, arguments));
            if run.code == Some(code) { Ok(run) } else { Err(format!("{at}, then {arguments:?}: {run:#?}")) }
        };
        let killed = Some(Moment::Change(call.clone(), *side));
        let killed = place.trapped(hollow.command(place, &[self.verb, "local"]), killed, &[Signal::KILL]);
        if killed.run.code.is_some() {
            return Err(format!("{at}: it never came there: {killed:#?}"));
        }
        if self.environment == LARGE && self.verb == "up" {
            let plan = Run::of(&mut hollow.command(place, &["plan", "local", "--format", "json"]));
            if plan.json()["verdicts"]["drift"] != json!(0) {
                return Err(format!("{at}, then called drift: {plan:#?}"));
            }
        }
        run(&[self.verb, "local"], 0)?;
        let differences = differences(&self.after, &place.likeness());
        if !differences.is_empty() {
            return Err(format!("{at}, then again: {differences:#?}"));
        }
        // Of a stamp, the comparison sees only that there is one.
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
