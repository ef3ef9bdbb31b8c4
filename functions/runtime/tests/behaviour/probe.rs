//! A probe in the pipeline: every function that it passes logs it, and handlers skip it.

use std::time::Duration;

use eventsourcing::{
    AggregateId, Commit, Context,
    contract::{ARCHIVE, CAPTURE},
    probe::{Probe, ProbeEvent},
};
use runtime::{
    archive::archive,
    capture::capture,
    handler::{Delivered, HandlerError, Input, projection},
};
use serde_json::{Value, json};
use storage::patience::Patience;
use uuid::Uuid;

use crate::{
    capture::{batch, change, inserted},
    logged::{logged, of},
};
use runtime::testing::{FakeStream, delivered, envelope, failed, tally};

const PROBE: Uuid = Uuid::from_u128(0x960be);

fn probe() -> Commit {
    let time = "2026-11-21T19:02:03.123456Z".parse().expect("the time is well-formed");
    let context = Context::new(Uuid::from_u128(7), time);
    let id = AggregateId::of::<Probe>(PROBE);
    Commit::of(id, 0, &[ProbeEvent::Probed {}], context, Uuid::now_v7).expect("a probe can be stored")
}

/// Returns a batch of Kinesis with an event, and a probe that arrived a second later.
fn passing() -> aws_lambda_events::event::kinesis::KinesisEvent {
    let probe = probe().into_envelopes().next().expect("a probe is an event");
    delivered(&[envelope(tally(1), 1).to_bytes(), probe.to_bytes()])
}

fn assert_told(lines: &[Value], arrival: Option<&str>) {
    let lines = of("probe", lines);
    let [line] = lines.as_slice() else { panic!("expected one line of the probe: {lines:?}") };
    assert_eq!(line["probe"], json!(PROBE));
    assert_eq!(line.get("kinesis_arrival"), arrival.map(|time| json!(time)).as_ref());
}

#[tokio::test]
async fn capture_publishes_and_logs_the_probe() {
    let (stream, failed) = (FakeStream::default(), failed(CAPTURE));
    let batch = batch([change("a", "INSERT", inserted(&probe()))]);
    let patience = Patience::lasting(Duration::from_secs(5));
    let (done, lines) = logged(capture(batch, &stream, &failed, patience)).await;
    done.expect("the probe is published");
    assert_eq!(stream.taken(), [(PROBE, vec![1])].into());
    assert_told(&lines, None);
}

#[tokio::test]
async fn capture_does_not_log_an_unpublished_probe() {
    let (stream, failed) = (FakeStream::out_of_reach(), failed(CAPTURE));
    let batch = batch([change("a", "INSERT", inserted(&probe()))]);
    let patience = Patience::lasting(Duration::from_secs(5));
    let (done, lines) = logged(capture(batch, &stream, &failed, patience)).await;
    done.expect_err("the stream is out of reach");
    assert_eq!(of("probe", &lines), [&Value::Null; 0]);
}

#[tokio::test]
async fn archive_logs_the_archived_probe() {
    let failed = failed(ARCHIVE);
    let (done, lines) = logged(archive(passing(), &failed, &Patience::lasting(Duration::from_secs(5)))).await;
    done.expect("the batch is archived");
    assert_told(&lines, Some("2026-11-21T21:00:00.5Z"));
}

/// A probe that waits behind another event of its batch has not passed yet.
#[tokio::test]
async fn handler_does_not_log_a_probe_of_failed_batch() {
    let failed = failed("tallies");
    let handler = projection(async |_: Delivered<eventsourcing::testing::tally::Tally>| {
        Err(HandlerError::transient(std::io::Error::other("a dependency is unreachable")))
    });
    let patience = Patience::lasting(Duration::ZERO);
    let (done, lines) = logged(handler.answer(Input::Records(passing()), &failed, &patience)).await;
    done.expect_err("the batch fails");
    assert_eq!(of("probe", &lines), [&Value::Null; 0]);
}

#[tokio::test]
async fn handler_logs_and_skips_the_probe() {
    let failed = failed("tallies");
    let handler = projection(async |delivered: Delivered<eventsourcing::testing::tally::Tally>| {
        assert_eq!(delivered.envelope.aggregate_id, tally(1));
        Ok::<_, HandlerError>(())
    });
    let patience = Patience::lasting(Duration::from_secs(5));
    let (done, lines) = logged(handler.answer(Input::Records(passing()), &failed, &patience)).await;
    assert_eq!(done.expect("the batch is handled"), None);
    assert_told(&lines, Some("2026-11-21T21:00:00.5Z"));
    assert_eq!(failed.bucket().keys(), [""; 0]);
}
