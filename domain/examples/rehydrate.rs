//! Rebuilds a cart from its events, step by step.
//!
//! ```text
//! cargo run -p domain --example rehydrate
//! ```

#![expect(clippy::print_stdout, reason = "an example prints its results")]

use domain::{
    ShoppingCartRepo,
    cart::{CartCommand, CartEvent, CartStatus, ShoppingCart},
};
use eventsourcing::{
    Aggregate, Context, InMemoryStore, Moment, OccurredAt,
    event::{decode, encode},
    history::Refused,
    testing::{Fixed, request},
};
use futures::executor::block_on;
use jiff::{Timestamp, ToSpan};
use uuid::Uuid;

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let carts = ShoppingCartRepo::new(InMemoryStore::new());
    let cart_id = Uuid::from_u128(0x0199_7d2e_8a3b_7c11_9f0e_6b1d_5a2c_4e70);

    println!("Commands and their events:\n");
    let mut stored = Vec::new();
    for (n, command) in (1..).zip(commands()) {
        let events = block_on(run(&carts, cart_id, n, &command))?;
        println!("  {:<32}{}", asked(&command), outcome(&events));
        stored.extend(events.into_iter().flatten());
    }

    println!("\nThe cart, rebuilt from the stored events:\n");
    println!("  version  stored as                                     the cart is then");
    let mut cart = ShoppingCart::default();
    for (version, event) in (1..).zip(&stored) {
        let text = encode(event)?;
        let read: CartEvent = decode(text.event_type, text.schema_version, &text.data)?;
        cart.apply(&read);
        let line = format!("{} {}", text.event_type, text.data.as_str());
        println!("  {version:>7}  {line:<46}{}", shown(&cart));
    }

    let fetched = block_on(carts.fetch(cart_id))?;
    assert_eq!(fetched.state(), &cart);
    println!("\nThe repository fetched the same cart, at version {}.", fetched.version());
    Ok(())
}

fn commands() -> [CartCommand; 7] {
    let add = |item: &str, quantity| CartCommand::AddItem { item: item.to_owned(), quantity };
    [
        CartCommand::Open,
        add("tea", 2),
        add("milk", 1),
        add("tea", 1),
        add("sugar", 0),
        CartCommand::Close,
        add("biscuits", 1),
    ]
}

/// Fetches, decides and stores; a broken rule is a normal outcome.
async fn run(
    carts: &ShoppingCartRepo<InMemoryStore>,
    cart_id: Uuid,
    n: u128,
    command: &CartCommand,
) -> Result<Result<Vec<CartEvent>, String>, Error> {
    let request = request(cart_id, Uuid::from_u128(n), command.clone());
    let start: Timestamp = "2026-11-21T19:02:00Z".parse()?;
    let surroundings = Fixed::at(start + i64::try_from(n)?.seconds());
    let moment = Moment::of(&surroundings);
    let history = carts.fetch(cart_id).await?;
    let decision = match history.decide(&request, &moment) {
        Ok(decision) => decision,
        Err(Refused::Rule(rule)) => return Ok(Err(format!("{}: {rule}", rule.name()))),
        Err(reused) => return Err(reused.into()),
    };
    let context = Context::of(&request, OccurredAt::new(moment.now()));
    carts.store(&decision, context, || Uuid::new_v5(&request.command_id, b"event")).await?;
    Ok(Ok(decision.events))
}

fn asked(command: &CartCommand) -> String {
    match command {
        CartCommand::Open => "open".to_owned(),
        CartCommand::AddItem { item, quantity } => format!("add {quantity} x {item}"),
        CartCommand::Close => "close".to_owned(),
    }
}

fn outcome(events: &Result<Vec<CartEvent>, String>) -> String {
    match events {
        Ok(events) => {
            let events: Vec<_> = events.iter().map(|event| format!("{event:?}")).collect();
            events.join(", ")
        }
        Err(rule) => format!("refused, {rule}"),
    }
}

fn shown(cart: &ShoppingCart) -> String {
    let status = match cart.status() {
        None => "missing",
        Some(CartStatus::Open) => "open",
        Some(CartStatus::Closed) => "closed",
    };
    let lines = cart.lines().iter();
    let items: Vec<_> = lines.map(|line| format!("{} x {}", line.quantity, line.item)).collect();
    if items.is_empty() { format!("{status}, empty") } else { format!("{status}, {}", items.join(", ")) }
}
