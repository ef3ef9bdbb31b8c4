//! Archive objects: their keys and bytes depend only on the batch, and contain the published bytes.

use std::{io::Read, time::Duration};

use eventsourcing::{Envelope, contract::ARCHIVE};
use flate2::read::GzDecoder;
use runtime::testing::{FakeBucket, delivered, envelope, failed, tally};
use runtime::{archive::archive, failed::Failed};
use storage::patience::Patience;

fn a_moment() -> Patience {
    Patience::lasting(Duration::from_secs(5))
}

fn text(object: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(object).read_to_string(&mut text).expect("the object is gzip");
    text
}

#[tokio::test]
async fn archived_batch_is_one_object_with_line_per_event() {
    let failed = failed(ARCHIVE);
    let records: Vec<_> = (1..=3).map(|version| envelope(tally(1), version).to_bytes()).collect();
    archive(delivered(&records), &failed, &a_moment()).await.expect("the batch is archived");
    // The first record arrived right before the end of the hour, the last after it.
    let key = "events/dt=2026-11-21/hour=20/shardId-000000000003-49590-49592.ndjson.gz";
    assert_eq!(failed.bucket().keys(), [key]);
    let expected: Vec<_> = records.iter().map(|bytes| String::from_utf8_lossy(bytes) + "\n").collect();
    assert_eq!(text(&failed.bucket().object(key)), expected.concat());
}

#[tokio::test]
async fn repeated_batch_gives_the_same_object_bytes() {
    let records = [envelope(tally(1), 1).to_bytes()];
    let mut objects = Vec::new();
    for _ in 0..2 {
        let failed = failed(ARCHIVE);
        archive(delivered(&records), &failed, &a_moment()).await.expect("the batch is archived");
        let key = failed.bucket().keys().remove(0);
        objects.push(failed.bucket().object(&key));
    }
    assert_eq!(objects[0], objects[1]);
    assert_eq!(objects[0][4..8], [0; 4], "the gzip header has no time");
    assert_eq!(objects[0][9], 255, "the gzip header has no operating system");
}

#[tokio::test]
async fn archive_quarantines_records_that_are_no_events() {
    let failed = failed(ARCHIVE);
    let event = envelope(tally(1), 1).to_bytes();
    let mut in_lines = event.clone();
    in_lines.insert(1, b'\n');
    let records = [b"trash".to_vec(), event.clone(), in_lines, vec![0xff]];
    archive(delivered(&records), &failed, &a_moment()).await.expect("the batch is archived");
    let key = "events/dt=2026-11-21/hour=20/shardId-000000000003-49590-49593.ndjson.gz";
    let aside = |n: usize| format!("failed/archive/shardId-000000000003-4959{n}.json");
    assert_eq!(failed.bucket().keys(), [key, &aside(0), &aside(2), &aside(3)]);
    assert_eq!(text(&failed.bucket().object(key)).lines().count(), 1);

    let kept = failed.bucket().json(&aside(0));
    assert_eq!(kept["record"]["kinesis"]["data"], "dHJhc2g=", "the bytes in base64, as Lambda delivers them");
    let reason = kept["reason"].as_str().expect("there is a reason");
    assert!(reason.starts_with("the record is not an event in its envelope: expected"), "{reason}");
    let reason = failed.bucket().json(&aside(2))["reason"].clone();
    assert_eq!(reason, "the record spans several lines, so it was not published by capture");
}

/// These are the JSON of events, but no reader of the archive could order them.
#[tokio::test]
async fn archive_quarantines_events_with_invalid_aggregate_or_version() {
    let failed = failed(ARCHIVE);
    let event = envelope(tally(1), 1);
    let of = |aggregate_type: &str| Envelope { aggregate_type: aggregate_type.to_owned(), ..event.clone() };
    let foreign_data = [of(""), of("a#b"), Envelope { version: 0, ..event.clone() }];
    let records: Vec<_> = foreign_data.iter().chain([&event]).map(Envelope::to_bytes).collect();
    archive(delivered(&records), &failed, &a_moment()).await.expect("the batch is archived");
    let key = "events/dt=2026-11-21/hour=20/shardId-000000000003-49590-49593.ndjson.gz";
    let aside = |n: usize| format!("failed/archive/shardId-000000000003-4959{n}.json");
    assert_eq!(failed.bucket().keys(), [key, &aside(0), &aside(1), &aside(2)]);
    assert_eq!(text(&failed.bucket().object(key)).lines().count(), 1);
    let reason = |n| failed.bucket().json(&aside(n))["reason"].clone();
    let no_aggregate = "the event has no valid aggregate id, so it was not published by capture";
    for (n, id) in ["", "a#b"].into_iter().enumerate() {
        let id = format!("{id}#{}", tally(1));
        assert_eq!(reason(n), format!("{no_aggregate}: {id:?} is not an aggregate id like <type>#<uuid>"));
    }
    assert_eq!(reason(2), "the event has version 0, so it was not published by capture: versions start at 1");
}

#[tokio::test]
async fn batch_without_events_leaves_no_object() {
    let failed = failed(ARCHIVE);
    archive(delivered(&[b"trash".to_vec()]), &failed, &a_moment()).await.expect("the batch succeeds");
    archive(delivered(&[]), &failed, &a_moment()).await.expect("the batch is empty");
    assert_eq!(failed.bucket().keys(), ["failed/archive/shardId-000000000003-49590.json"]);
}

#[tokio::test(start_paused = true)]
async fn unreachable_bucket_fails_the_archive_batch() {
    for record in [envelope(tally(1), 1).to_bytes(), b"trash".to_vec()] {
        let bucket = FakeBucket::out_of_reach();
        let fault = archive(delivered(&[record]), &Failed::new(bucket, ARCHIVE), &a_moment()).await;
        assert_eq!(fault.expect_err("the batch fails").to_string(), "out of reach");
    }
}
