//! Every event ever written, as a file: what is in the table and the archive cannot be
//! changed, so these files never are. A new schema version adds a file.

use std::{collections::BTreeSet, fs, path::PathBuf};

use domain::{
    AggregateId, Commit, Context, Envelope,
    aggregate::Aggregate,
    cart::{CartEvent, ShoppingCart},
    event::{Event, Schema},
    probe::{Probe, ProbeEvent},
};
use uuid::Uuid;

/// Returns the text of the golden file of one version of one event.
pub(crate) fn golden(aggregate: &str, event_type: &str, version: u32) -> String {
    let path = folder(aggregate).join(format!("{event_type}.v{version}.json"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn folder(aggregate: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(aggregate)
}

/// Asserts that an aggregate has a file for each version of each event, and no others.
pub(crate) fn assert_complete(aggregate: &str, schemas: &[Schema]) {
    let name = |schema: &Schema, version| format!("{}.v{version}.json", schema.event_type);
    let due: BTreeSet<_> = schemas
        .iter()
        .flat_map(|schema| (1..=schema.version()).map(|version| name(schema, version)))
        .collect();
    let there: BTreeSet<_> = fs::read_dir(folder(aggregate))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(there, due);
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x0199_7d2e_8a3b_7c11_9f0e_6b1d_5a2c_4e00 + n)
}

/// One of each, the first with everything an envelope can have, the others with the least.
fn story() -> Vec<(CartEvent, Envelope)> {
    let events = [
        CartEvent::CartOpened {},
        CartEvent::ItemAdded { item: "Brötchen \"Kaiser\" 🥖".to_owned(), quantity: 6 },
        CartEvent::CartClosed {},
    ];
    let cart = AggregateId::of::<ShoppingCart>(id(0x70));
    let commit = |(behind, event): (u64, CartEvent)| {
        let n = u128::from(behind);
        let time = format!("2026-11-21T19:02:0{n}.120000Z");
        let mut context = Context::new(id(0x10 + n), time.parse().unwrap());
        if behind == 0 {
            context.correlation_id = id(0x20);
            context.causation_id = Some(id(0x30));
            context.actor = Some("zoë".to_owned());
        }
        let events = [event];
        let commit = Commit::of(cart.clone(), behind, &events, context, || id(n)).unwrap();
        let [event] = events;
        (event, commit.into_envelopes().next().unwrap())
    };
    (0..).zip(events).map(commit).collect()
}

#[test]
fn each_event_is_written_as_in_its_file() {
    for (_, envelope) in story() {
        let written = String::from_utf8(envelope.to_bytes()).unwrap() + "\n";
        let file = golden(ShoppingCart::TYPE, &envelope.event_type, envelope.schema_version);
        assert_eq!(written, file);
    }
}

#[test]
fn each_file_is_read_as_the_event_it_was() {
    for (event, envelope) in story() {
        let file = golden(ShoppingCart::TYPE, &envelope.event_type, envelope.schema_version);
        let read = Envelope::from_bytes(file.as_bytes()).unwrap();
        assert_eq!(read, envelope);
        assert_eq!(read.event::<CartEvent>().unwrap(), event);
    }
}

/// A probe stays in the history like any event.
#[test]
fn a_probe_is_written_and_read_as_in_its_file() {
    let context = Context::new(id(0x10), "2026-11-21T19:02:00.120000Z".parse().unwrap());
    let probe = AggregateId::of::<Probe>(id(0x70));
    let commit = Commit::of(probe, 0, &[ProbeEvent::Probed {}], context, || id(0)).unwrap();
    let envelope = commit.into_envelopes().next().unwrap();
    let file = golden(Probe::TYPE, "Probed", 1);
    assert_eq!(String::from_utf8(envelope.to_bytes()).unwrap() + "\n", file);
    let read = Envelope::from_bytes(file.as_bytes()).unwrap();
    assert_eq!((&read, read.event::<ProbeEvent>().unwrap()), (&envelope, ProbeEvent::Probed {}));
}

#[test]
fn each_version_of_each_event_has_a_file() {
    assert_complete(ShoppingCart::TYPE, CartEvent::SCHEMAS);
    assert_complete(Probe::TYPE, ProbeEvent::SCHEMAS);
}
