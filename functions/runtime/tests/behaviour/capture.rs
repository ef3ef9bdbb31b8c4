//! Capture publishes the table's stream to Kinesis in order, without loss, and is never blocked.

use std::time::Duration;

use aws_lambda_events::event::dynamodb::Event;
use eventsourcing::{
    Commit,
    commit::MAX_EVENTS,
    contract::{CAPTURE, CAPTURE_LASTS},
};
use runtime::testing::{FakeBucket, FakeStream, Refused, commit, failed, tally};
use runtime::{capture::capture, failed::Failed};
use serde_json::{Value, json};
use storage::{
    patience::Patience,
    stream::{PutOutcome, PutRecords},
    table::{to_item, to_restored_item},
    waves::{MAX_RECORD_BYTES, Record},
};
use tokio::time::Instant;

const A_MOMENT: Duration = Duration::from_secs(5);

pub(crate) fn inserted(commit: &Commit) -> Value {
    let item: serde_dynamo::Item = to_item(commit).expect("a commit can be converted to an item").into();
    json!(item)
}

/// Returns a record of the table's stream.
pub(crate) fn change(event_id: &str, name: &str, image: Value) -> Value {
    json!({
        "eventID": event_id,
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "eventSourceARN": "arn:aws:dynamodb:eu-central-1:111111111111:table/events/stream/1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_795_294_799.0,
            "Keys": {"AggregateId": image["AggregateId"], "Version": image["Version"]},
            "NewImage": image,
            "SequenceNumber": "1",
            "SizeBytes": 1,
            "StreamViewType": "NEW_IMAGE",
        },
    })
}

pub(crate) fn batch(changes: impl IntoIterator<Item = Value>) -> Event {
    let changes: Vec<_> = changes.into_iter().collect();
    serde_json::from_value(json!({ "Records": changes })).expect("the batch is well-formed")
}

fn inserts(commits: &[Commit]) -> Event {
    let change = |(n, commit)| change(&format!("{n:032x}"), "INSERT", inserted(commit));
    batch(commits.iter().enumerate().map(change))
}

#[tokio::test]
async fn capture_publishes_every_event_in_order() {
    let (stream, failed) = (FakeStream::default(), failed(CAPTURE));
    let commits = [commit(tally(1), 1..=3), commit(tally(2), 8..=8), commit(tally(1), 4..=5)];
    let captured = capture(inserts(&commits), &stream, &failed, Patience::lasting(A_MOMENT)).await;
    captured.expect("everything is published");
    assert_eq!(stream.taken(), [(tally(1), vec![1, 2, 3, 4, 5]), (tally(2), vec![8])].into());
    assert_eq!(stream.calls(), [2, 1, 1, 1, 1], "never two events of one aggregate in one call");
}

/// The first call has one event of each of three aggregates, and the stream accepts two.
#[tokio::test(start_paused = true)]
async fn rejected_record_still_precedes_its_successors() {
    for place in 0..3 {
        let stream = FakeStream::rejecting([(0, place)]);
        let commits = [1, 2, 3].map(|n| commit(tally(n), 1..=3));
        let batch = inserts(&commits);
        capture(batch, &stream, &failed(CAPTURE), Patience::lasting(A_MOMENT))
            .await
            .expect("everything is published");
        let whole = vec![1, 2, 3];
        let all = [1, 2, 3].map(|n| (tally(n), whole.clone()));
        assert_eq!(stream.taken(), all.into());
        assert_eq!(stream.calls(), [3, 3, 3, 1]);
    }
}

/// A stream that takes 30 ms for each call, like Kinesis on a bad day.
struct Slow(FakeStream);

impl PutRecords for Slow {
    type Error = Refused;

    async fn put_records(&self, records: &[&Record]) -> Result<Vec<PutOutcome>, Refused> {
        tokio::time::sleep(Duration::from_millis(30)).await;
        self.0.put_records(records).await
    }
}

