//! Many writers of one cart, repeated commands, and carts with a long history.

use std::collections::BTreeMap;

use acceptance::{Cloud, Deployed};
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::cart::{CartEvent, ShoppingCart};
use eventsourcing::{AggregateId, Commit, Context, EventStore};
use futures::future::join_all;
use serde_json::{Value, json};
use storage::DynamoDbEventStore;
use uuid::Uuid;

use crate::Test;

pub(crate) const TESTS: &[Test] = &[
    ("concurrent_writers_each_succeed_once", concurrent_writers_each_succeed_once),
    ("cart_above_a_megabyte_is_loaded_whole", cart_above_a_megabyte_is_loaded_whole),
];

const WRITERS: u64 = 32;

/// No addition is lost or made twice, although many writers add concurrently and commands are repeated often
/// and late.
fn concurrent_writers_each_succeed_once(cloud: &Cloud) {
    let place = cloud.place();
    let up = Deployed::local(&place);
    let cart_id = Uuid::from_u128(1);
    up.answer("open-cart", &json!({"cart_id": cart_id}));
    // Four items, so that additions of the same item and of different items meet.
    let add = |n: u64| {
        let item = format!("item {}", n % 4);
        json!({"cart_id": cart_id, "item": item, "quantity": n + 1, "command_id": command(n)})
    };
    let requests: Vec<Value> = (0..WRITERS).map(add).collect();

    let first = add_all(&up, &requests);
    let mut versions: Vec<u64> = first.iter().map(|answer| number(&answer["version"])).collect();
    versions.sort_unstable();
    assert_eq!(versions, (2..=WRITERS + 1).collect::<Vec<_>>(), "each command adds one version");
    let cart = up.answer("get-cart", &json!({"cart_id": cart_id}));
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    for n in 0..WRITERS {
        *expected.entry(format!("item {}", n % 4)).or_default() += n + 1;
    }
    assert_eq!(quantities(&cart), expected);

    assert_eq!(add_all(&up, &requests), first, "a repeat is answered like the first time");
    let late = json!({"cart_id": cart_id, "item": "item 0", "quantity": 1, "command_id": command(99)});
    let later = up.answer("add-item", &late);
    assert_eq!(later["version"], WRITERS + 2, "the repeats added nothing");
    assert_eq!(add_all(&up, &requests), first, "a repeat after a later commit gets the same answer");
    let close = json!({"cart_id": cart_id, "command_id": command(100)});
    let closed = up.answer("close-cart", &close);
    assert_eq!(add_all(&up, &requests), first, "a repeat to a closed cart gets the same answer");
    assert_eq!(up.answer("close-cart", &close), closed);

    let mut other = requests[0].clone();
    other["quantity"] = json!(7);
    assert_eq!(up.answer("add-item", &other)["error"], "CommandReused");
    let other = json!({"cart_id": cart_id, "command_id": command(0)});
    assert_eq!(up.answer("close-cart", &other)["error"], "CommandReused");

    let all: Vec<u64> = (1..=WRITERS + 3).collect();
    let id = AggregateId::of::<ShoppingCart>(cart_id);
    assert_eq!(stored_versions(&up, &id), all, "one to open, the writers, the late one, one to close");
    assert_eq!(up.answer("get-cart", &json!({"cart_id": cart_id})), closed);
}

