//! Every event version ever stored, as a file: the data in the table and the archive cannot be changed, so
//! these files never change. A new schema version adds a file.

use std::collections::BTreeSet;

use domain::cart::{CartEvent, CartLine, ShoppingCart};
use eventsourcing::{AggregateId, Commit, Context, Envelope, RequestHash, event::Event, testing::Golden};
use serde_json::Map;
use uuid::Uuid;

fn files() -> Golden {
    Golden::of(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/cart"))
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x0199_7d2e_8a3b_7c11_9f0e_6b1d_5a2c_4e00 + n)
}

/// One event of each type, with the function that writes it: the first with all fields of an envelope, the
/// others with the minimum. Add a new one at the end, because ids and times depend on the position.
fn story() -> Vec<(CartEvent, Envelope)> {
    let events = [
        ("open-cart", CartEvent::CartOpened {}),
        ("add-item", CartEvent::ItemAdded { item: "Brötchen \"Kaiser\" 🥖".to_owned(), quantity: 6 }),
        (
            "close-cart",
            CartEvent::CartClosed {
                items: vec![CartLine { item: "Brötchen \"Kaiser\" 🥖".to_owned(), quantity: 6 }],
            },
        ),
    ];
    let cart = AggregateId::of::<ShoppingCart>(id(0x70));
    let commit = |(behind, (function, event)): (u64, (&str, CartEvent))| {
        let n = u128::from(behind);
        let time = format!("2026-11-21T19:02:0{n}.120000Z");
        let mut context = Context::new(id(0x10 + n), time.parse().unwrap());
        context.request_hash = RequestHash::of(function, &Map::new());
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

/// How the golden file of each version but the latest is read. No event of the cart has a second version yet;
/// an entry is `("ItemAdded", 1, CartEvent::ItemAdded { … })`.
fn lifted() -> Vec<(&'static str, u32, CartEvent)> {
    Vec::new()
}

#[test]
fn events_are_written_as_in_their_golden_files() {
    for (_, envelope) in story() {
        let written = String::from_utf8(envelope.to_bytes()).unwrap() + "\n";
        files().assert_written(&envelope.event_type, envelope.schema_version, &written);
    }
}

#[test]
fn golden_files_are_read_as_their_events() {
    for (event, envelope) in story() {
        let file = files().read(&envelope.event_type, envelope.schema_version);
        let read = Envelope::from_bytes(file.as_bytes()).unwrap();
        assert_eq!(read, envelope);
        assert_eq!(read.event::<CartEvent>().unwrap(), event);
    }
}

/// Callers get the upcast form of a stored event permanently.
#[test]
fn older_golden_files_are_read_as_todays_events() {
    let older = CartEvent::SCHEMAS.iter().flat_map(|schema| {
        let versions = 1..schema.version();
        versions.map(|version| (schema.event_type, version))
    });
    let lifted = lifted();
    let known: Vec<(&str, u32)> =
        lifted.iter().map(|(event_type, version, _)| (*event_type, *version)).collect();
    assert_eq!(older.collect::<Vec<_>>(), known, "`lifted` has the expected event of each older version");
    for (event_type, version, event) in lifted {
        let file = files().read(event_type, version);
        let read = Envelope::from_bytes(file.as_bytes()).unwrap().event::<CartEvent>();
        assert_eq!(read.unwrap(), event, "{event_type} version {version}");
    }
}

#[test]
fn event_versions_all_have_a_golden_file() {
    files().assert_complete(CartEvent::SCHEMAS);
}

/// The file of an event that is not in the story would not be compared.
#[test]
fn story_has_an_event_of_each_type() {
    let written: BTreeSet<String> = story().into_iter().map(|(_, envelope)| envelope.event_type).collect();
    let known = CartEvent::SCHEMAS.iter().map(|schema| schema.event_type.to_owned()).collect();
    assert_eq!(written, known, "`story` needs one event of each type of `CartEvent::SCHEMAS`");
}
