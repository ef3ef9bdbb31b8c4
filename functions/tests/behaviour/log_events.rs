//! The log of events: one JSON line each, and nothing of their data.

use std::{
    io,
    sync::{Arc, Mutex},
};

use domain::contract::LOG_EVENTS;
use functions::log_events::log_events;
use serde_json::{Value, json};
use tracing::instrument::WithSubscriber;

use crate::fakes::{cart, delivered, envelope, failed};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test goes on after a panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn each_event_is_one_line_without_its_data() {
    let lines = Lines::default();
    let writer = lines.clone();
    let log = tracing_subscriber::fmt().json().flatten_event(true).without_time();
    let log = log.with_target(false).with_writer(move || writer.clone()).finish();

    let first = envelope(cart(1), 4);
    let mut second = envelope(cart(1), 5);
    second.actor = Some("zoë".to_owned());
    second.causation_id = Some(cart(9));
    let failed = failed(LOG_EVENTS);
    let batch = delivered(&[first.to_bytes(), b"trash".to_vec(), second.to_bytes()]);
    log_events(batch, &failed).with_subscriber(log).await.expect("the batch is logged");

    let lines = lines.0.lock().expect("no test goes on after a panic");
    let lines: Vec<Value> =
        lines.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let events: Vec<_> = lines.iter().filter(|line| line["message"] == "event").collect();
    let mut expected = json!({
        "level": "INFO",
        "message": "event",
        "event_id": first.id,
        "event_type": "ItemAdded",
        "schema_version": 1,
        "aggregate_type": "cart",
        "aggregate_id": cart(1),
        "version": 4,
        "occurred_at": "2026-11-21T19:02:03.123456Z",
        "command_id": first.command_id,
        "correlation_id": first.correlation_id,
    });
    assert_eq!(events[0], &expected);
    for (field, value) in [
        ("event_id", json!(second.id)),
        ("version", json!(5)),
        ("actor", json!("zoë")),
        ("causation_id", json!(cart(9))),
    ] {
        expected[field] = value;
    }
    assert_eq!(events[1..], [&expected]);
    assert_eq!(failed.bucket().keys(), ["failed/log-events/shardId-000000000003-49591.json"]);
}
