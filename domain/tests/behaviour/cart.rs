//! The rules of the cart, one test per rule.

use domain::cart::{
    CartCommand, CartError, CartEvent, CartLine, CartStatus, CartView, MAX_ITEMS, MAX_NAME_LENGTH,
    ShoppingCart, cart_opened_by,
};
use eventsourcing::{Aggregate, AggregateId, Answer, Answering, Commit, Context, Refusal, testing::given};
use serde_json::json;
use uuid::Uuid;

fn opened() -> CartEvent {
    CartEvent::CartOpened {}
}

fn closed(items: impl IntoIterator<Item = (&'static str, u64)>) -> CartEvent {
    let line = |(item, quantity): (&str, u64)| CartLine { item: item.to_owned(), quantity };
    CartEvent::CartClosed { items: items.into_iter().map(line).collect() }
}

fn added(item: &str, quantity: u32) -> CartEvent {
    CartEvent::ItemAdded { item: item.to_owned(), quantity }
}

fn add(item: &str, quantity: i64) -> CartCommand {
    CartCommand::AddItem { item: item.to_owned(), quantity }
}

/// The id must not change: otherwise a retry would open a second cart.
#[test]
fn cart_id_derived_from_a_command_never_changes() {
    let command = "01997d2e-8a3b-7c11-9f0e-6b1d5a2c4e70".parse().unwrap();
    assert_eq!(cart_opened_by(command).to_string(), "46ca1cbb-0ac5-58f2-8efa-e390468f912c");
}

#[test]
fn cart_is_opened_once() {
    given::<ShoppingCart>([]).when(&CartCommand::Open).then([opened()]);
    given::<ShoppingCart>([opened()]).when(&CartCommand::Open).then_nothing();
}

#[test]
fn closed_cart_cannot_be_reopened() {
    given::<ShoppingCart>([opened(), closed([])])
        .when(&CartCommand::Open)
        .then_refused(&CartError::CartClosed);
}

#[test]
fn unopened_cart_refuses_items_and_closing() {
    given::<ShoppingCart>([]).when(&add("tea", 1)).then_refused(&CartError::CartNotFound);
    given::<ShoppingCart>([]).when(&CartCommand::Close).then_refused(&CartError::CartNotFound);
}

#[test]
fn item_added_again_increases_its_quantity() {
    let cart = given::<ShoppingCart>([opened(), added("tea", 999), added("milk", 1)])
        .when(&add("tea", 2))
        .then([added("tea", 2)]);
    let line = |item: &str, quantity| CartLine { item: item.to_owned(), quantity };
    assert_eq!(cart.lines(), [line("tea", 1001), line("milk", 1)]);
    assert_eq!(cart.status(), Some(CartStatus::Open));
}

#[test]
fn quantity_is_1_to_999() {
    for quantity in [1, 999] {
        given::<ShoppingCart>([opened()]).when(&add("tea", quantity)).then([added("tea", quantity as u32)]);
    }
    for quantity in [i64::MIN, -1, 0, 1000, i64::MAX] {
        let message = format!("quantity must be 1 to 999, not {quantity}");
        given::<ShoppingCart>([opened()])
            .when(&add("tea", quantity))
            .then_refused(&CartError::InvalidItem(message));
    }
}

#[test]
fn item_name_has_1_to_200_characters() {
    let longest = "茶".repeat(MAX_NAME_LENGTH);
    given::<ShoppingCart>([opened()]).when(&add(&longest, 1)).then([added(&longest, 1)]);
    for (name, length) in [(String::new(), 0), (longest + "!", 201)] {
        let message = format!("item must have 1 to 200 characters, not {length}");
        given::<ShoppingCart>([opened()]).when(&add(&name, 1)).then_refused(&CartError::InvalidItem(message));
    }
}

#[test]
fn full_cart_takes_only_items_it_holds() {
    let full = || {
        let items = (0..MAX_ITEMS).map(|n| added(&format!("item {n}"), 1));
        given::<ShoppingCart>([opened()].into_iter().chain(items))
    };
    full().when(&add("item 7", 3)).then([added("item 7", 3)]);
    full().when(&add("one too many", 1)).then_refused(&CartError::CartFull);
}

#[test]
fn cart_is_closed_once_and_takes_nothing_more() {
    let filled = [opened(), added("tea", 1), added("milk", 2), added("tea", 999)];
    given::<ShoppingCart>(filled).when(&CartCommand::Close).then([closed([("tea", 1000), ("milk", 2)])]);
    given::<ShoppingCart>([opened(), closed([])]).when(&CartCommand::Close).then_nothing();
    given::<ShoppingCart>([opened(), closed([])]).when(&add("tea", 1)).then_refused(&CartError::CartClosed);
}

/// A cart with any contents can be closed: its last event is its largest.
#[test]
fn fullest_cart_can_be_closed() {
    // JSON needs at most six bytes per character.
    let name = |n: usize| format!("{n:03}{}", "\u{1}".repeat(MAX_NAME_LENGTH - 3));
    let items = (0..MAX_ITEMS).map(|n| CartLine { item: name(n), quantity: u64::MAX >> 11 }).collect();
    let id = AggregateId::of::<ShoppingCart>(Uuid::nil());
    let context = Context::new(Uuid::nil(), "2026-11-21T19:02:03.123456Z".parse().unwrap());
    let commit = Commit::of(id, 9, &[CartEvent::CartClosed { items }], context, Uuid::nil).unwrap();
    assert!(commit.events[0].data.as_str().len() > 240_000);
}

#[test]
fn cart_and_refusal_answers_have_the_documented_form() {
    let mut cart = ShoppingCart::default();
    cart.apply(&opened());
    cart.apply(&added("tea", 2));
    let answer = Answer::View(cart.view(Uuid::nil(), 2).unwrap());
    assert_eq!(
        json!(answer),
        json!({"cart_id": Uuid::nil(), "version": 2, "status": "open",
            "items": [{"item": "tea", "quantity": 2}]})
    );
    let refusal = Refusal::rule::<ShoppingCart>(&CartError::CartClosed).about::<ShoppingCart>(Uuid::nil());
    assert_eq!(
        json!(Answer::<CartView>::from(refusal)),
        json!({"error": "CartClosed", "cart_id": Uuid::nil(),
            "message": "the cart is closed and can no longer be changed"})
    );
}
