//! Replays with a handler that records its events: what is delivered, what is refused, and how a replay
//! continues that is killed, taken over, slow or out of time.

use std::{io::Read, time::Duration};

use eventsourcing::{
    Envelope,
    contract::EVENTS_PREFIX,
    replay::{ControlAnswer, HandlerKind, Reason, ReplayState, ReplayStatus},
};
use futures::join;
use proptest::{collection::vec, prelude::*};
use runtime::replay::Replay;
use serde_json::{Value, json};
use storage::archive::compress;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::replay_fakes::{Counting, FakeHandler, FakeTable, Slow};
use runtime::testing::{FakeBucket, Refused, commit, envelope, tally};

type Fake = Replay<Slow<FakeBucket>, FakeTable, FakeHandler, Counting>;

/// Longer than any replay here takes, unless it has to be short.
const LONG: Duration = Duration::from_secs(900);

fn replay(handler: FakeHandler) -> Fake {
    let table = FakeTable((1..=5).map(|n| commit(tally(n), 1..=7)).collect());
    Replay {
        bucket: Slow(FakeBucket::default()),
        table,
        invoke: handler,
        surroundings: Counting::default(),
        handlers: vec!["log-events".to_owned(), "other".to_owned()],
    }
}

/// Stores events in an object of the archive, given as aggregate and version.
fn archived(replay: &Fake, key: &str, events: &[(u128, u64)]) {
    archived_in(replay, "dt=2026-11-21/hour=19", key, events);
}

fn archived_in(replay: &Fake, hour: &str, key: &str, events: &[(u128, u64)]) {
    let lines: Vec<_> = events.iter().map(|&(n, version)| envelope(tally(n), version).to_bytes()).collect();
    let object = compress(lines.iter().map(Vec::as_slice)).expect("writing to memory never fails");
    replay.bucket.0.keep(&format!("{EVENTS_PREFIX}{hour}/{key}.ndjson.gz"), object);
}

/// Fills the archive with five aggregates of seven events each, with duplicates and out of order.
fn archive(replay: &Fake) {
    let events = |versions: &[u64]| -> Vec<_> {
        (1..=5).flat_map(|n| versions.iter().map(move |&version| (n, version))).collect()
    };
    archived(replay, "a", &events(&[1, 2, 3]));
    archived(replay, "b", &events(&[6, 2, 5]));
    archived(replay, "c", &events(&[3, 4]));
    archived(replay, "d", &events(&[7]));
}

fn order() -> Value {
    json!({"do": "start", "handler": "log-events", "id": Uuid::from_u128(1), "by": "ann", "rate": 100_000})
}

fn with(mut order: Value, key: &str, value: Value) -> Value {
    order[key] = value;
    order
}

async fn ask(replay: &Fake, request: Value) -> ControlAnswer {
    replay.answer(request, Instant::now() + LONG).await.expect("everything is reachable")
}

/// Runs the requests that were sent to the function, until there are none.
async fn runs(replay: &Fake, time: Duration) {
    while let Some(request) = replay.invoke.left() {
        // Lambda repeats a failed invocation, or the test does.
        let _ = replay.answer(request, Instant::now() + time).await;
    }
}

async fn status(replay: &Fake) -> ReplayStatus {
    let answer = ask(replay, json!({"do": "status", "handler": "log-events"})).await;
    answer.status.expect("there was a replay")
}

async fn whole(replay: &Fake, order: Value) -> ReplayStatus {
    let answer = ask(replay, order).await;
    assert_eq!(answer.refused, None);
    runs(replay, LONG).await;
    status(replay).await
}

fn refused(answer: ControlAnswer) -> (Reason, String) {
    let refused = answer.refused.expect("it is refused");
    (refused.error, refused.message)
}

#[tokio::test(start_paused = true)]
async fn replay_delivers_each_aggregate_in_order() {
    let replay = replay(FakeHandler::default());
    archive(&replay);
    let status = whole(&replay, order()).await;
    assert_eq!(status.state, ReplayState::Complete, "{status:?}");
    for n in 1..=5 {
        assert_eq!(replay.invoke.seen(tally(n)), (1..=7).collect::<Vec<_>>());
    }
    let counts = status.counts;
    assert_eq!((counts.read, counts.duplicates, counts.delivered, counts.handled), (45, 10, 35, 35));
    assert_eq!((counts.aggregates, counts.waiting, counts.gaps), (5, 0, 0));
    assert_eq!(status.by_type["Counted"], 35);
    assert_eq!((status.reading.done, status.reading.total, status.reading.pass), (4, Some(4), 1));
    assert!(replay.invoke.batches().iter().all(|batch| batch.replay.id == Uuid::from_u128(1)));
}