/// A history that needs several pages of DynamoDB is read completely, and can be continued.
fn cart_above_a_megabyte_is_loaded_whole(cloud: &Cloud) {
    // About as many events as a cart can have.
    const COMMITS: u64 = 10;
    const EVENTS: u64 = 99;

    let place = cloud.place();
    let up = Deployed::local(&place);
    // Publishing is not tested here, and thousands of events would keep capture busy.
    up.wait(stop_capture(&up));

    let cart_id = Uuid::from_u128(1);
    let id = AggregateId::of::<ShoppingCart>(cart_id);
    let store = DynamoDbEventStore::new(up.aws.dynamodb.clone(), up.aws.scope.name("events"));
    let time = "2026-11-21T19:02:03.123456Z".parse().expect("the time is well-formed");
    // The most bytes that 200 characters can have in JSON.
    let name = |n: u64| format!("{}{n:03}", "\u{1}".repeat(197));
    let mut behind = 0;
    for commit in 0..=COMMITS {
        let events: Vec<CartEvent> = match commit {
            0 => vec![CartEvent::CartOpened {}],
            _ => (0..EVENTS).map(|n| CartEvent::ItemAdded { item: name(n), quantity: 1 }).collect(),
        };
        let context = Context::new(command(commit), time);
        let commit = Commit::of(id.clone(), behind, &events, context, Uuid::now_v7);
        let commit = commit.expect("the events can be stored");
        up.wait(store.append(&commit)).expect("there is no other writer");
        behind = commit.next_version() - 1;
    }
    assert!(up.wait(pages(&up, &id)).len() > 1, "the history needs more than one page");

    let cart = up.answer("get-cart", &json!({"cart_id": cart_id}));
    assert_eq!(cart["version"], 1 + COMMITS * EVENTS);
    let expected: BTreeMap<String, u64> = (0..EVENTS).map(|n| (name(n), COMMITS)).collect();
    assert!(quantities(&cart) == expected, "items and quantities are complete");
    let added = up.answer("add-item", &json!({"cart_id": cart_id, "item": "last"}));
    assert_eq!(added["version"], 2 + COMMITS * EVENTS, "{}", added["error"]);
}

fn command(n: u64) -> Uuid {
    Uuid::from_u128(0xc0ffee << 64 | u128::from(n))
}

/// Sends all requests at once. Returns the answers in the order of the requests.
fn add_all(up: &Deployed<'_>, requests: &[Value]) -> Vec<Value> {
    let answers = up.wait(join_all(requests.iter().map(|request| up.call("add-item", request))));
    let answered = |answer: Result<Value, String>| {
        let answer = answer.expect("no call fails");
        assert_eq!(answer.get("error"), None, "{answer}");
        answer
    };
    answers.into_iter().map(answered).collect()
}

fn quantities(cart: &Value) -> BTreeMap<String, u64> {
    let lines = cart["items"].as_array().unwrap_or_else(|| panic!("no cart: {cart}"));
    let line =
        |line: &Value| (line["item"].as_str().unwrap_or_default().to_owned(), number(&line["quantity"]));
    lines.iter().map(line).collect()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("not a number: {value}"))
}

/// Returns the versions of all events of a cart, from the table's items.
fn stored_versions(up: &Deployed<'_>, id: &AggregateId) -> Vec<u64> {
    let items = up.wait(pages(up, id)).into_iter().flat_map(|page| page.items.unwrap_or_default());
    let versions = items.flat_map(|item| {
        let version = item["Version"].as_n().expect("versions are numbers");
        let first: u64 = version.parse().expect("versions are whole");
        let events = item["Events"].as_l().expect("events are a list").len() as u64;
        first..first + events
    });
    versions.collect()
}

/// Returns the pages of a query for an aggregate.
async fn pages(up: &Deployed<'_>, id: &AggregateId) -> Vec<QueryOutput> {
    let query = up.aws.dynamodb.query().table_name(up.aws.scope.name("events"));
    let query = query.key_condition_expression("AggregateId = :id");
    let query = query.expression_attribute_values(":id", AttributeValue::S(id.to_string()));
    query.into_paginator().send().try_collect().await.expect("the table can be read")
}

async fn stop_capture(up: &Deployed<'_>) {
    let capture = up.aws.scope.name("capture");
    let mappings = up.aws.lambda.list_event_source_mappings().function_name(capture).send().await;
    for mapping in mappings.expect("mappings can be listed").event_source_mappings() {
        let update = up.aws.lambda.update_event_source_mapping().set_uuid(mapping.uuid.clone());
        update.enabled(false).send().await.expect("a mapping can be stopped");
    }
}
