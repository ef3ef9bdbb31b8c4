//! The filter of a replay: an event has to match each of its conditions.

use eventsourcing::Envelope;
use eventsourcing::replay::Only;

/// The first event of the golden files of parcels.
fn weighed() -> Envelope {
    Envelope::from_bytes(include_bytes!("../golden/parcel/ParcelWeighed.v1.json")).unwrap()
}

#[test]
fn filter_takes_events_of_its_aggregate_types() {
    let of = |types: &[&str]| {
        let aggregate_types = types.iter().map(|name| (*name).to_owned()).collect();
        Only { aggregate_types, ..Only::default() }.has(&weighed())
    };
    assert!(of(&[]) && of(&["letter", "parcel"]));
    assert!(!of(&["letter"]));
}

#[test]
fn filter_takes_events_of_its_types_aggregates_and_times() {
    let all = Only::default;
    let event = weighed();
    let (id, time) = (event.aggregate_id, event.occurred_at.timestamp());
    assert!(Only { types: ["ParcelWeighed".to_owned()].into(), ..all() }.has(&event));
    assert!(!Only { types: ["ParcelSent".to_owned()].into(), ..all() }.has(&event));
    assert!(Only { aggregates: [id].into(), ..all() }.has(&event));
    assert!(!Only { aggregates: [event.id].into(), ..all() }.has(&event));
    assert!(Only { since: Some(time), ..all() }.has(&event), "the beginning is part of the interval");
    assert!(!Only { until: Some(time), ..all() }.has(&event), "the end is not");
}
