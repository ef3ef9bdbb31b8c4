//! Two runs of one environment at once: they end in one of the two states, or say so.

use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use acceptance::{Call, Cloud, Hollow, Inventory, Place, Proxy, Run, differences, until};
use serde_json::json;

use crate::Test;

pub(crate) const TESTS: &[Test] = &[
    ("concurrent_ups_never_mix_silently", concurrent_ups_never_mix_silently),
    ("concurrent_up_and_down_never_mix_silently", concurrent_up_and_down_never_mix_silently),
];

/// Far enough that two runs meet in more than one way.
const DISTANCE: Duration = Duration::from_millis(100);

/// How far the first run has come when the second begins, of all the calls that it makes alone:
/// while it looks, as it begins to write, while it writes, at its end.
const BEGINS_AT: [f64; 5] = [0.01, 0.4, 0.55, 0.7, 0.9];

const BEFORE: &str = "[functions]\nmemory_mb = 128\n\n[local]\nport = 4566\n";
/// What the two want.
const FIRST: &str = "[functions]\nmemory_mb = 256\n\n[local]\nport = 4566\n";
const SECOND: &str =
    "[functions]\nmemory_mb = 512\n\n[stream]\nretention_hours = 48\n\n[local]\nport = 4566\n";

/// A run that is over.
#[derive(Debug)]
struct Ended {
    run: Run,
    at: Instant,
}

impl Ended {
    /// Tells whether it said that it had met another one.
    fn told(&self) -> bool {
        // The second is what a change says that met another one of the same function.
        ["another run", "changed the function meanwhile"].iter().any(|words| self.run.stderr.contains(words))
    }

    /// Tells whether it stopped before its first write, because of the other one.
    fn refused(&self) -> bool {
        self.run.stderr.contains("began since this one looked")
    }

    fn succeeded(&self) -> bool {
        self.run.code == Some(0)
    }
}

/// Where two runs meet.
struct Meeting<'a> {
    hollow: &'a Hollow,
    proxy: &'a Proxy,
    first: Place<'a>,
    second: Place<'a>,
    /// Whether there was something before both.
    there: bool,
    /// Which meeting it is, for who reads of its failure.
    when: String,
}

/// Whenever the second begins, of two runs that want different things: a run that succeeds left
/// the world as it wants it, or was followed by one that did, or the other one says that they met.
/// The record claims no more than that, and whoever comes next puts everything right.
fn concurrent_ups_never_mix_silently(cloud: &Cloud) {
    everywhere(cloud, |meeting, alone, at| {
        let (first, second) = meeting.meet("up", alone, at);
        let (as_first, as_second) = (meeting.clean(&meeting.first), meeting.clean(&meeting.second));
        let said = format!("{}: {as_first} {first:#?} {as_second} {second:#?}", meeting.when);
        for (run, clean, other, as_other) in
            [(&first, as_first, &second, as_second), (&second, as_second, &first, as_first)]
        {
            let followed = other.succeeded() && as_other && other.at > run.at;
            assert!(!run.succeeded() || clean || followed || other.told(), "a mixture in silence: {said}");
            assert!(run.succeeded() || run.told(), "it does not say why it failed: {said}");
        }
        let history = meeting.run(&meeting.first, &["history", "local", "--format", "json"]).json();
        let runs = history["runs"].as_array().expect("runs are a list");
        let done = runs.iter().filter(|run| run["ending"] == json!("done"));
        let wrote = [&first, &second].into_iter().filter(|run| !run.refused()).count();
        let before = usize::from(meeting.there);
        assert!(done.count() <= wrote + before, "who was refused is done: {history:#} {said}");
        for verb in ["up", "drift"] {
            let next = meeting.run(&meeting.second, &[verb, "local"]);
            assert!(next.code == Some(0), "{verb} does not put it right: {next:#?} {said}");
        }
    });
}

