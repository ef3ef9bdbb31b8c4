//! Callers: clients that send commands for carts through the real code, repeat them when no answer arrives,
//! and sometimes send a command twice at once.

use std::{sync::Arc, time::Duration};

use domain::{
    ShoppingCartRepo,
    cart::{CartCommand, CartEvent, ShoppingCart},
};
use eventsourcing::{AggregateId, Answer, Commit, Context, EventStore, OccurredAt, Surroundings};
use functions::request;
use futures::future::join_all;
use lambda_runtime::LambdaEvent;
use runtime::{command, request::Parse};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    planted::Store,
    world::{
        World,
        lambda::{self, Ended},
        lock,
        process::Process,
    },
};

/// A function that answers commands, and caches carts between invocations.
#[derive(Debug)]
pub(crate) struct Function {
    store: Store,
    carts: ShoppingCartRepo<Store>,
}

/// After this many attempts, a caller meets no faults any more.
const PATIENCE: u32 = 5;

/// Starts callers that open, fill and close some carts.
pub(crate) fn start(world: &Arc<World>) {
    for _ in 0..=world.chance.below(3) {
        let cart = world.chance.id();
        for _ in 0..=world.chance.below(2) {
            lock(&world.observed).busy += 1;
            let world = world.clone();
            tokio::task::spawn_local(async move {
                fill(&world, cart).await;
                lock(&world.observed).busy -= 1;
                world.change();
            });
        }
    }
}

/// Sends some commands for one cart, one after another.
async fn fill(world: &Arc<World>, cart: Uuid) {
    let open = json!({"cart_id": cart, "command_id": world.chance.id()});
    send(world, "open-cart", request::open_cart, open).await;
    for _ in 0..world.chance.below(5) {
        let command_id = world.chance.id();
        match world.chance.below(12) {
            0 => {
                let close = json!({"cart_id": cart, "command_id": command_id});
                send(world, "close-cart", request::close_cart, close).await;
            }
            1 | 2 => import(world, cart).await,
            n => {
                let poison = world.chance.happens(world.weather().poison);
                let item = if poison { ["boom", "never"][n % 2] } else { ["tea", "cups"][n % 2] };
                let add = json!({"cart_id": cart, "item": item, "command_id": command_id});
                let send = || send(world, "add-item", request::add_item, add.clone());
                if n == 3 { drop(join_all([send(), send()]).await) } else { send().await }
            }
        }
    }
}

/// Sends a command until it is answered.
async fn send(world: &Arc<World>, function: &str, parse: Parse<CartCommand>, payload: Value) {
    let id = |field: &str| payload[field].as_str().and_then(|id| id.parse::<Uuid>().ok()).unwrap_or_default();
    for attempt in 0.. {
        let process = lambda::process(world, function, attempt >= PATIENCE);
        process.note(|| format!("is called with {payload}"));
        let instance = warm(&process);
        let answer = lambda::run(&process, lambda::TIME_LIMIT, |process| {
            let event = LambdaEvent::new(payload.clone(), context());
            let carts = &instance.carts;
            async move { command::answer(carts, parse, event, &process).await }
        });
        let answer = answer.await;
        // A process that was cut off or died is not reused.
        if matches!(answer, Ok(_) | Err(Ended::Fault(_))) {
            lock(&world.warm).push(instance);
        }
        match answer {
            Ok(Answer::Refusal(refusal)) if refusal.error == "Conflict" => {}
            // The caller's connection breaks sometimes.
            Ok(_) if world.chance.happens(world.weather().lost_answers) => {}
            Ok(Answer::View(_)) => {
                // A cart may already be open; an item is always new.
                if function == "add-item" {
                    lock(&world.observed).acknowledged.insert((id("cart_id"), id("command_id")));
                }
                return;
            }
            Ok(Answer::Refusal(_)) => return,
            Err(_) => {}
        }
        world.pause().await;
    }
}

/// Returns a warm function for this process, or a new one.
fn warm(process: &Process) -> Function {
    let warm = lock(&process.world.warm).pop();
    let function = warm.unwrap_or_else(|| {
        let store = Store::of(process);
        Function { carts: ShoppingCartRepo::new(store.clone()), store }
    });
    function.store.pass_to(process);
    function
}

/// Appends several events at once, like a command that produces more than one event. It is not repeated, so
/// its outcome may stay unknown.
async fn import(world: &Arc<World>, cart: Uuid) {
    let process = Process::mortal(world, "import");
    let running = lambda::run(&process, lambda::TIME_LIMIT, |process| async move {
        let store = Store::of(&process);
        let history = ShoppingCartRepo::new(&store).fetch(cart).await?;
        let item = |n| CartEvent::ItemAdded { item: format!("imported {n}"), quantity: 1 };
        let events: Vec<_> = (0..2 + process.world.chance.below(3)).map(item).collect();
        let context = Context::new(process.new_id(), OccurredAt::new(process.now()));
        let id = AggregateId::of::<ShoppingCart>(cart);
        let commit = Commit::of(id, history.version(), &events, context, || process.new_id())?;
        // Another writer may have been faster.
        drop(store.append(&commit).await);
        Ok(())
    });
    drop(running.await);
}

/// Returns an invocation's context with unlimited time.
fn context() -> lambda_runtime::Context {
    let year = Duration::from_secs(365 * 24 * 3600);
    let mut context = lambda_runtime::Context::default();
    context.deadline = (year * 200).as_millis() as u64;
    context
}
