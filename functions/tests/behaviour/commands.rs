//! Commands for carts, from request to answer: rules and repeats.

use domain::{
    ShoppingCartRepo,
    cart::{CartCommand, cart_opened_by},
};
use eventsourcing::{AggregateId, EventStore, InMemoryStore};
use functions::request;
use futures::StreamExt;
use runtime::{command, query, request::Parse, surroundings::Machine, testing::invocation};
use serde_json::{Value, json};
use uuid::Uuid;

const CART: Uuid = Uuid::from_u128(0xca27);

type Carts<S> = ShoppingCartRepo<S>;

fn carts() -> Carts<InMemoryStore> {
    ShoppingCartRepo::new(InMemoryStore::new())
}

async fn send<S: EventStore>(carts: &Carts<S>, parse: Parse<CartCommand>, payload: Value) -> Value {
    json!(command::answer(carts, parse, invocation(payload, 30), &Machine).await.expect("no fault"))
}

async fn ask<S: EventStore>(carts: &Carts<S>, payload: Value) -> Value {
    json!(query::answer(carts, invocation(payload, 30)).await.expect("no fault"))
}

#[tokio::test]
async fn cart_is_opened_filled_shown_and_closed() {
    let carts = carts();
    let opened = send(&carts, request::open_cart, json!({"command_id": CART})).await;
    let cart_id = cart_opened_by(CART);
    assert_eq!(opened, json!({"cart_id": cart_id, "version": 1, "status": "open", "items": []}));

    let add = |item: &str, quantity: Value| json!({"cart_id": cart_id, "item": item, "quantity": quantity});
    send(&carts, request::add_item, add("tea", json!(2))).await;
    send(&carts, request::add_item, add("milk", json!(null))).await;
    let full = json!({"cart_id": cart_id, "version": 3, "status": "open",
        "items": [{"item": "tea", "quantity": 2}, {"item": "milk", "quantity": 1}]});
    assert_eq!(ask(&carts, json!({"cart_id": cart_id})).await, full);

    let closed = send(&carts, request::close_cart, json!({"cart_id": cart_id})).await;
    assert_eq!((&closed["version"], &closed["status"]), (&json!(4), &json!("closed")));
    let again = send(&carts, request::close_cart, json!({"cart_id": cart_id})).await;
    assert_eq!(again, closed, "closing a closed cart succeeds without an event");
    assert_eq!(
        send(&carts, request::add_item, add("tea", json!(1))).await,
        json!({"error": "CartClosed", "cart_id": cart_id,
            "message": "the cart is closed and can no longer be changed"})
    );
}

#[tokio::test]
async fn broken_rules_are_answers() {
    let carts = carts();
    let error = async |parse: Parse<CartCommand>, payload: Value| {
        let answer = send(&carts, parse, payload).await;
        (answer["error"].clone(), answer["cart_id"].clone())
    };
    let cart = json!({"cart_id": CART});
    let item = json!({"cart_id": CART, "item": "tea", "quantity": 1000});
    assert_eq!(error(request::close_cart, cart.clone()).await, (json!("CartNotFound"), json!(CART)));
    send(&carts, request::open_cart, cart.clone()).await;
    assert_eq!(error(request::add_item, item).await, (json!("InvalidItem"), json!(CART)));
    assert_eq!(error(request::close_cart, json!({"cart_id": 1})).await, (json!("InvalidId"), json!(null)));
    assert_eq!(error(request::close_cart, json!([])).await, (json!("InvalidRequest"), json!(null)));
    assert_eq!(ask(&carts, json!({"cart_id": Uuid::nil()})).await["error"], "CartNotFound");
}

#[tokio::test]
async fn repeated_command_adds_nothing_and_is_answered_alike() {
    let carts = carts();
    let open = json!({"command_id": CART});
    let opened = send(&carts, request::open_cart, open.clone()).await;
    let add = json!({"cart_id": opened["cart_id"], "item": "tea", "command_id": Uuid::from_u128(2)});
    let added = send(&carts, request::add_item, add.clone()).await;
    assert_eq!(send(&carts, request::add_item, add.clone()).await, added);

    send(&carts, request::close_cart, json!({"cart_id": opened["cart_id"]})).await;
    assert_eq!(
        send(&carts, request::add_item, add.clone()).await,
        added,
        "a repeat gets the same answer after the cart was closed"
    );
    assert_eq!(send(&carts, request::open_cart, open).await, opened);

    let mut other = add;
    other["quantity"] = json!(2);
    assert_eq!(send(&carts, request::add_item, other).await["error"], "CommandReused");
    assert_eq!(ask(&carts, json!({"cart_id": opened["cart_id"]})).await["version"], 3);
}

#[tokio::test]
async fn caller_context_is_stored_with_the_commit() {
    let store = InMemoryStore::new();
    let carts = ShoppingCartRepo::new(&store);
    let payload = json!({"cart_id": CART, "command_id": Uuid::from_u128(1),
        "correlation_id": Uuid::from_u128(2), "actor": "zoë"});
    send(&carts, request::open_cart, payload).await;
    let id = AggregateId::of::<domain::cart::ShoppingCart>(CART);
    let commits: Vec<_> = store.read(&id).collect().await;
    let commit = commits[0].as_ref().expect("the store in memory never fails");
    let context = &commit.context;
    assert_eq!(context.command_id, Uuid::from_u128(1));
    assert_eq!(context.correlation_id, Uuid::from_u128(2));
    assert_eq!(context.actor.as_deref(), Some("zoë"));
    assert_eq!(commit.events[0].id.get_version_num(), 7);
}
