//! Foreign data: items and records that no command wrote. They are trash, events of another release, manual
//! changes, and commits that are restored from an archive.

use std::{collections::HashMap, sync::Arc};

use domain::cart::{CartEvent, ShoppingCart};
use eventsourcing::{
    AggregateId, Commit, Context, Envelope, JsonText, OccurredAt, StoredEvent,
    contract::{ARCHIVE, CAPTURE, FAILED_PREFIX, attribute},
};
use serde_dynamo::{AttributeValue, Item};
use storage::{archive, table::to_item, waves::Record};
use uuid::Uuid;

use crate::{
    consumers::{MAILER, PROJECTION},
    observed::Aside,
    world::{World, lock},
};

/// Writes such items and records while others are working.
pub(crate) fn start(world: &Arc<World>) {
    if world.chance.happens(300) {
        tokio::task::spawn_local(restore(world.clone()));
    }
    for stranger in 0..6 {
        if !world.chance.happens(world.weather().poison) {
            continue;
        }
        lock(&world.observed).busy += 1;
        let world = world.clone();
        tokio::task::spawn_local(async move {
            world.pause().await;
            match stranger {
                0 => no_commit(&world),
                1 => trash(&world),
                2 => changed_by_hand(&world),
                3 => of_another_release(&world),
                4 => out_of_place(&world),
                _ => spelt_in_another_way(&world),
            }
            lock(&world.observed).busy -= 1;
            world.change();
        });
    }
}

/// Writes an item that is not a commit.
fn no_commit(world: &World) {
    let id = format!("cart#{}", world.chance.id());
    let item = HashMap::from([("Note".to_owned(), AttributeValue::S("hello".to_owned()))]);
    let event_id = world.stream_item(&id, 1, "INSERT", Some(&item.into()));
    aside(world, CAPTURE, &event_id, &["the item does not have the attributes of a commit"]);
}

/// Writes a commit's item with an invalid version.
fn out_of_place(world: &World) {
    let commit = commit(world, world.chance.id(), 1, &[CartEvent::CartOpened {}]);
    let item = item(&Commit { version: 0, ..commit.clone() });
    let event_id = world.stream_item(&commit.aggregate_id.to_string(), 0, "INSERT", Some(&item));
    aside(world, CAPTURE, &event_id, &["the item has version 0"]);
}

/// Writes a commit's item with an invalid hash key.
fn spelt_in_another_way(world: &World) {
    let mut item = item(&commit(world, world.chance.id(), 1, &[CartEvent::CartOpened {}]));
    let id = AttributeValue::S("Cart 1".to_owned());
    item.inner_mut().insert(attribute::AGGREGATE_ID.to_owned(), id);
    let event_id = world.stream_item("Cart 1", 1, "INSERT", Some(&item));
    aside(world, CAPTURE, &event_id, &["is not an aggregate id"]);
}

/// Writes a Kinesis record that is not an event, or an event with an invalid aggregate or version.
fn trash(world: &World) {
    let key = world.chance.id();
    let mut events = commit(world, key, 1, &[CartEvent::CartOpened {}]).into_envelopes();
    let event = events.next().expect("the commit has one event");
    let (data, says) = match world.chance.below(3) {
        0 => (b"trash".to_vec(), "the record is not an event in its envelope"),
        1 => {
            let stranger = Envelope { aggregate_type: "a#b".to_owned(), ..event };
            (stranger.to_bytes(), "the event has no valid aggregate id")
        }
        _ => (Envelope { version: 0, ..event }.to_bytes(), "the event has version 0"),
    };
    let event_id = world.put_record(&Record { partition_key: key.to_string(), data });
    for function in [ARCHIVE, PROJECTION, MAILER] {
        aside(world, function, &event_id, &[says]);
    }
}

/// Changes and removes commits, as after a manual repair that shows in the stream.
fn changed_by_hand(world: &World) {
    let commit = commit(world, world.chance.id(), 1, &[CartEvent::CartOpened {}]);
    let id = commit.aggregate_id.to_string();
    world.stream_item(&id, 1, "MODIFY", Some(&item(&commit)));
    world.stream_item(&id, 1, "REMOVE", None);
}

/// Writes a commit with events that are unknown in this release, and then one with known events.
fn of_another_release(world: &World) {
    let cart = world.chance.id();
    let mut unknown = commit(world, cart, 1, &[CartEvent::CartOpened {}]);
    unknown.events.push(StoredEvent {
        id: world.chance.id(),
        event_type: "CartTeleported".to_owned(),
        schema_version: 1,
        data: JsonText::parse("{}".to_owned()).expect("the text is JSON"),
        more: Default::default(),
    });
    for commit in [unknown, commit(world, cart, 3, &[CartEvent::CartClosed { items: vec![] }])] {
        world.put_item(&commit.aggregate_id.to_string(), commit.version, &item(&commit));
    }
}

/// Restores commits from an archive that contains them.
async fn restore(world: Arc<World>) {
    let cart = world.chance.id();
    let tea = || CartEvent::ItemAdded { item: "tea".to_owned(), quantity: 1 };
    for commit in
        [commit(&world, cart, 1, &[CartEvent::CartOpened {}]), commit(&world, cart, 2, &[tea(), tea()])]
    {
        let mut item = item(&commit);
        let time = AttributeValue::S(OccurredAt::new(world.now()).to_string());
        item.inner_mut().insert(attribute::RESTORED.to_owned(), time);
        world.put_item(&commit.aggregate_id.to_string(), commit.version, &item);

        let arrival = "2026-11-20T10:00:00Z".parse().expect("the time is well-formed");
        let place = commit.version.to_string();
        let key = archive::key("shardId-000000000000", arrival, &place, &place);
        let events: Vec<_> = commit.into_envelopes().map(|envelope| envelope.to_bytes()).collect();
        let object =
            archive::compress(events.iter().map(Vec::as_slice)).expect("writing to memory never fails");
        world.put_object(&key, &object);
        world.pause().await;
    }
}

fn aside(world: &World, function: &str, id: &str, says: &[&str]) {
    let prefix = format!("{FAILED_PREFIX}{function}/{}.json", id.replace(':', "-"));
    let says = says.iter().map(ToString::to_string).collect();
    lock(&world.observed).asides.insert(Aside { prefix, says });
}

fn item(commit: &Commit) -> Item {
    to_item(commit).expect("a commit can be converted to an item").into()
}

fn commit(world: &World, cart: Uuid, version: u64, events: &[CartEvent]) -> Commit {
    let context = Context::new(world.chance.id(), OccurredAt::new(world.now()));
    let id = AggregateId::of::<ShoppingCart>(cart);
    Commit::of(id, version - 1, events, context, || world.chance.id()).expect("the events can be stored")
}