/// Whenever a `down` begins: nothing is left, or one of the two says that they met; and what is
/// left, the next `down` removes.
fn concurrent_up_and_down_never_mix_silently(cloud: &Cloud) {
    everywhere(cloud, |meeting, alone, at| {
        let (up, down) = meeting.meet("down", alone, at);
        let left = meeting.first.inventory();
        let said = format!("{}: {up:#?} {down:#?} {:?}", meeting.when, left.keys());
        // A `down` that found nothing was over before there was anything.
        let before = down.run.stderr.contains("owns nothing") && meeting.clean(&meeting.first);
        let alone = before && up.succeeded() && up.at > down.at;
        assert!(left.is_empty() || alone || up.told() || down.told(), "something is left in silence: {said}");
        for run in [&up, &down] {
            assert!(run.succeeded() || run.run.stderr.contains("error"), "it does not say why: {said}");
        }
        let next = meeting.run(&meeting.second, &["down", "local"]);
        assert!(next.code == Some(0), "`down` does not put it right: {next:#?} {said}");
        assert_eq!(differences(&Inventory::new(), &meeting.first.inventory()), [""; 0], "{said}");
    });
}

/// Does something for every way to meet, in an account each: where there is nothing yet, and where
/// both have something to change.
fn everywhere(cloud: &Cloud, work: impl Fn(&Meeting<'_>, usize, f64) + Sync) {
    let hollow = Hollow::of(cloud).expect("a temporary folder can be made");
    let proxy = Proxy::start(cloud, DISTANCE).expect("loopback has a free port");
    let (hollow, proxy, work) = (&hollow, &proxy, &work);
    for there in [false, true] {
        let meeting = |at: f64| {
            let first = cloud.place();
            let meeting = Meeting {
                hollow,
                proxy,
                second: first.of_a_colleague(),
                first,
                there,
                when: format!("begun after {at} of the calls, something there before: {there}"),
            };
            if there {
                meeting.first.environment("local", BEFORE);
                let up = meeting.run(&meeting.first, &["up", "local"]);
                assert_eq!(up.code, Some(0), "{up:#?}");
            }
            meeting.first.environment("local", FIRST);
            meeting.second.environment("local", SECOND);
            meeting
        };
        let alone = meeting(1.0);
        let (run, calls) = alone.first.recorded_of(hollow.command(&alone.first, &["up", "local"]));
        assert_eq!(run.code, Some(0), "{run:#?}");
        thread::scope(|scope| {
            for at in BEGINS_AT {
                let (meeting, calls) = (&meeting, calls.len());
                scope.spawn(move || work(&meeting(at), calls, at));
            }
        });
    }
}

impl Meeting<'_> {
    /// Runs `up`, and this verb as soon as that has made this share of these many calls.
    fn meet(&self, verb: &str, calls: usize, share: f64) -> (Ended, Ended) {
        let record = self.first.folder().join("first.jsonl");
        let mut first = self.hollow.command(&self.first, &["up", "local"]);
        first.arg("--record-calls").arg(&record);
        let mut first = self.begin(first);
        until("the first run to have come so far", || {
            let ended = first.try_wait().is_ok_and(|code| code.is_some());
            let made = Call::recorded(&record).len() as f64;
            (ended || made >= share * calls as f64).then_some(())
        });
        let second = self.begin(self.hollow.command(&self.second, &[verb, "local"]));
        thread::scope(|scope| {
            let first = scope.spawn(|| end(first));
            let second = end(second);
            (first.join().expect("it was begun"), second)
        })
    }

    fn begin(&self, mut command: std::process::Command) -> Child {
        command.env("AWS_ENDPOINT_URL", self.proxy.endpoint());
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the deployer was just built")
    }

    /// Tells whether everything is as it is wanted here.
    fn clean(&self, place: &Place<'_>) -> bool {
        self.run(place, &["drift", "local"]).code == Some(0)
    }

    fn run(&self, place: &Place<'_>, arguments: &[&str]) -> Run {
        Run::of(&mut self.hollow.command(place, arguments))
    }
}

fn end(run: Child) -> Ended {
    let run = Run::from(run.wait_with_output().expect("it was begun"));
    Ended { run, at: Instant::now() }
}
