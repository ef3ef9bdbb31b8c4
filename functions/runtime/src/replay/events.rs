//! Events for tests of the replay.

use eventsourcing::{Envelope, JsonText, RequestHash};
use uuid::Uuid;

/// Returns the event of an aggregate with this version.
pub(super) fn event(aggregate: u128, version: u64) -> Envelope {
    let time = "2026-11-21T19:02:03.123456Z".parse().expect("the time is well-formed");
    Envelope {
        actor: None,
        aggregate_id: Uuid::from_u128(aggregate),
        aggregate_type: "tally".to_owned(),
        causation_id: None,
        command_id: Uuid::from_u128(7),
        correlation_id: Uuid::from_u128(7),
        data: JsonText::parse("{}".to_owned()).expect("it is JSON"),
        id: Uuid::from_u128(aggregate << 32 | u128::from(version)),
        occurred_at: time,
        request_hash: RequestHash::default(),
        schema_version: 1,
        event_type: "TallyOpened".to_owned(),
        version,
        more: Default::default(),
    }
}