#[tokio::test(start_paused = true)]
async fn replay_can_read_from_the_table() {
    let replay = replay(FakeHandler::default());
    let status = whole(&replay, with(order(), "from", json!("table"))).await;
    assert_eq!((status.state, status.counts.delivered), (ReplayState::Complete, 35));
    assert_eq!(replay.invoke.seen(tally(5)), (1..=7).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn replay_delivers_only_what_was_requested() {
    let only = async |only: Value| {
        let replay = replay(FakeHandler::default());
        archive(&replay);
        let status = whole(&replay, with(order(), "only", only)).await;
        assert_eq!(status.state, ReplayState::Complete);
        status.counts.delivered
    };
    assert_eq!(only(json!({"aggregates": [tally(2), tally(3)]})).await, 14);
    assert_eq!(only(json!({"types": ["Counted"]})).await, 35);
    assert_eq!(only(json!({"types": ["TallyOpened"]})).await, 0);
    // All of these events occurred at 19:02:03.123456.
    assert_eq!(only(json!({"since": "2026-11-21T19:02:03.123456Z"})).await, 35);
    assert_eq!(only(json!({"since": "2026-11-21T19:02:04Z"})).await, 0);
    assert_eq!(only(json!({"until": "2026-11-21T19:02:03.123456Z"})).await, 0);
    assert_eq!(only(json!({"until": "2026-11-21T19:02:04Z"})).await, 35);
}

#[tokio::test(start_paused = true)]
async fn dry_run_counts_and_delivers_nothing() {
    let replay = replay(FakeHandler { handler_kind: Some(HandlerKind::Reactor), ..FakeHandler::default() });
    archive(&replay);
    let answer = ask(&replay, with(order(), "dry_run", json!(true))).await;
    assert_eq!(answer.refused, None);
    let start = Instant::now();
    runs(&replay, LONG).await;
    assert!(start.elapsed() < Duration::from_secs(1), "a dry run does not wait for the archive");
    let asked = json!({"do": "status", "handler": "log-events", "dry_run": true});
    let status = ask(&replay, asked).await.status.expect("there was a dry run");
    assert_eq!(
        (status.state, status.counts.delivered, status.counts.handled),
        (ReplayState::Complete, 35, 0)
    );
    assert!(replay.invoke.batches().iter().all(|batch| batch.events.is_empty()));
}

/// The new dry run starts at different stages of the previous one.
#[tokio::test(start_paused = true)]
async fn dry_run_replaces_another_at_any_time() {
    for moment in (0..300).step_by(5) {
        let replay = replay(FakeHandler::default());
        archive(&replay);
        let dry = |id| with(with(order(), "dry_run", json!(true)), "id", json!(Uuid::from_u128(id)));
        assert_eq!(ask(&replay, dry(1)).await.refused, None);
        let later = async {
            sleep(Duration::from_millis(moment)).await;
            ask(&replay, dry(2)).await
        };
        let ((), answer) = join!(runs(&replay, LONG), later);
        assert_eq!(answer.refused, None, "after {moment} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn gap_holds_back_only_its_aggregate() {
    let replay = replay(FakeHandler::default());
    archived(&replay, "a", &[(1, 1), (1, 2), (2, 1), (2, 3), (2, 4), (1, 3)]);
    let status = whole(&replay, order()).await;
    assert_eq!(status.state, ReplayState::Incomplete);
    assert_eq!((replay.invoke.seen(tally(1)), replay.invoke.seen(tally(2))), (vec![1, 2, 3], vec![1]));
    assert_eq!((status.counts.gaps, status.gaps.len(), status.counts.waiting), (1, 1, 2));
    let gap = &status.gaps[0];
    assert_eq!((gap.aggregate_id, gap.missing, gap.last), (tally(2), 2, 4));
}

#[tokio::test(start_paused = true)]
async fn contradicting_event_is_reported_and_not_delivered() {
    let replay = replay(FakeHandler::default());
    archive(&replay);
    let fork = Envelope { id: Uuid::from_u128(99), ..envelope(tally(3), 4) };
    let object = compress([&*fork.to_bytes()]).expect("writing to memory never fails");
    replay.bucket.0.keep(&format!("{EVENTS_PREFIX}dt=2026-11-21/hour=19/e.ndjson.gz"), object);
    let status = whole(&replay, order()).await;
    assert_eq!((status.state, status.counts.delivered), (ReplayState::Incomplete, 35));
    assert_eq!((status.counts.contradictions, status.counts.duplicates), (1, 10));
    let listed = &status.contradictions[0];
    assert_eq!((listed.aggregate_id, listed.version, listed.id), (tally(3), 4, fork.id));
    let delivered = replay.invoke.batches().into_iter().flat_map(|batch| batch.events);
    assert!(!delivered.into_iter().any(|event| event.id == fork.id));
}

#[tokio::test(start_paused = true)]
async fn object_added_behind_the_reader_is_found() {
    let handler = FakeHandler::default();
    let replay = replay(handler);
    archived(&replay, "b", &[(1, 2)]);
    replay.bucket.0.keep_behind_the_reader(
        &format!("{EVENTS_PREFIX}dt=2026-11-21/hour=19/a.ndjson.gz"),
        compress([envelope(tally(1), 1).to_bytes().as_slice()]).expect("writing to memory never fails"),
    );
    let status = whole(&replay, order()).await;
    assert_eq!((status.state, status.reading.pass), (ReplayState::Complete, 2));
    assert_eq!(replay.invoke.seen(tally(1)), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn unreadable_object_is_reported_by_the_replay() {
    let replay = replay(FakeHandler::default());
    archived(&replay, "a", &[(1, 1)]);
    let key = format!("{EVENTS_PREFIX}dt=2026-11-21/hour=19/b.ndjson.gz");
    replay.bucket.0.keep(&key, b"trash".to_vec());
    archived(&replay, "c", &[(1, 2)]);
    let status = whole(&replay, order()).await;
    assert_eq!((status.state, status.counts.delivered), (ReplayState::Incomplete, 2));
    assert_eq!((status.counts.unreadable, &status.unreadable[0].key), (1, &key));
}

/// For example an object that was moved into an archive storage class: waiting does not help.
#[tokio::test(start_paused = true)]
async fn inaccessible_object_does_not_stop_the_replay() {
    let replay = replay(FakeHandler::default());
    archived(&replay, "a", &[(1, 1)]);
    archived(&replay, "b", &[(2, 1)]);
    replay.bucket.0.shut(&format!("{EVENTS_PREFIX}dt=2026-11-21/hour=19/a.ndjson.gz"));
    let status = whole(&replay, order()).await;
    assert_eq!((status.state, status.counts.delivered), (ReplayState::Incomplete, 1));
    assert_eq!(status.unreadable[0].reason, "not in this storage class");
}

/// The handler received the event live before the replay was started, at midnight, and the archive is some
/// seconds behind. In the new hour, an object of another shard already exists.
#[tokio::test(start_paused = true)]
async fn replay_delivers_events_archived_shortly_after() {
    for hour in ["dt=2026-11-21/hour=23", "dt=2026-11-22/hour=00"] {
        let replay = replay(FakeHandler::default());
        archive(&replay);
        archived_in(&replay, "dt=2026-11-22/hour=00", "shardId-000000000001-1-1", &[(2, 8)]);
        let later = async {
            sleep(Duration::from_secs(6)).await;
            archived_in(&replay, hour, "shardId-000000000000-1-1", &[(1, 8)]);
        };
        let (status, ()) = join!(whole(&replay, order()), later);
        assert_eq!(
            (status.state, status.counts.delivered),
            (ReplayState::Complete, 37),
            "{hour}: {status:?}"
        );
        assert_eq!(replay.invoke.seen(tally(1)), (1..=8).collect::<Vec<_>>(), "{hour}");
        assert_eq!((status.reading.pass, status.counts.duplicates), (1, 10), "every object is read once");
        assert_eq!(status.reading.total, Some(status.reading.done), "the total includes the late objects");
    }
}

/// The table has every event at once.
#[tokio::test(start_paused = true)]
async fn replay_waits_for_the_archive_but_not_the_table() {
    let table = with(order(), "from", json!("table"));
    // An old event may have been published this minute.
    let hours_ago = with(order(), "only", json!({"until": "2026-11-21T22:00:00Z"}));
    for (order, waits) in [(table, false), (hours_ago, true), (order(), true)] {
        let replay = replay(FakeHandler::default());
        archive(&replay);
        let start = Instant::now();
        let status = whole(&replay, order.clone()).await;
        assert_eq!(status.state, ReplayState::Complete, "{order}: {status:?}");
        assert_eq!(start.elapsed() >= Duration::from_secs(20), waits, "{order}: {:?}", start.elapsed());
    }
}

/// The system clock does not move in this test, and the wait still ends.
#[tokio::test(start_paused = true)]
async fn replay_waiting_for_the_archive_saves_and_hands_over() {
    let replay = replay(FakeHandler::default());
    archive(&replay);
    archived_in(&replay, "dt=2026-11-22/hour=00", "a", &[(1, 8)]);
    ask(&replay, order()).await;
    let start = Instant::now();
    let mut listed = Vec::new();
    let look = async {
        while status(&replay).await.state == ReplayState::Running {
            listed.push(status(&replay).await);
            sleep(Duration::from_secs(3)).await;
        }
    };
    join!(runs(&replay, Duration::from_secs(9)), look);
    let waits: Vec<_> = listed.iter().skip(1).map(|status| status.reading.waits_s).collect();
    assert!(waits[0] > 15 && waits.is_sorted_by(|one, next| one > next), "{waits:?}");
    assert!(listed.windows(2).all(|two| two[0].saves < two[1].saves), "{listed:?}");
    assert!(
        listed.iter().skip(1).all(|status| status.counts.delivered == 35),
        "the settled events are delivered at once"
    );
    assert!(replay.invoke.sent() > 2, "{} requests were sent", replay.invoke.sent());
    let took = start.elapsed().as_secs();
    assert!((20..25).contains(&took), "it took {took} s");
    let status = status(&replay).await;
    assert_eq!(
        (status.state, status.counts.delivered, status.reading.waits_s),
        (ReplayState::Complete, 36, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn replay_waiting_for_the_archive_can_be_cancelled() {
    let replay = replay(FakeHandler::default());
    archive(&replay);
    archived_in(&replay, "dt=2026-11-22/hour=00", "a", &[(1, 8)]);
    ask(&replay, order()).await;
    let start = Instant::now();
    let cancel = async {
        sleep(Duration::from_secs(5)).await;
        ask(&replay, json!({"do": "cancel", "handler": "log-events"})).await
    };
    let (answer, ()) = join!(cancel, runs(&replay, LONG));
    assert_eq!(answer.refused, None);
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    let status = status(&replay).await;
    assert_eq!((status.state, status.counts.delivered), (ReplayState::Cancelled, 35));
}

#[tokio::test(start_paused = true)]
async fn acting_handler_is_not_replayed_without_permission() {
    let replay = replay(FakeHandler { handler_kind: Some(HandlerKind::Reactor), ..FakeHandler::default() });
    archive(&replay);
    let (reason, message) = refused(ask(&replay, order()).await);
    assert_eq!((reason, replay.invoke.left()), (Reason::HandlerHasSideEffects, None));
    assert!(message.contains("has side effects"), "{message}");
    assert_eq!(replay.invoke.batches().len(), 1, "the handler was only asked");
    let status = whole(&replay, with(order(), "repeat_side_effects", json!(true))).await;
    assert_eq!((status.state, status.counts.delivered), (ReplayState::Complete, 35));
    assert!(replay.invoke.batches().iter().skip(1).all(|batch| batch.replay.repeat_side_effects));
}

#[tokio::test(start_paused = true)]
async fn invalid_replay_request_is_refused_without_any_call() {
    let replay = replay(FakeHandler::default());
    for (request, expected) in [
        (with(order(), "rate", json!(0)), Reason::InvalidRequest),
        (
            with(order(), "only", json!({"since": "2026-11-22T00:00:00Z", "until": "2026-11-21T00:00:00Z"})),
            Reason::InvalidRequest,
        ),
        (with(order(), "handler", json!("unknown")), Reason::UnknownHandler),
        (json!({"do": "status", "handler": "unknown"}), Reason::UnknownHandler),
        (json!({"do": "status", "handler": "log-events"}), Reason::NoReplay),
        (json!({"do": "cancel", "handler": "log-events"}), Reason::NoReplay),
        (json!({}), Reason::InvalidRequest),
    ] {
        let (reason, message) = refused(ask(&replay, request.clone()).await);
        assert_eq!(reason, expected, "{request}: {message}");
    }
    assert_eq!((replay.invoke.batches().len(), replay.bucket.0.keys().len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn function_not_answering_as_handler_is_refused() {
    let replay = replay(FakeHandler { answers: Some(json!({"tally_id": 1})), ..FakeHandler::default() });
    let (reason, message) = refused(ask(&replay, order()).await);
    assert_eq!(reason, Reason::HandlerFailed);
    assert!(message.contains("does not answer like a handler"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn second_replay_of_the_same_handler_is_refused() {
    let replay = replay(FakeHandler::default());
    archive(&replay);
    ask(&replay, order()).await;
    let second = with(with(order(), "id", json!(Uuid::from_u128(2))), "by", json!("zoë"));
    let answer = ask(&replay, second.clone()).await;
    assert_eq!(answer.status.as_ref().map(|status| status.order.id), Some(Uuid::from_u128(1)));
    let (reason, message) = refused(answer);
    assert_eq!(reason, Reason::AlreadyRunning);
    assert!(message.contains("started by ann at "), "{message}");
    let other = ask(&replay, with(second.clone(), "handler", json!("other"))).await;
    assert_eq!(other.refused, None);
    // Both sent a request. When both have run, the next replay may start.
    runs(&replay, LONG).await;
    assert_eq!(status(&replay).await.state, ReplayState::Complete);
    assert_eq!(whole(&replay, second).await.state, ReplayState::Complete);
}

#[tokio::test(start_paused = true)]
async fn repeated_replay_order_is_the_same_order() {
    let replay = replay(FakeHandler::default());
    archive(&replay);
    let first = ask(&replay, order()).await;
    let again = ask(&replay, order()).await;
    assert_eq!(again.refused, None);
    assert_eq!(again.status.map(|status| status.order), first.status.map(|status| status.order));
    runs(&replay, LONG).await;
    assert_eq!(status(&replay).await.counts.delivered, 35);
    assert_eq!(ask(&replay, order()).await.status.map(|status| status.state), Some(ReplayState::Complete));
    assert_eq!(replay.invoke.left(), None);
}

#[tokio::test(start_paused = true)]
async fn cancelled_replay_stops_after_batches_in_flight() {
    let replay = replay(FakeHandler { takes: Duration::from_secs(20), ..FakeHandler::default() });
    archive(&replay);
    ask(&replay, with(order(), "rate", json!(1))).await;
    let cancel = async {
        tokio::time::sleep(Duration::from_secs(30)).await;
        ask(&replay, json!({"do": "cancel", "handler": "log-events"})).await
    };
    let (answer, ()) = tokio::join!(cancel, runs(&replay, LONG));
    assert_eq!(answer.refused, None);
    let status = status(&replay).await;
    assert_eq!(status.state, ReplayState::Cancelled);
    assert!((1..35).contains(&status.counts.delivered), "{status:?}");
    let batches = replay.invoke.batches().len();
    runs(&replay, LONG).await;
    assert_eq!(replay.invoke.batches().len(), batches, "nothing is delivered after the cancellation");
}

/// An unreadable progress, such as one of another release, must not block replays for ever.
#[tokio::test(start_paused = true)]
async fn unreadable_replay_progress_can_be_cancelled_and_restarted() {
    let replay = replay(FakeHandler::default());
    archive(&replay);
    let gzip = |text: &str| compress([text.as_bytes()]).expect("writing to memory never fails");
    for (n, broken) in [b"nonsense".to_vec(), gzip("{}"), gzip(r#"{"format": 1}"#)].into_iter().enumerate() {
        replay.bucket.0.keep("replays/log-events.json.gz", broken);
        let anew = with(order(), "id", json!(Uuid::from_u128(n as u128 + 1)));
        let fault =
            replay.answer(anew.clone(), Instant::now() + LONG).await.expect_err("the progress is unreadable");
        assert!(fault.to_string().contains("cancel the replay"), "{fault}");
        let answer = ask(&replay, json!({"do": "cancel", "handler": "log-events"})).await;
        let lost = answer.status.expect("the answer has a status");
        assert_eq!((answer.refused, lost.state), (None, ReplayState::Cancelled));
        assert!(lost.problem.is_some_and(|problem| problem.contains("could not be read")));
        let status = whole(&replay, anew).await;
        assert_eq!((status.state, status.counts.delivered), (ReplayState::Complete, 35));
    }
}

/// For example if the lineup is too large for the function's memory.
#[tokio::test(start_paused = true)]
async fn replay_status_and_cancel_work_without_the_lineup() {
    let replay = replay(FakeHandler::default());
    archive(&replay);
    ask(&replay, order()).await;
    let mut text = String::new();
    let saved = replay.bucket.0.object("replays/log-events.json.gz");
    flate2::read::GzDecoder::new(&*saved).read_to_string(&mut text).expect("the progress is gzip");
    let (standing, _) = text.split_once('\n').expect("there are two lines");
    let cut = compress([standing.as_bytes()]).expect("writing to memory never fails");
    replay.bucket.0.keep("replays/log-events.json.gz", cut);
    assert_eq!(status(&replay).await.state, ReplayState::Running);
    let request = replay.invoke.left().expect("a runner was requested");
    replay.answer(request, Instant::now() + LONG).await.expect_err("a runner needs the lineup");
    let answer = ask(&replay, json!({"do": "cancel", "handler": "log-events"})).await;
    assert_eq!(answer.refused, None);
    let status = answer.status.expect("the answer has a status");
    assert_eq!((status.state, status.order.by.as_str()), (ReplayState::Cancelled, "ann"));
}

#[tokio::test(start_paused = true)]
async fn replay_runner_out_of_time_hands_over() {
    let replay = replay(FakeHandler { takes: Duration::from_secs(3), ..FakeHandler::default() });
    archive(&replay);
    ask(&replay, with(order(), "rate", json!(1))).await;
    runs(&replay, Duration::from_secs(20)).await;
    let status = status(&replay).await;
    assert_eq!((status.state, status.counts.delivered), (ReplayState::Complete, 35));
    assert!(replay.invoke.sent() > 2, "{} requests were sent", replay.invoke.sent());
    // No runner abandoned its batches in flight, so nothing was delivered twice.
    let all: usize = replay.invoke.batches().iter().map(|batch| batch.events.len()).sum();
    assert_eq!(all, 35);
}

#[tokio::test(start_paused = true)]
async fn replay_keeps_the_requested_rate() {
    let replay = replay(FakeHandler::default());
    archive(&replay);
    let start = Instant::now();
    let slowly = with(with(order(), "rate", json!(2)), "from", json!("table"));
    assert_eq!(whole(&replay, slowly).await.state, ReplayState::Complete);
    let took = start.elapsed().as_secs();
    assert!((16..20).contains(&took), "35 events took {took} s");
}

#[tokio::test(start_paused = true)]
async fn replay_retries_passing_failures_and_reports_lasting_ones() {
    let replay = replay(FakeHandler { fails: 3.into(), ..FakeHandler::default() });
    archive(&replay);
    let answer = ask(&replay, order()).await;
    assert_eq!(answer.refused, None, "asking the handler is retried, too");
    replay.invoke.fail(2);
    runs(&replay, LONG).await;
    assert_eq!(status(&replay).await.state, ReplayState::Complete);

    let second = with(order(), "id", json!(Uuid::from_u128(2)));
    ask(&replay, second).await;
    replay.invoke.fail(usize::MAX);
    runs(&replay, LONG).await;
    let stuck = status(&replay).await;
    assert_eq!(stuck.state, ReplayState::Running);
    assert!(stuck.problem.as_ref().is_some_and(|problem| problem.contains("out of order")), "{stuck:?}");

    // A client notices that the replay makes no progress, and requests another runner.
    replay.invoke.fail(0);
    let request = json!({
        "do": "continue", "handler": "log-events", "id": Uuid::from_u128(2), "saves": stuck.saves,
    });
    ask(&replay, request.clone()).await;
    let status = status(&replay).await;
    assert_eq!((status.state, status.counts.delivered, status.problem), (ReplayState::Complete, 35, None));
    // A request that comes too late changes nothing.
    let batches = replay.invoke.batches().len();
    ask(&replay, request).await;
    assert_eq!(replay.invoke.batches().len(), batches);
}

#[tokio::test(start_paused = true)]
async fn overloaded_handler_gets_smaller_replay_batches() {
    let replay = replay(FakeHandler { most: Some(3), ..FakeHandler::default() });
    archive(&replay);
    ask(&replay, order()).await;
    let request = replay.invoke.left().expect("a runner was requested");
    let mut runs = 0;
    while status(&replay).await.state == ReplayState::Running {
        let _ = replay.answer(request.clone(), Instant::now() + LONG).await;
        runs += 1;
    }
    // Batches of 100, 50, 25, 12 and 6 events fail, and one of 3 succeeds.
    assert_eq!((runs, status(&replay).await.counts.delivered), (6, 35));
}

#[tokio::test(start_paused = true)]
async fn replaced_replay_runner_stops() {
    let replay = replay(FakeHandler { takes: Duration::from_secs(1), ..FakeHandler::default() });
    archive(&replay);
    ask(&replay, with(order(), "rate", json!(1))).await;
    let request = replay.invoke.left().expect("a runner was requested");
    let second = async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        replay.answer(request.clone(), Instant::now() + LONG).await
    };
    let (first, second) = tokio::join!(replay.answer(request.clone(), Instant::now() + LONG), second);
    let first = first.expect("nothing failed").refused.expect("the first runner was replaced");
    assert!(first.message.contains("taken over"));
    assert_eq!(second.expect("nothing failed").refused, None);
    assert_eq!(status(&replay).await.state, ReplayState::Complete);
    for n in 1..=5 {
        assert_eq!(replay.invoke.seen_first(tally(n)), (1..=7).collect::<Vec<_>>());
    }
}

/// S3 refuses a conditional put while another is in flight, which may be an attempt that the SDK abandoned.
/// If the runner took itself for replaced, the replay would have no runner.
#[tokio::test(start_paused = true)]
async fn conflicting_replay_save_is_retried() {
    let replay = replay(FakeHandler::default());
    archive(&replay);
    replay.bucket.0.conflict(2);
    let answer = ask(&replay, order()).await;
    assert_eq!(answer.refused, None);
    // The next runner gets the same conflicts.
    replay.bucket.0.conflict(2);
    runs(&replay, LONG).await;
    assert_eq!(status(&replay).await.state, ReplayState::Complete);
    // If the conflicts do not end, it is a fault: Lambda repeats the invocation.
    replay.bucket.0.conflict(usize::MAX);
    let again = with(order(), "id", json!(Uuid::from_u128(2)));
    let fault = replay.answer(again, Instant::now() + LONG).await.expect_err("nothing can be saved");
    assert!(
        fault.to_string().ends_with("cannot be written for now, although no other writer changed it"),
        "{fault}"
    );
}

#[tokio::test(start_paused = true)]
async fn unreachable_bucket_is_a_replay_fault() {
    let replay = Replay {
        bucket: Slow(FakeBucket::out_of_reach()),
        table: FakeTable(Vec::new()),
        invoke: FakeHandler::default(),
        surroundings: Counting::default(),
        handlers: vec!["log-events".to_owned()],
    };
    let fault = replay.answer(order(), Instant::now() + LONG).await.expect_err("the bucket is unreachable");
    assert!(fault.to_string().contains(&Refused::OutOfReach.to_string()), "{fault}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Each call takes 10 ms before and 10 ms after its effect, and a runner is killed at any time.
    #[test]
    fn replay_survives_kills_and_concurrent_runners(
        lives in vec((0..6_000u64, any::<bool>()), 0..9),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime can be created").block_on(async {
            let handler = FakeHandler { takes: Duration::from_millis(900), ..FakeHandler::default() };
            let replay = replay(handler);
            archive(&replay);
            // Slow enough for several saves.
            ask(&replay, with(order(), "rate", json!(5))).await;
            let go_on = json!({"do": "continue", "handler": "log-events", "id": Uuid::from_u128(1)});
            let one = || replay.answer(go_on.clone(), Instant::now() + LONG);
            for (life, two) in lives {
                let life = Duration::from_millis(life);
                if two {
                    let _ = tokio::join!(timeout(life, one()), timeout(life / 2, one()));
                } else {
                    let _ = timeout(life, one()).await;
                }
            }
            one().await.expect("nothing fails");
            assert_eq!(status(&replay).await.state, ReplayState::Complete);
            for n in 1..=5 {
                assert_eq!(replay.invoke.seen_first(tally(n)), (1..=7).collect::<Vec<_>>());
            }
        });
    }
}
