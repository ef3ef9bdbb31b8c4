//! Replays: all events are delivered to a handler again, in order, although runners are killed; and never to
//! a reactor without permission.

use aws::AwsNames;
use std::process::Stdio;

use acceptance::{Cloud, Deployed, Place, Run, Running, Signal, Storm, Witness, until};
use rustix::process::{Pid, kill_process};
use serde_json::Value;

use crate::Test;

pub(crate) const TESTS: &[Test] = &[
    ("replay_killed_twice_delivers_all", replay_killed_twice_delivers_all),
    ("replay_is_refused_or_cancelled", replay_is_refused_or_cancelled),
];

const START: [&str; 5] = ["replay", "local", "log-events", "--yes", "--repeat-side-effects"];

/// The client that started the replay ends. The runner is killed after it delivered some events, and again
/// after the replay continued. Meanwhile no second replay can be started. In the end, the handler got every
/// event of the table, marked and in order.
fn replay_killed_twice_delivers_all(cloud: &Cloud) {
    let place = cloud.place();
    let up = Deployed::local(&place);
    let table = Storm { events: 400, carts: 40 }.quietly(&place, &up);
    start_and_leave(&place, &["--rate", "20"]);

    let mut before = 0;
    for _ in 0..2 {
        let status = until("the replay to make progress", || {
            let status = status(&place);
            assert_eq!(status["state"], "running", "the replay ended too early: {status:#}");
            (delivered(&status) > before).then_some(status)
        });
        before = delivered(&status);
        assert!(before < table.len() as u64, "the replay is already complete: {status:#}");
        assert!(kill_the_runner(cloud, &up) > 0, "the replay has no runner: {status:#}");
        let second = place.deployer(&[&START[..], &["--rate", "7"]].concat());
        assert_eq!(second.code, Some(1), "{second:#?}");
        assert!(second.stderr.contains("a replay of log-events is already running"), "{second:#?}");
    }

    let run = place.deploys(&["replay", "local", "log-events", "--yes", "--follow", "--format", "json"]);
    let replay = &run.json()["replay"];
    assert_eq!((&replay["state"], delivered(replay)), (&"complete".into(), table.len() as u64), "{replay:#}");
    let id = replay["order"]["id"].as_str().expect("a replay has an id").parse().expect("the id is a UUID");
    let seen = Witness::of_log(&up, Some(id));
    assert_eq!(seen.differences(&table), [""; 0], "{replay:#}");
    let live = Witness::of_log(&up, None);
    assert_eq!(live.events(), table.len(), "replayed events are marked");
}

/// log-events has side effects, so its replay needs permission. A cancelled replay delivers only a part, and
/// the next replay can start.
fn replay_is_refused_or_cancelled(cloud: &Cloud) {
    let place = cloud.place();
    let up = Deployed::local(&place);
    let table = Storm { events: 60, carts: 3 }.quietly(&place, &up);
    let acts = place.deployer(&START[..4]);
    assert_eq!(acts.code, Some(1), "{acts:#?}");
    assert!(acts.stderr.contains("log-events has side effects"), "{acts:#?}");
    let counted = place.deploys(&[&START[..4], &["--dry-run", "--format", "json"]].concat()).json();
    assert_eq!(delivered(&counted["replay"]), table.len() as u64, "{counted:#}");
    assert!(replayed_lines(&up).is_empty(), "neither of the two delivers events");

    start_and_leave(&place, &["--rate", "1", "--from", "table"]);
    until("the replay to begin", || (delivered(&status(&place)) > 0).then_some(()));
    place.deploys(&["replay", "local", "log-events", "--yes", "--cancel"]);
    let cancelled = status(&place);
    assert_eq!(cancelled["state"], "cancelled", "{cancelled:#}");
    let id = cancelled["order"]["id"].clone();

    let only = ["--type", "CartOpened", "--format", "json"];
    let next = place.deploys(&[&START[..], &only].concat()).json();
    assert_eq!(next["replay"]["state"], "complete", "{next:#}");
    assert_eq!(delivered(&next["replay"]), 3, "{next:#}");
    let (cancelled, next): (Vec<Value>, Vec<Value>) =
        replayed_lines(&up).into_iter().partition(|line| line["replay"] == id);
    assert!((1..table.len()).contains(&cancelled.len()), "{} lines of the cancelled replay", cancelled.len());
    assert!(next.iter().all(|line| line["event_type"] == "CartOpened"), "{next:#?}");
}

/// Starts a replay to log-events, and stops following it once it runs.
fn start_and_leave(place: &Place<'_>, options: &[&str]) {
    let mut command = place.command(&[&START[..], options].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary exists");
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("the process was not waited for");
    until("the replay to start", || (status(place)["state"] == "running").then_some(()));
    kill_process(pid, Signal::INT).expect("the process follows the replay while it runs");
    let left = Run::from(child.wait_with_output().expect("the process was not waited for"));
    assert_eq!(left.code, Some(130), "{left:#?}");
    assert!(left.stderr.contains("the replay continues"), "{left:#?}");
}

/// Returns the status of the last replay to log-events; null if there was none.
fn status(place: &Place<'_>) -> Value {
    let status = place.deployer(&["replay", "local", "log-events", "--status", "--format", "json"]);
    if status.code == Some(0) { status.json()["replay"].clone() } else { Value::Null }
}

fn delivered(status: &Value) -> u64 {
    status["counts"]["delivered"].as_u64().unwrap_or_default()
}

/// Kills every process of the account's function `replay`. Returns how many there were.
fn kill_the_runner(cloud: &Cloud, up: &Deployed<'_>) -> usize {
    let scope = &up.aws.scope;
    let (name, archive) = (scope.name("replay"), Some(scope.bucket_name("archive")));
    let ours = |running: &Running| running.function == name && running.archive == archive;
    cloud.running().iter().filter(|running| ours(running) && running.kill()).count()
}

/// Returns the lines of log-events for replayed events.
fn replayed_lines(up: &Deployed<'_>) -> Vec<Value> {
    let lines = up.logged("log-events").into_iter();
    lines.filter(|line| line["message"] == "event" && line["replay"].is_string()).collect()
}