#[tokio::test(start_paused = true)]
async fn largest_batch_of_one_aggregate_is_published_in_time() {
    let (stream, failed) = (Slow(FakeStream::default()), failed(CAPTURE));
    let most = MAX_EVENTS as u64;
    let commits: Vec<_> = (0..100).map(|n| commit(tally(1), n * most + 1..=(n + 1) * most)).collect();
    let began = Instant::now();
    let captured = capture(inserts(&commits), &stream, &failed, Patience::lasting(CAPTURE_LASTS)).await;
    captured.expect("everything is published");
    assert_eq!(stream.0.calls().len(), 10_000);
    assert!(began.elapsed() < CAPTURE_LASTS, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn permanently_rejected_record_fails_the_batch() {
    let stream = FakeStream::rejecting((0..1000).map(|call| (call, 0)));
    let batch = inserts(&[commit(tally(1), 1..=2), commit(tally(2), 1..=2)]);
    let patience = Patience::lasting(Duration::from_millis(100));
    let fault = capture(batch, &stream, &failed(CAPTURE), patience).await;
    let fault = fault.expect_err("the batch fails").to_string();
    assert_eq!(fault, "1 records are still rejected, the first for throttled");
    assert_eq!(stream.taken(), [(tally(2), vec![1, 2])].into(), "other aggregates are published");
}

#[tokio::test(start_paused = true)]
async fn unreachable_stream_fails_the_batch() {
    let stream = FakeStream::out_of_reach();
    let batch = inserts(&[commit(tally(1), 1..=2)]);
    let fault = capture(batch, &stream, &failed(CAPTURE), Patience::lasting(A_MOMENT)).await;
    let fault = fault.expect_err("the batch fails").to_string();
    assert_eq!(fault, "publishing 1 records failed: out of reach");
}

#[tokio::test]
async fn capture_publishes_only_inserts() {
    let (stream, failed) = (FakeStream::default(), failed(CAPTURE));
    let image = inserted(&commit(tally(1), 1..=1));
    let batch = batch(["MODIFY", "REMOVE"].map(|name| change("1", name, image.clone())));
    capture(batch, &stream, &failed, Patience::lasting(A_MOMENT)).await.expect("nothing fails");
    assert_eq!((stream.calls(), failed.bucket().keys()), (vec![], vec![]));
}

/// A commit that is restored from an archive was already published when it happened.
#[tokio::test]
async fn restored_commit_is_not_published_again() {
    let (stream, failed) = (FakeStream::default(), failed(CAPTURE));
    let at = "2026-12-01T00:00:00.000000Z".parse().expect("the time is well-formed");
    let restored =
        to_restored_item(&commit(tally(1), 1..=2), at).expect("a commit can be converted to an item");
    let restored = json!(serde_dynamo::Item::from(restored));
    let batch =
        batch([change("a", "INSERT", restored), change("b", "INSERT", inserted(&commit(tally(1), 3..=3)))]);
    capture(batch, &stream, &failed, Patience::lasting(A_MOMENT)).await.expect("nothing fails");
    assert_eq!(stream.taken(), [(tally(1), vec![3])].into());
    assert_eq!(failed.bucket().keys(), [""; 0]);
}

#[tokio::test]
async fn unreadable_record_is_quarantined_and_others_published() {
    let (stream, failed) = (FakeStream::default(), failed(CAPTURE));
    let mut poison = inserted(&commit(tally(1), 2..=2));
    poison["Events"]["L"][0]["M"]["Data"]["S"] = json!("{");
    let stranger = json!({"AggregateId": {"S": "settings"}, "Version": {"N": "1"}, "Blob": {"B": "AAAA"}});
    let batch = batch([
        change("a", "INSERT", inserted(&commit(tally(1), 1..=1))),
        change("b", "INSERT", poison.clone()),
        change("c/../d", "INSERT", stranger),
        change("e", "INSERT", inserted(&commit(tally(1), 3..=3))),
    ]);
    capture(batch, &stream, &failed, Patience::lasting(A_MOMENT)).await.expect("nothing fails");
    assert_eq!(stream.taken(), [(tally(1), vec![1, 3])].into());
    assert_eq!(failed.bucket().keys(), ["failed/capture/b.json", "failed/capture/c-..-d.json"]);
    let kept = failed.bucket().json("failed/capture/b.json");
    assert_eq!(kept["record"]["dynamodb"]["NewImage"], poison);
    let reason = kept["reason"].as_str().expect("there is a reason");
    assert!(reason.starts_with("the record is not a commit: the data of event"), "{reason}");
}

/// The stream would reject it each time, and later events would never be published.
#[tokio::test]
async fn oversized_event_is_quarantined_and_others_published() {
    let (stream, failed) = (FakeStream::default(), failed(CAPTURE));
    let mut large = inserted(&commit(tally(1), 2..=2));
    large["Events"]["L"][0]["M"]["Data"]["S"] = json!(json!("x".repeat(MAX_RECORD_BYTES)).to_string());
    let next = inserted(&commit(tally(1), 3..=3));
    let batch = batch([change("a", "INSERT", large), change("b", "INSERT", next)]);
    capture(batch, &stream, &failed, Patience::lasting(A_MOMENT)).await.expect("nothing fails");
    assert_eq!(stream.taken(), [(tally(1), vec![3])].into());
    assert_eq!(failed.bucket().keys(), ["failed/capture/a.json"]);
    let kept = failed.bucket().json("failed/capture/a.json");
    let reason = kept["reason"].as_str().expect("there is a reason");
    assert!(reason.starts_with("version 2 makes a record of 1000"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn record_that_cannot_be_quarantined_fails_the_batch() {
    let stream = FakeStream::default();
    let bucket = FakeBucket::out_of_reach();
    let batch = batch([change("a", "INSERT", json!({"AggregateId": {"S": "a"}, "Version": {"N": "1"}}))]);
    let failed = Failed::new(bucket, CAPTURE);
    let fault = capture(batch, &stream, &failed, Patience::lasting(A_MOMENT)).await;
    assert_eq!(fault.expect_err("the batch fails").to_string(), "out of reach");
}
