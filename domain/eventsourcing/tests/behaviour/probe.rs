//! Probes stay in the history like any event, and must remain readable.

use eventsourcing::{
    AggregateId, Commit, Context, Envelope,
    event::Event,
    probe::{Probe, ProbeEvent},
    testing::Golden,
};
use uuid::Uuid;

fn files() -> Golden {
    Golden::of(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/probe"))
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x0199_7d2e_8a3b_7c11_9f0e_6b1d_5a2c_4e00 + n)
}

#[test]
fn probe_is_written_and_read_as_in_its_file() {
    let context = Context::new(id(0x10), "2026-11-21T19:02:00.120000Z".parse().unwrap());
    let probe = AggregateId::of::<Probe>(id(0x70));
    let commit = Commit::of(probe, 0, &[ProbeEvent::Probed {}], context, || id(0)).unwrap();
    let envelope = commit.into_envelopes().next().unwrap();
    let file = files().read("Probed", 1);
    assert_eq!(String::from_utf8(envelope.to_bytes()).unwrap() + "\n", file);
    let read = Envelope::from_bytes(file.as_bytes()).unwrap();
    assert_eq!((&read, read.event::<ProbeEvent>().unwrap()), (&envelope, ProbeEvent::Probed {}));
}

#[test]
fn probe_versions_all_have_a_file() {
    files().assert_complete(ProbeEvent::SCHEMAS);
}
