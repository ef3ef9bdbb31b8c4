//! Commands from request to answer: rules, repeats and races.

use std::time::{Duration, SystemTime};

use domain::{
    ShoppingCartRepo,
    cart::{CartCommand, cart_opened_by},
};
use eventsourcing::{AggregateId, Commit, EventStore, InMemoryStore, store::AppendError};
use functions::request;
use futures::{Stream, StreamExt, TryStreamExt, future::join_all, stream};
use lambda_runtime::{Context, LambdaEvent};
use runtime::{command, query, request::Parse, surroundings::Machine};
use serde_json::{Value, json};
use thiserror::Error;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

const CART: Uuid = Uuid::from_u128(0xca27);

/// A store that takes as long as one on the network, or fails, or always loses the race.
#[derive(Default)]
struct FakeStore {
    inner: InMemoryStore,
    takes: Duration,
    out_of_reach: bool,
    always_late: bool,
}

#[derive(Debug, Error)]
#[error("out of reach")]
struct OutOfReach;

impl EventStore for FakeStore {
    type Error = OutOfReach;

    fn read(&self, id: &AggregateId) -> impl Stream<Item = Result<Commit, OutOfReach>> + Send {
        let reading = async move {
            sleep(self.takes).await;
            if self.out_of_reach {
                return Err(OutOfReach);
            }
            Ok(self.inner.read(id).map(|Ok(commit)| Ok(commit)))
        };
        stream::once(reading).try_flatten()
    }

    async fn append(&self, commit: &Commit) -> Result<(), AppendError<OutOfReach>> {
        sleep(self.takes).await;
        if self.always_late {
            return Err(AppendError::Conflict);
        }
        self.inner.append(commit).await.map_err(|_| AppendError::Conflict)
    }
}

type Carts<S> = ShoppingCartRepo<S>;

fn carts() -> Carts<InMemoryStore> {
    ShoppingCartRepo::new(InMemoryStore::new())
}

fn invocation(payload: Value, seconds: u64) -> LambdaEvent<Value> {
    let deadline = SystemTime::now() + Duration::from_secs(seconds);
    let mut context = Context::default();
    context.deadline = deadline
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("the clock is right")
        .as_millis()
        .try_into()
        .expect("the clock is right");
    LambdaEvent::new(payload, context)
}

async fn send<S: EventStore>(carts: &Carts<S>, parse: Parse<CartCommand>, payload: Value) -> Value {
    json!(command::answer(carts, parse, invocation(payload, 30), &Machine).await.expect("no fault"))
}

async fn ask<S: EventStore>(carts: &Carts<S>, payload: Value) -> Value {
    json!(query::answer(carts, invocation(payload, 30)).await.expect("no fault"))
}

#[tokio::test]
async fn a_cart_is_opened_filled_shown_and_closed() {
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
    assert_eq!(again, closed, "closing a closed cart is fine, and is no event");
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
async fn a_repeated_command_adds_nothing_and_is_answered_the_same() {
    let carts = carts();
    let open = json!({"command_id": CART});
    let opened = send(&carts, request::open_cart, open.clone()).await;
    let add = json!({"cart_id": opened["cart_id"], "item": "tea", "command_id": Uuid::from_u128(2)});
    let added = send(&carts, request::add_item, add.clone()).await;
    assert_eq!(send(&carts, request::add_item, add.clone()).await, added);

    send(&carts, request::close_cart, json!({"cart_id": opened["cart_id"]})).await;
    assert_eq!(send(&carts, request::add_item, add.clone()).await, added, "though the cart is closed");
    assert_eq!(send(&carts, request::open_cart, open).await, opened);

    let mut other = add;
    other["quantity"] = json!(2);
    assert_eq!(send(&carts, request::add_item, other).await["error"], "CommandReused");
    assert_eq!(ask(&carts, json!({"cart_id": opened["cart_id"]})).await["version"], 3);
}

#[tokio::test]
async fn what_the_caller_says_about_itself_is_stored() {
    let store = InMemoryStore::new();
    let carts = ShoppingCartRepo::new(&store);
    let payload = json!({"cart_id": CART, "command_id": Uuid::from_u128(1),
        "correlation_id": Uuid::from_u128(2), "actor": "zoë"});
    send(&carts, request::open_cart, payload).await;
    let id = AggregateId::of::<domain::cart::ShoppingCart>(CART);
    let commits: Vec<_> = store.read(&id).collect().await;
    let commit = commits[0].as_ref().expect("memory does not fail");
    let context = &commit.context;
    assert_eq!(context.command_id, Uuid::from_u128(1));
    assert_eq!(context.correlation_id, Uuid::from_u128(2));
    assert_eq!(context.actor.as_deref(), Some("zoë"));
    assert_eq!(commit.events[0].id.get_version_num(), 7);
}

/// 16 ms for a read and an append each is what DynamoDB takes on a bad day.
#[tokio::test(start_paused = true)]
async fn thirty_two_writers_at_once_all_succeed() {
    let store = FakeStore { takes: Duration::from_millis(16), ..FakeStore::default() };
    let carts = ShoppingCartRepo::new(store);
    send(&carts, request::open_cart, json!({"cart_id": CART})).await;
    let add = |n: u128| json!({"cart_id": CART, "item": format!("item {}", n % 4), "command_id": Uuid::from_u128(n)});
    // Each command is sent twice at the same time, as an impatient caller would.
    let send = |n: u128| send(&carts, request::add_item, add(n % 32));
    let answers = join_all((0..64).map(send)).await;
    for (first, second) in answers.iter().zip(&answers[32..]) {
        assert_eq!(first["error"], Value::Null);
        assert_eq!(first, second, "a repeat is answered the same");
    }
    let cart = ask(&carts, json!({"cart_id": CART})).await;
    assert_eq!(cart["version"], 33);
    let quantities = cart["items"].as_array().expect("there are items").iter();
    assert!(quantities.map(|item| &item["quantity"]).all(|quantity| quantity == 8), "{cart}");
}

#[tokio::test(start_paused = true)]
async fn losing_every_race_is_a_conflict_while_there_is_time_to_say_so() {
    let carts = ShoppingCartRepo::new(FakeStore { always_late: true, ..FakeStore::default() });
    let event = invocation(json!({"cart_id": CART}), 3);
    let start = Instant::now();
    let answer = command::answer(&carts, request::open_cart, event, &Machine).await;
    let answer = json!(answer.expect("a conflict is no fault"));
    assert_eq!((&answer["error"], &answer["cart_id"]), (&json!("Conflict"), &json!(CART)));
    assert!(start.elapsed() < Duration::from_secs(2), "the invocation has time left");
}

#[tokio::test]
async fn a_store_out_of_reach_is_a_fault() {
    let store = FakeStore { out_of_reach: true, ..FakeStore::default() };
    let carts = ShoppingCartRepo::new(store);
    let event = || invocation(json!({"cart_id": CART}), 30);
    let fault = command::answer(&carts, request::open_cart, event(), &Machine).await;
    let fault = fault.expect_err("the store is out of reach").to_string();
    assert_eq!(fault, "the store of events failed: out of reach");
    let fault = query::answer(&carts, event()).await;
    let fault = fault.expect_err("the store is out of reach").to_string();
    assert_eq!(fault, "the store of events failed: out of reach");
}
