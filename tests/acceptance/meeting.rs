//! Two concurrent runs of one environment: they end in one of the two states, or report each other.

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

/// Long enough for two runs to meet at different stages.
const DISTANCE: Duration = Duration::from_millis(100);

/// How far the first run has come when the second starts, as a share of its calls: while it reads, as it
/// starts to write, while it writes, and at its end.
const BEGINS_AT: [f64; 5] = [0.01, 0.4, 0.55, 0.7, 0.9];

const BEFORE: &str = "[functions]\nmemory_mb = 128\n\n[local]\nport = 4566\n";
/// The settings of the two runs.
const FIRST: &str = "[functions]\nmemory_mb = 256\n\n[local]\nport = 4566\n";
const SECOND: &str =
    "[functions]\nmemory_mb = 512\n\n[stream]\nretention_hours = 48\n\n[local]\nport = 4566\n";

/// A finished run.
#[derive(Debug)]
struct Ended {
    run: Run,
    at: Instant,
}

impl Ended {
    /// Returns whether the run reported that it met another one.
    fn says_why(&self) -> bool {
        // The second text is the error of a change that met another run's change of the same function.
        ["another run", "was changed in the meantime"].iter().any(|words| self.run.stderr.contains(words))
    }

    /// Returns whether the run stopped before its first write because of the other run.
    fn refused(&self) -> bool {
        self.run.stderr.contains("started after this run read the environment")
    }

    fn succeeded(&self) -> bool {
        self.run.code == Some(0)
    }
}

/// A meeting of two runs.
struct Meeting<'a> {
    hollow: &'a Hollow,
    proxy: &'a Proxy,
    first: Place<'a>,
    second: Place<'a>,
    /// Whether the environment existed before both runs.
    there: bool,
    /// A description of the meeting, for messages.
    when: String,
}

/// Two runs want different settings, and the second starts at different times. A run that succeeds leaves the
/// resources as it wants them, or was followed by one that succeeded, or one of the two reports that they
/// met. The release records agree with that, and the next run repairs everything.
fn concurrent_ups_never_mix_silently(cloud: &Cloud) {
    everywhere(cloud, |meeting, alone, at| {
        let (first, second) = meeting.meet("up", alone, at);
        let (as_first, as_second) = (meeting.clean(&meeting.first), meeting.clean(&meeting.second));
        let said = format!("{}: {as_first} {first:#?} {as_second} {second:#?}", meeting.when);
        for (run, clean, other, as_other) in
            [(&first, as_first, &second, as_second), (&second, as_second, &first, as_first)]
        {
            let followed = other.succeeded() && as_other && other.at > run.at;
            assert!(
                !run.succeeded() || clean || followed || other.says_why(),
                "the states are mixed and not reported: {said}"
            );
            assert!(run.succeeded() || run.says_why(), "the run does not report why it failed: {said}");
        }
        let history = meeting.run(&meeting.first, &["history", "local", "--format", "json"]).json();
        let runs = history["runs"].as_array().expect("runs are a list");
        let done = runs.iter().filter(|run| run["ending"] == json!("done"));
        let wrote = [&first, &second].into_iter().filter(|run| !run.refused()).count();
        let before = usize::from(meeting.there);
        assert!(done.count() <= wrote + before, "a refused run counts as done: {history:#} {said}");
        for verb in ["up", "drift"] {
            let next = meeting.run(&meeting.second, &[verb, "local"]);
            assert!(next.code == Some(0), "{verb} does not repair it: {next:#?} {said}");
        }
    });
}

/// `up` and `down` run concurrently, and `down` starts at different times: nothing is left, or one of the two
/// reports that they met. The next `down` deletes what is left.
fn concurrent_up_and_down_never_mix_silently(cloud: &Cloud) {
    everywhere(cloud, |meeting, alone, at| {
        let (up, down) = meeting.meet("down", alone, at);
        let left = meeting.first.inventory();
        let said = format!("{}: {up:#?} {down:#?} {:?}", meeting.when, left.keys());
        // A `down` that found nothing had ended before anything was created.
        let before = down.run.stderr.contains("owns nothing") && meeting.clean(&meeting.first);
        let alone = before && up.succeeded() && up.at > down.at;
        assert!(
            left.is_empty() || alone || up.says_why() || down.says_why(),
            "resources are left and not reported: {said}"
        );
        for run in [&up, &down] {
            assert!(
                run.succeeded() || run.run.stderr.contains("error"),
                "the run does not report why it failed: {said}"
            );
        }
        let next = meeting.run(&meeting.second, &["down", "local"]);
        assert!(next.code == Some(0), "`down` does not delete the rest: {next:#?} {said}");
        assert_eq!(differences(&Inventory::new(), &meeting.first.inventory()), [""; 0], "{said}");
    });
}

/// Runs a test for every kind of meeting, each in its own account: in an empty account, and where both runs
/// have something to change.
fn everywhere(cloud: &Cloud, work: impl Fn(&Meeting<'_>, usize, f64) + Sync) {
    let hollow = Hollow::of(cloud).expect("a temporary folder can be created");
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
                when: format!("started after {at} of the calls, environment existed: {there}"),
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
    /// Runs `up`, and this verb as soon as `up` has made this share of its calls.
    fn meet(&self, verb: &str, calls: usize, share: f64) -> (Ended, Ended) {
        let record = self.first.folder().join("first.jsonl");
        let mut first = self.hollow.command(&self.first, &["up", "local"]);
        first.arg("--record-calls").arg(&record);
        let mut first = self.begin(first);
        until("the first run to reach this call", || {
            let ended = first.try_wait().is_ok_and(|code| code.is_some());
            let made = Call::recorded(&record).len() as f64;
            (ended || made >= share * calls as f64).then_some(())
        });
        let second = self.begin(self.hollow.command(&self.second, &[verb, "local"]));
        thread::scope(|scope| {
            let first = scope.spawn(|| end(first));
            let second = end(second);
            (first.join().expect("the run was started"), second)
        })
    }

    fn begin(&self, mut command: std::process::Command) -> Child {
        command.env("AWS_ENDPOINT_URL", self.proxy.endpoint());
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the binary exists")
    }

    /// Returns whether all resources have the wanted settings.
    fn clean(&self, place: &Place<'_>) -> bool {
        self.run(place, &["drift", "local"]).code == Some(0)
    }

    fn run(&self, place: &Place<'_>, arguments: &[&str]) -> Run {
        Run::of(&mut self.hollow.command(place, arguments))
    }
}

fn end(run: Child) -> Ended {
    let run = Run::from(run.wait_with_output().expect("the run was started"));
    Ended { run, at: Instant::now() }
}
