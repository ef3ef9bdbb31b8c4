//! An event that a function cannot handle does not block others, is quarantined with the reason, and is
//! delivered after the handler was fixed.

use acceptance::{Cloud, Deployed, Rewritten, until};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::cart::ShoppingCart;
use eventsourcing::{AggregateId, Commit, Context, EventStore, JsonText, OccurredAt, StoredEvent};
use serde_json::{Value, json};
use storage::DynamoDbEventStore;
use uuid::Uuid;

use crate::Test;

pub(crate) const TESTS: &[Test] =
    &[("poison_blocks_no_event_and_is_replayed_after_fix", poison_blocks_no_event_and_is_replayed_after_fix)];

/// A handler that replaces log-events and knows only the current types of events.
const BEFORE: &str = r#"//! Logs what happens to carts.

use domain::cart::ShoppingCart;
use runtime::{handler::{Delivered, HandlerError, projection}, start::start};

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let start = start(env!("CARGO_BIN_NAME")).await;
    projection(log).serve(&start).await
}

async fn log(Delivered { envelope, replay, .. }: Delivered<ShoppingCart>) -> Result<(), HandlerError> {
    let replay = replay.map(tracing::field::display);
    tracing::info!(aggregate_id = %envelope.aggregate_id, version = envelope.version, replay, "handled");
    Ok(())
}
"#;

/// The same handler with one more type of event.
const AFTER: &str = r#"//! Logs what happens to carts, of which some can be parked.

use domain::cart::CartEvent;
use eventsourcing::{event::DecodeError, Envelope};
use runtime::{handler::{Delivered, Takes, HandlerError, projection}, start::start};

/// What happens to carts.
#[derive(Debug, Clone)]
struct Carts;

/// One event of a cart.
#[derive(Debug, Clone)]
enum Happened {
    Parked,
    Known(CartEvent),
}

impl Takes for Carts {
    type Event = Happened;

    fn takes(envelope: &Envelope) -> bool {
        envelope.aggregate_type == "cart"
    }

    fn event(envelope: &Envelope) -> Result<Happened, DecodeError> {
        match &*envelope.event_type {
            "CartParked" => Ok(Happened::Parked),
            _ => envelope.event().map(Happened::Known),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), runtime::Fault> {
    let start = start(env!("CARGO_BIN_NAME")).await;
    projection(log).serve(&start).await
}

async fn log(Delivered { event, envelope, replay }: Delivered<Carts>) -> Result<(), HandlerError> {
    let replay = replay.map(tracing::field::display);
    tracing::info!(?event, aggregate_id = %envelope.aggregate_id, version = envelope.version, replay, "handled");
    Ok(())
}
"#;

/// An item that is not a commit, and a commit with an event of an unknown type, are quarantined with their
/// reasons, and later events are processed. The handler is fixed and deployed, and a replay of the cart
/// delivers the event.
fn poison_blocks_no_event_and_is_replayed_after_fix(cloud: &Cloud) {
    let place = cloud.place();
    let code = Rewritten::of(cloud).expect("a temporary folder is writable");
    code.rewrite("log-events", BEFORE).expect("a temporary folder is writable");
    code.up(&place);
    let up = Deployed::of(&place);

    let cart = up.answer("open-cart", &json!({}))["cart_id"].clone();
    let id: Uuid = cart.as_str().and_then(|id| id.parse().ok()).expect("a cart has a UUID");
    put_what_is_no_commit(&up);
    park(&up, id);
    let later = up.answer("open-cart", &json!({}))["cart_id"].clone();
    until("the later cart in the handler and in the archive", || {
        let archived =
            up.archived().iter().any(|line| line.contains(later.as_str().expect("the id is text")));
        (archived && versions(&up, &later, None) == [1]).then_some(())
    });
    assert_eq!(versions(&up, &cart, None), [1], "the handler did not handle the unknown event");
    assert_eq!(up.archived().iter().filter(|line| line.contains("CartParked")).count(), 1);

    let kept = |prefix: &str| -> Vec<Value> {
        let objects = up.objects(prefix).into_iter();
        objects.map(|(_, body)| serde_json::from_slice(&body).expect("a quarantine object is JSON")).collect()
    };
    let [no_commit] = &kept("failed/capture/")[..] else { panic!("{:?}", kept("failed/")) };
    let reason = no_commit["reason"].as_str().unwrap_or_default();
    assert!(reason.starts_with("the record is not a commit: "), "{reason}");
    let [parked] = &kept(&format!("failed/log-events/cart-{id}-2"))[..] else {
        panic!("{:?}", kept("failed/"))
    };
    let reason = parked["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("\"CartParked\" is unknown"), "{reason}");
    assert_eq!(kept("failed/archive/"), Vec::<Value>::new(), "the archive stores events of any type");

    let replay =
        ["replay", "local", "log-events", "--yes", "--format", "json", "--aggregate", &id.to_string()];
    let in_vain = place.deploys(&replay).json();
    assert_eq!(in_vain["replay"]["counts"]["quarantined"], 1, "the handler is not fixed yet: {in_vain:#}");
    code.rewrite("log-events", AFTER).expect("a temporary folder is writable");
    code.up(&place);
    let mended = place.deploys(&replay).json();
    assert_eq!(mended["replay"]["state"], "complete", "{mended:#}");
    assert_eq!(mended["replay"]["counts"]["quarantined"], 0, "{mended:#}");
    assert_eq!(versions(&up, &cart, Some(&mended["replay"]["order"]["id"])), [1, 2]);
}

/// Puts an item into the table that is not a commit.
fn put_what_is_no_commit(up: &Deployed<'_>) {
    let item = up.aws.dynamodb.put_item().table_name(up.aws.scope.name("events"));
    let item = item.item("AggregateId", AttributeValue::S("by hand".into()));
    up.wait(item.item("Version", AttributeValue::N("1".into())).send()).expect("the table takes any item");
}

/// Appends an event to a cart, like a release that supports parking.
fn park(up: &Deployed<'_>, cart: Uuid) {
    let commit = Commit {
        aggregate_id: AggregateId::of::<ShoppingCart>(cart),
        version: 2,
        events: vec![StoredEvent {
            id: Uuid::now_v7(),
            event_type: "CartParked".to_owned(),
            schema_version: 1,
            data: JsonText::canonical(&json!({ "until": "tomorrow" })).expect("the value is JSON"),
            more: Default::default(),
        }],
        context: Context::new(
            Uuid::now_v7(),
            "2026-11-22T05:00:00.000000Z".parse::<OccurredAt>().expect("the time is well-formed"),
        ),
    };
    let store = DynamoDbEventStore::new(up.aws.dynamodb.clone(), up.aws.scope.name("events"));
    up.wait(store.append(&commit)).expect("the version is free");
}

/// Returns which versions of a cart the handler has handled, live or in a replay.
fn versions(up: &Deployed<'_>, cart: &Value, replay: Option<&Value>) -> Vec<u64> {
    let lines = up.logged("log-events").into_iter();
    let lines = lines.filter(|line| line["message"] == "handled" && &line["aggregate_id"] == cart);
    let marked = lines.filter(|line| line.get("replay") == replay);
    let mut versions: Vec<u64> = marked.filter_map(|line| line["version"].as_u64()).collect();
    // A batch may be delivered twice.
    versions.dedup();
    versions
}
