//! Following logs, with a fake CloudWatch Logs that shows lines late and accepts five calls a second.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::*;
use aws::testing::{Asked, Script, ScriptedAnswer, body, fault};

/// The start time of all tests, in milliseconds since 1970.
const START: i64 = 1_795_000_000_000;

/// The calls that CloudWatch Logs accepts in a second.
const ALLOWED: usize = 5;

/// A log line, with its own time and the time from which CloudWatch Logs shows it.
struct Written {
    function: String,
    id: String,
    at: i64,
    shown_at: i64,
}

/// Returns a line written at this time after the start, and shown this much later.
fn written(function: &str, id: &str, at: Duration, late: Duration) -> Written {
    let at_ms = START + i64::try_from(at.as_millis()).unwrap();
    let late = i64::try_from(late.as_millis()).unwrap();
    Written { function: function.to_owned(), id: id.to_owned(), at: at_ms, shown_at: at_ms + late }
}

/// A fake CloudWatch Logs, and the clock of the test.
struct Fake {
    script: Script,
    started: Instant,
    refused: Arc<AtomicUsize>,
}

impl Fake {
    fn with(lines: Vec<Written>) -> Self {
        let (started, refused) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
        let (calls, count) = (Mutex::new(VecDeque::<Instant>::new()), Arc::clone(&refused));
        let answer = move |asked: &Asked| {
            let mut calls = calls.lock().unwrap();
            calls.retain(|call| call.elapsed() < Duration::from_secs(1));
            if calls.len() >= ALLOWED {
                count.fetch_add(1, Ordering::Relaxed);
                return fault(400, "ThrottlingException", "Rate exceeded");
            }
            calls.push_back(Instant::now());
            page(&lines, &serde_json::from_str(&asked.body).unwrap(), now(started).as_millisecond())
        };
        Self { script: Script::new().by("FilterLogEvents", answer), started, refused }
    }

    /// Follows until `count` lines were shown, and returns each with the time at which it was shown.
    async fn follow(&self, functions: &[&str], count: usize) -> Vec<(String, Duration)> {
        let (aws, started) = (self.script.aws(), self.started);
        let functions = functions.iter().map(|name| (*name).to_owned()).collect();
        let logs = Logs { functions, filter: None, aws: &aws, now: &|| now(started) };
        let mut shown = Vec::new();
        let show = |lines: &[LogLine]| {
            shown.extend(lines.iter().map(|line| (line.identity.event.clone(), started.elapsed())));
            if shown.len() >= count { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let followed = timeout(Duration::from_secs(600), logs.follow(now(started), show)).await;
        assert!(matches!(followed, Ok(Ok(()))), "{followed:?}: {shown:?}");
        shown
    }
}

/// Returns the time of the test, which has a paused clock.
fn now(started: Instant) -> Timestamp {
    let after = i64::try_from(started.elapsed().as_millis()).unwrap();
    Timestamp::from_millisecond(START + after).unwrap()
}

/// Returns a page of at most 100 lines.
fn page(lines: &[Written], asked: &Value, now: i64) -> ScriptedAnswer {
    let (group, from) = (asked["logGroupName"].as_str().unwrap(), asked["startTime"].as_i64().unwrap());
    let skipped = asked["nextToken"].as_str().map_or(0, |token| token.parse::<usize>().unwrap());
    let of_function = lines.iter().filter(|line| group == format!("/aws/lambda/{}", line.function));
    let shown: Vec<&Written> = of_function.filter(|line| line.at >= from && line.shown_at <= now).collect();
    let event = |line: &&Written| json!({"eventId": line.id, "timestamp": line.at, "message": line.id});
    let events: Vec<Value> = shown.iter().skip(skipped).take(100).map(event).collect();
    let next = (skipped + 100 < shown.len()).then(|| (skipped + 100).to_string());
    body(json!({"events": events, "nextToken": next}))
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn ids(shown: &[(String, Duration)]) -> Vec<&str> {
    shown.iter().map(|(id, _)| id.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn late_line_is_shown_when_it_comes() {
    let fake = Fake::with(vec![
        written("a", "late", seconds(1), seconds(20)),
        written("a", "later", seconds(2), seconds(100)),
        written("a", "in time", seconds(15), seconds(1)),
        written("a", "last", seconds(110), seconds(1)),
    ]);
    let shown = fake.follow(&["a"], 4).await;
    assert_eq!(ids(&shown), ["in time", "late", "later", "last"]);
    assert!(shown[1].1 < seconds(25) && shown[2].1 < seconds(106), "{shown:?}");
}

#[tokio::test(start_paused = true)]
async fn line_dated_ahead_hides_no_other() {
    let ahead = Written { shown_at: START + 1_000, ..written("a", "ahead", seconds(1_800), seconds(0)) };
    let others = (0..5).map(|at| written("a", &format!("{at}"), seconds(10 + 60 * at), seconds(1)));
    let fake = Fake::with(others.chain([ahead]).collect());
    let shown = fake.follow(&["a"], 6).await;
    assert_eq!(ids(&shown), ["ahead", "0", "1", "2", "3", "4"]);
}

#[tokio::test(start_paused = true)]
async fn log_following_keeps_the_rate_and_loses_no_line() {
    let functions: Vec<String> = (0..50).map(|number| format!("f{number}")).collect();
    let mut lines = Vec::new();
    for (number, function) in (0..).zip(&functions) {
        for at in 0..3 {
            let late = seconds((7 * number + at) % 30);
            lines.push(written(function, &format!("{function}/{at}"), seconds(10 * at + 1), late));
        }
    }
    // More lines than fit into a page.
    for at in 0..250 {
        lines.push(written("f0", &format!("page/{at}"), Duration::from_millis(at), seconds(0)));
    }
    let (count, expected) = (lines.len(), lines.iter().map(|line| line.id.clone()).collect());
    let fake = Fake::with(lines);
    let names: Vec<&str> = functions.iter().map(String::as_str).collect();
    let shown = fake.follow(&names, count).await;
    assert_eq!(shown.iter().map(|(id, _)| id.clone()).collect::<BTreeSet<String>>(), expected);
    assert!(fake.script.calls().len() >= 150, "there were three rounds");
    assert_eq!(fake.refused.load(Ordering::Relaxed), 0, "calls above the quota");
}

#[test]
fn shown_lines_are_forgotten_with_their_window() {
    let line = |id: &str, at: i64| {
        let identity = Identity { function: "a".to_owned(), event: id.to_owned() };
        LogLine { at, identity, text: String::new() }
    };
    let mut shown = Shown { from: 0, lines: HashMap::new() };
    assert_eq!(shown.news(vec![line("old", 10), line("young", 30)]).len(), 2);
    shown.forget_before(Timestamp::from_millisecond(20).unwrap());
    assert_eq!((shown.from, shown.lines.len()), (20, 1));
    assert_eq!(shown.news(vec![line("young", 30), line("new", 25)]).len(), 1);
    // After the clock is set back, no line is shown twice.
    shown.forget_before(Timestamp::from_millisecond(5).unwrap());
    assert_eq!((shown.from, shown.lines.len()), (20, 2));
}

#[test]
fn filter_pattern_of_more_than_words_is_recognised() {
    for pattern in ["{ $.level = \"ERROR\" }", "[ip, user]", "\"two words\"", "ERROR -Timeout", "?a ?b"] {
        assert!(is_structured(pattern), "{pattern}");
    }
    for pattern in ["ERROR", "CartClosed v4", ""] {
        assert!(!is_structured(pattern), "{pattern}");
    }
}
