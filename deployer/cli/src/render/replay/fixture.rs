//! The status of a replay, for tests.

use eventsourcing::replay::{Counts, HandlerKind, Only, Order, Reading, ReplayState, ReplayStatus, Source};
use uuid::Uuid;

/// Returns the status of a replay.
pub(crate) fn replayed(state: ReplayState) -> ReplayStatus {
    let started_at = "2026-11-22T04:10:11Z".parse().expect("it is a time");
    ReplayStatus {
        order: Order {
            handler: "log-events".into(),
            id: Uuid::from_u128(1),
            by: "arn:aws:iam::111111111111:user/ann".into(),
            from: Source::Archive,
            only: Only::default(),
            rate: 1000,
            repeat_side_effects: false,
            dry_run: false,
        },
        state,
        started_at,
        saved_at: started_at,
        idle_s: 3,
        saves: 7,
        reading: Reading { pass: 1, last: None, done: 31, total: Some(40), waits_s: 0 },
        counts: Counts {
            read: 2045,
            duplicates: 10,
            delivered: 2000,
            batches: 24,
            aggregates: 200,
            ..Counts::default()
        },
        by_type: [("DemoOpened".to_owned(), 200), ("ItemAdded".to_owned(), 1800)].into(),
        gaps: Vec::new(),
        quarantined: Vec::new(),
        unreadable: Vec::new(),
        contradictions: Vec::new(),
        read_by_type: [("DemoOpened".to_owned(), 200), ("ItemAdded".to_owned(), 1835)].into(),
        handler_kind: Some(HandlerKind::Reactor),
        problem: None,
    }
}
