//! Handlers: order, retries, panics, poison and replays.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use eventsourcing::testing::tally::{Tally, TallyEvent};
use eventsourcing::{
    Envelope, JsonText,
    replay::{HandlerKind, QuarantinedEvent, ReplayBatch, Replayed},
};
use runtime::{
    failed::Failed,
    handler::{Delivered, EventPosition, Everything, HandlerError, Input, projection, reactor},
};
use serde_json::json;
use storage::patience::Patience;
use tokio::time::sleep;
use uuid::Uuid;

use crate::logged::{DEPLOYED, logged, of};
use runtime::testing::{FakeBucket, delivered, envelope, failed, tally};

const NAME: &str = "tested";
const REPLAY: Uuid = Uuid::from_u128(0x4e9);

/// The aggregate and version of each event that a handler got.
#[derive(Default)]
struct Handed(Mutex<Vec<(Uuid, u64)>>);

impl Handed {
    fn note<T: runtime::handler::Takes>(&self, delivered: &Delivered<T>) {
        let Envelope { aggregate_id, version, .. } = delivered.envelope;
        self.0.lock().expect("no test continues after a panic").push((aggregate_id, version));
    }

    fn of(&self, id: Uuid) -> Vec<u64> {
        let all = self.0.lock().expect("no test continues after a panic");
        all.iter().filter(|(of, _)| *of == id).map(|(_, version)| *version).collect()
    }
}

/// Returns a batch with these events.
fn batch<'a>(envelopes: impl IntoIterator<Item = &'a Envelope>) -> Input {
    let records: Vec<_> = envelopes.into_iter().map(Envelope::to_bytes).collect();
    Input::Records(delivered(&records))
}

fn replayed(repeat_side_effects: bool, events: impl IntoIterator<Item = Envelope>) -> Input {
    let replay = Replayed { id: REPLAY, repeat_side_effects };
    Input::Replay(ReplayBatch { replay, events: events.into_iter().collect() })
}

fn events(id: Uuid, versions: std::ops::RangeInclusive<u64>) -> Vec<Envelope> {
    versions.map(|version| envelope(id, version)).collect()
}

fn kept() -> Failed<FakeBucket> {
    failed(NAME)
}

fn key(id: Uuid, version: u64) -> String {
    format!("failed/tested/tally-{id}-{version}.json")
}

fn a_moment() -> Patience {
    Patience::lasting(Duration::from_secs(5))
}

#[derive(Debug, thiserror::Error)]
#[error("out of stock")]
struct OutOfStock;

#[tokio::test(start_paused = true)]
async fn events_are_handled_in_order_per_aggregate_concurrently() {
    let (handed, failed) = (Handed::default(), kept());
    let handler = projection(async |delivered: Delivered<Tally>| {
        // The earlier an event, the longer it takes.
        sleep(Duration::from_secs(10 - delivered.envelope.version)).await;
        handed.note(&delivered);
        Ok(())
    });
    let all = (1..=3).flat_map(|version| (1..=5).map(move |n| envelope(tally(n), version)));
    let all: Vec<_> = all.collect();
    let begun = tokio::time::Instant::now();
    handler.answer(batch(&all), &failed, &a_moment()).await.expect("all events are handled");
    for n in 1..=5 {
        assert_eq!(handed.of(tally(n)), [1, 2, 3]);
    }
    assert_eq!(begun.elapsed().as_secs(), 9 + 8 + 7, "5 aggregates take as long as one");
}

/// A UUID is unique within its type only: the first event of one aggregate waits for that of the other.
#[tokio::test(start_paused = true)]
async fn aggregates_of_two_types_with_one_id_are_handled_concurrently() {
    let (both, failed) = (tokio::sync::Barrier::new(2), kept());
    let handler = projection(async |_: Delivered<Everything>| {
        both.wait().await;
        Ok(())
    });
    let one = envelope(tally(1), 1);
    let other = Envelope { aggregate_type: "another".to_owned(), ..one.clone() };
    let patience = a_moment();
    let answer = handler.answer(batch(&[one, other]), &failed, &patience);
    let answer = tokio::time::timeout(Duration::from_secs(1), answer).await;
    answer.expect("neither waits for the other to end").expect("both are handled");
}

#[tokio::test]
async fn handler_gets_event_and_envelope_without_replay_mark() {
    let (failed, event) = (kept(), envelope(tally(1), 4));
    let handler = reactor(async |delivered: Delivered<Tally>| {
        assert_eq!(delivered.event, TallyEvent::Counted { what: "tea".to_owned(), times: 1 });
        assert_eq!((&delivered.envelope, delivered.replay), (&event, None));
        Ok::<_, HandlerError>(())
    });
    handler.answer(batch([&event]), &failed, &a_moment()).await.expect("it is handled");
    assert_eq!(failed.bucket().keys(), [""; 0], "no assertion failed, which would quarantine the event");
}

#[tokio::test(start_paused = true)]
async fn passing_failure_is_retried_before_later_events() {
    let (handed, failed, tried) = (Handed::default(), kept(), AtomicUsize::new(0));
    let handler = projection(async |delivered: Delivered<Tally>| {
        handed.note(&delivered);
        if delivered.envelope.version == 2 && tried.fetch_add(1, Ordering::Relaxed) < 4 {
            return Err(OutOfStock.into());
        }
        Ok(())
    });
    handler.answer(batch(&events(tally(1), 1..=3)), &failed, &a_moment()).await.expect("a retry succeeds");
    assert_eq!(handed.of(tally(1)), [1, 2, 2, 2, 2, 2, 3]);
    assert_eq!(failed.bucket().keys(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn persistent_failure_fails_the_batch() {
    let (handed, failed) = (Handed::default(), kept());
    let handler = projection(async |delivered: Delivered<Tally>| {
        handed.note(&delivered);
        match delivered.envelope.version {
            2 => Err(OutOfStock.into()),
            _ => Ok(()),
        }
    });
    let all: Vec<_> = (1..=30).flat_map(|n| events(tally(n), 1..=3)).collect();
    let fault = handler.answer(batch(&all), &failed, &a_moment()).await;
    let fault = fault.expect_err("the batch fails").to_string();
    assert!(fault.starts_with("version 2 of tally 00000000-0000-0000-0000-"), "{fault}");
    assert!(fault.ends_with(" could not be handled for now: out of stock"), "{fault}");
    for n in 1..=30 {
        assert!(!handed.of(tally(n)).contains(&3), "no event overtakes in aggregate {n}");
    }
    assert_eq!(handed.of(tally(30)), [0; 0], "no aggregate is started after the failure");
    assert_eq!(failed.bucket().keys(), [""; 0], "a passing failure is not poison");
}

#[tokio::test]
async fn poison_is_quarantined_with_reason_and_metric() {
    let (handed, failed) = (Handed::default(), kept());
    let handler = projection(async |delivered: Delivered<Tally>| {
        handed.note(&delivered);
        match delivered.envelope.version {
            2 => Err(HandlerError::poison(OutOfStock)),
            _ => Ok(()),
        }
    });
    let events = events(tally(1), 1..=3);
    let (done, lines) = logged(handler.answer(batch(&events), &failed, &a_moment())).await;
    done.expect("the batch succeeds");
    assert_eq!(handed.of(tally(1)), [1, 2, 3], "poison is tried once");

    assert_eq!(failed.bucket().keys(), [key(tally(1), 2)]);
    let object = failed.bucket().json(&key(tally(1), 2));
    assert_eq!((&object["function"], &object["reason"]), (&json!(NAME), &json!("out of stock")));
    assert_eq!(object["event"], json!(events[1]));
    assert_eq!(object["record"]["eventID"], "shardId-000000000003:49591");

    // "Specification: Embedded metric format" (Amazon CloudWatch user guide).
    let lines = of("quarantined", &lines);
    let [line] = lines.as_slice() else { panic!("expected one line: {lines:?}") };
    assert_eq!((&line["Quarantined"], &line["FunctionName"]), (&json!(1), &json!(DEPLOYED)));
    assert_eq!((&line["level"], &line["key"]), (&json!("ERROR"), &json!(key(tally(1), 2))));
    assert!(line["_aws"]["Timestamp"].is_i64(), "{line}");
    let metric = json!([{
        "Namespace": "EventPipeline",
        "Dimensions": [["FunctionName"]],
        "Metrics": [{"Name": "Quarantined", "Unit": "Count"}],
    }]);
    assert_eq!(line["_aws"]["CloudWatchMetrics"], metric);
}

#[tokio::test(start_paused = true)]
async fn panic_is_retried_and_then_poison() {
    let (handed, failed) = (Handed::default(), kept());
    let handler = projection(async |delivered: Delivered<Tally>| {
        handed.note(&delivered);
        let version = delivered.envelope.version;
        let times = handed.of(tally(1)).into_iter().filter(|handed| *handed == version).count();
        match version {
            1 if times == 1 => panic!("once"),
            2 => panic!("each time: {version}"),
            _ => Ok::<_, HandlerError>(()),
        }
    });
    let done = handler.answer(batch(&events(tally(1), 1..=3)), &failed, &a_moment()).await;
    done.expect("the batch succeeds");
    assert_eq!(handed.of(tally(1)), [1, 1, 2, 2, 2, 3]);
    assert_eq!(failed.bucket().keys(), [key(tally(1), 2)]);
    let reason = &failed.bucket().json(&key(tally(1), 2))["reason"];
    assert_eq!(reason, "the handler panicked: each time: 2");
}

#[tokio::test]
async fn panic_without_time_to_retry_is_no_poison() {
    let failed = kept();
    let handler = projection(async |_: Delivered<Tally>| -> Result<(), HandlerError> { panic!("once") });
    let no_time = Patience::lasting(Duration::ZERO);
    let fault = handler.answer(batch(&events(tally(1), 1..=1)), &failed, &no_time).await;
    let fault = fault.expect_err("the batch fails").to_string();
    assert!(fault.ends_with(": the handler panicked: once"), "{fault}");
    assert_eq!(failed.bucket().keys(), [""; 0]);
}

#[tokio::test]
async fn unknown_event_is_quarantined_and_other_aggregates_skipped() {
    let (handed, failed) = (Handed::default(), kept());
    let handler = projection(async |delivered: Delivered<Tally>| {
        handed.note(&delivered);
        Ok::<_, HandlerError>(())
    });
    let mut events = events(tally(1), 1..=5);
    events[0].event_type = "TallyLost".to_owned();
    events[1].schema_version = 9;
    events[2].data = JsonText::parse(r#"{"what":7}"#.to_owned()).expect("it is JSON");
    events[3].aggregate_type = "parcel".to_owned();
    handler.answer(batch(&events), &failed, &a_moment()).await.expect("the batch succeeds");
    assert_eq!(handed.of(tally(1)), [5]);
    let keys: Vec<_> = (1..=3).map(|version| key(tally(1), version)).collect();
    assert_eq!(failed.bucket().keys(), keys);
    let reason = |version| failed.bucket().json(&key(tally(1), version))["reason"].clone();
    assert_eq!(reason(1), r#"event type "TallyLost" is unknown"#);
    assert_eq!(reason(2), r#"schema version 9 of event type "Counted" is unknown, the newest is 1"#);
    let data = reason(3).as_str().expect("there is a reason").to_owned();
    assert!(
        data.starts_with(r#"the data of event type "Counted", schema version 1, are invalid: "#),
        "{data}"
    );
}

/// The copy under `failed/` is the source for repairing the event.
#[tokio::test]
async fn poison_keeps_the_exact_text_of_its_numbers() {
    let failed = kept();
    let handler = projection(async |_: Delivered<Tally>| Ok::<_, HandlerError>(()));
    let numbers = r#"{"what":[1e400,12345678901234567890123,1.0,1E2]}"#;
    let mut event = envelope(tally(1), 1);
    event.data = JsonText::parse(numbers.to_owned()).expect("it is JSON");
    handler.answer(batch([&event]), &failed, &a_moment()).await.expect("the event is quarantined");
    let object = String::from_utf8(failed.bucket().object(&key(tally(1), 1))).expect("JSON is text");
    assert!(object.contains(numbers), "{object}");
    let object: KeptEvent = serde_json::from_str(&object).expect("the object is JSON");
    assert_eq!(object.event, event);
}

#[test]
fn replayed_events_keep_the_exact_text_of_their_numbers() {
    let numbers = r#"{"what":[1e400,12345678901234567890123,9007199254740993,1.0]}"#;
    let mut event = envelope(tally(1), 1);
    event.data = JsonText::parse(numbers.to_owned()).expect("it is JSON");
    let replay = Replayed { id: REPLAY, repeat_side_effects: false };
    let batch = ReplayBatch { replay, events: vec![event] };
    let payload = serde_json::to_vec(&batch).expect("a batch is JSON");
    let input: Input = serde_json::from_slice(&payload).expect("it is a valid input");
    assert_eq!(input, Input::Replay(batch));
}

/// An object under `failed/`, as a program reads it to send the event again.
#[derive(serde::Deserialize)]
struct KeptEvent {
    event: Envelope,
}

#[tokio::test]
async fn handler_of_everything_accepts_unknown_types() {
    let (handed, failed) = (Handed::default(), kept());
    let handler = reactor(async |delivered: Delivered<Everything>| {
        handed.note(&delivered);
        Ok::<_, HandlerError>(())
    });
    let mut events = events(tally(1), 1..=2);
    events[0].event_type = "TallyLost".to_owned();
    events[1].aggregate_type = "parcel".to_owned();
    handler.answer(batch(&events), &failed, &a_moment()).await.expect("all events are handled");
    assert_eq!(handed.of(tally(1)), [1, 2]);
}

#[tokio::test]
async fn record_that_is_no_event_is_quarantined_unchanged() {
    let (handed, failed) = (Handed::default(), kept());
    let handler = projection(async |delivered: Delivered<Tally>| {
        handed.note(&delivered);
        Ok::<_, HandlerError>(())
    });
    let records = [b"trash".to_vec(), envelope(tally(1), 1).to_bytes()];
    let batch = Input::Records(delivered(&records));
    handler.answer(batch, &failed, &a_moment()).await.expect("the batch succeeds");
    assert_eq!(handed.of(tally(1)), [1]);
    assert_eq!(failed.bucket().keys(), ["failed/tested/shardId-000000000003-49590.json"]);
}

#[tokio::test(start_paused = true)]
async fn poison_that_cannot_be_kept_fails_the_batch() {
    let failed = Failed::new(FakeBucket::out_of_reach(), NAME);
    let handler = projection(async |_: Delivered<Tally>| Err(HandlerError::poison(OutOfStock)));
    for input in [batch(&events(tally(1), 1..=1)), replayed(false, events(tally(1), 1..=1))] {
        let fault =
            handler.answer(input, &failed, &a_moment()).await.expect_err("the event must not be lost");
        assert_eq!(fault.to_string(), "out of reach");
    }
}

/// Each failed invocation uses up one of the mapping's attempts.
#[tokio::test(start_paused = true)]
async fn poison_waits_for_the_bucket_before_the_batch_fails() {
    let failed = kept();
    failed.bucket().fail(3);
    let handler = projection(async |_: Delivered<Tally>| Err(HandlerError::poison(OutOfStock)));
    handler
        .answer(batch(&events(tally(1), 1..=1)), &failed, &a_moment())
        .await
        .expect("the event is quarantined");
    assert_eq!(failed.bucket().keys(), [key(tally(1), 1)]);

    failed.bucket().fail(3);
    let trash = Input::Records(delivered(&[b"trash".to_vec()]));
    handler.answer(trash, &failed, &a_moment()).await.expect("the record is quarantined");
    assert_eq!(failed.bucket().keys().len(), 2);
}

#[tokio::test]
async fn replay_batch_is_marked_and_answered() {
    let (handed, failed) = (Handed::default(), kept());
    let handler = projection(async |delivered: Delivered<Tally>| {
        assert_eq!(delivered.replay, Some(REPLAY));
        handed.note(&delivered);
        match delivered.envelope.version {
            2 => Err(HandlerError::poison(OutOfStock)),
            _ => Ok(()),
        }
    });
    let mut events = events(tally(1), 1..=4);
    events[3].aggregate_type = "parcel".to_owned();
    let answer = handler.answer(replayed(false, events), &failed, &a_moment()).await;
    let answer = answer.expect("the batch succeeds").expect("a replay is answered");
    assert_eq!(
        (answer.handler.as_str(), answer.handler_kind, answer.refused),
        (NAME, HandlerKind::Projection, false)
    );
    assert_eq!((answer.handled, handed.of(tally(1))), (2, vec![1, 2, 3]));
    let quarantined = QuarantinedEvent {
        aggregate_type: "tally".to_owned(),
        aggregate_id: tally(1),
        version: 2,
        reason: "out of stock".to_owned(),
    };
    assert_eq!(answer.quarantined, [quarantined]);
    assert_eq!(failed.bucket().keys(), [key(tally(1), 2)]);
    assert_eq!(failed.bucket().json(&key(tally(1), 2)).get("record"), None);
}

/// Lambda rejects an answer that is too long, so the batch would be repeated for ever; a truncated log line
/// would raise no alarm.
#[tokio::test]
async fn long_reason_is_stored_whole_and_reported_short() {
    let (failed, long) = (kept(), "ö".repeat(2_000_000));
    let handler = projection(async |_: Delivered<Tally>| Err::<(), _>(HandlerError::poison(long.as_str())));
    let input = replayed(false, events(tally(1), 1..=1));
    let (answer, lines) = logged(handler.answer(input, &failed, &a_moment())).await;
    let answer = answer.expect("the batch succeeds").expect("a replay is answered");
    let short = format!("{}…", "ö".repeat(1_000));
    assert_eq!(answer.quarantined[0].reason, short);
    assert_eq!(of("quarantined", &lines)[0]["reason"], short);
    assert_eq!(failed.bucket().json(&key(tally(1), 1))["reason"], long);
}

#[tokio::test]
async fn acting_handler_refuses_a_replay_without_permission() {
    let (handed, failed) = (Handed::default(), kept());
    let handler = reactor(async |delivered: Delivered<Tally>| {
        handed.note(&delivered);
        Ok::<_, HandlerError>(())
    });
    let answer = async |input| {
        let answer = handler.answer(input, &failed, &a_moment()).await.expect("nothing fails");
        answer.expect("a replay is answered")
    };
    let refused = answer(replayed(false, events(tally(1), 1..=2))).await;
    assert_eq!((refused.handler_kind, refused.refused, refused.handled), (HandlerKind::Reactor, true, 0));
    assert_eq!(handed.of(tally(1)), [0; 0]);
    let done = answer(replayed(true, events(tally(1), 1..=2))).await;
    assert_eq!((done.handler_kind, done.refused, done.handled), (HandlerKind::Reactor, false, 2));
    assert_eq!(handed.of(tally(1)), [1, 2]);
    // A batch without events only asks whether the handler has side effects.
    assert_eq!(answer(replayed(false, [])).await.handler_kind, HandlerKind::Reactor);
}

#[tokio::test(start_paused = true)]
async fn blocked_replay_batch_fails() {
    let failed = kept();
    let handler = projection(async |_: Delivered<Tally>| Err(OutOfStock.into()));
    let fault = handler.answer(replayed(false, events(tally(1), 1..=1)), &failed, &a_moment()).await;
    let fault = fault.expect_err("the batch fails").to_string();
    assert!(fault.ends_with(" could not be handled for now: out of stock"), "{fault}");
}

/// The recipe for projections: even if events are repeated, late or early, the state is that of the events in
/// order, and events that are not in it are quarantined.
#[tokio::test]
async fn handler_state_with_its_version_is_exact() {
    let (state, failed) = (Mutex::new((0_u64, Vec::new())), kept());
    let poison = AtomicUsize::new(3);
    let handler = projection(async |delivered: Delivered<Tally>| {
        let mut state = state.lock().expect("the lock is never poisoned");
        let version = delivered.envelope.version;
        match EventPosition::of(version, state.0) {
            EventPosition::Seen => return Ok(()),
            EventPosition::Behind(gap) => return Err(HandlerError::poison(gap)),
            EventPosition::Next if poison.load(Ordering::Relaxed) == version as usize => {
                return Err(HandlerError::poison(OutOfStock));
            }
            EventPosition::Next => state.0 = version,
        }
        state.1.push(version);
        Ok(())
    });
    let events = events(tally(1), 1..=4);
    for order in [&[0, 1, 0, 1][..], &[1, 2, 3], &[0, 3]] {
        let again = batch(order.iter().map(|&n: &usize| &events[n]));
        handler.answer(again, &failed, &a_moment()).await.expect("the batch succeeds");
    }
    assert_eq!(state.lock().expect("the lock is never poisoned").1, [1, 2]);
    assert_eq!(failed.bucket().keys(), [key(tally(1), 3), key(tally(1), 4)]);
    let reason = &failed.bucket().json(&key(tally(1), 4))["reason"];
    assert_eq!(reason, "version 4 came before version 3: replay this aggregate");

    poison.store(0, Ordering::Relaxed);
    let answer = handler.answer(replayed(false, events), &failed, &a_moment()).await;
    let answer = answer.expect("nothing fails").expect("a replay is answered");
    assert_eq!((answer.handled, answer.quarantined), (4, vec![]));
    assert_eq!(state.lock().expect("the lock is never poisoned").1, [1, 2, 3, 4]);
}
