//! Writes carts concurrently: most of them with the functions' code in this process, some by calling the
//! deployed functions. Failed commands are repeated with the same command id, as callers should do, and so
//! are some that succeeded.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::ShoppingCartRepo;
use domain::cart::CartCommand;
use functions::request;
use futures::{StreamExt, stream};
use runtime::command::execute;
use runtime::request::Parse;
use runtime::surroundings::Machine;
use serde_json::{Value, json};
use storage::DynamoDbEventStore;
use storage::patience::Patience;
use uuid::Uuid;

use super::Storm;
use crate::deployed::Deployed;
use crate::place::Place;
use crate::witness::Events;

/// How many carts are written at the same time.
const AT_ONCE: usize = 48;
/// One of this many carts is written by the deployed functions.
const DEPLOYED: u64 = 10;
/// One of this many commands is sent twice at once.
const TWICE: u64 = 5;
/// How often one command is tried. In a storm, half of all calls fail, but never this many in a row.
const TRIES: usize = 100;

/// The written carts.
#[derive(Debug, Default)]
pub struct Written {
    /// The carts, each with the number of its events.
    pub carts: BTreeMap<Uuid, u64>,
    /// The number of commands, without repetitions.
    pub commands: u64,
    /// How often a command was repeated on purpose.
    pub repeated: u64,
    /// How often a command was repeated because it failed.
    pub failed: u64,
}

impl Written {
    /// Returns the differences between the table and the written carts.
    pub(super) fn differences(&self, table: &Events) -> Vec<String> {
        let mut there: BTreeMap<Uuid, Vec<u64>> = BTreeMap::new();
        for (cart, version) in table.keys() {
            there.entry(*cart).or_default().push(*version);
        }
        let missing = self.carts.keys().filter(|cart| !there.contains_key(cart));
        let missing = missing.map(|cart| format!("the table has no cart {cart}"));
        let wrong = there.iter().filter_map(|(cart, versions)| {
            let expected: Vec<u64> = (1..=self.carts.get(cart).copied().unwrap_or_default()).collect();
            (*versions != expected)
                .then(|| format!("the table has {versions:?} of cart {cart}, not {expected:?}"))
        });
        missing.chain(wrong).collect()
    }
}

/// Where commands are sent.
struct Writer<'a> {
    carts: ShoppingCartRepo<DynamoDbEventStore>,
    up: &'a Deployed<'a>,
}

/// One command: its function and its payload.
struct Command {
    function: &'static str,
    parse: Parse<CartCommand>,
    payload: Value,
}

/// Writes the carts of a storm. This process reaches the table at `endpoint`, so it can meet the same
/// failures as the functions.
pub(super) async fn write(storm: Storm, endpoint: String, place: &Place<'_>, up: &Deployed<'_>) -> Written {
    let aws = place.connect(endpoint, "local").await;
    let store = DynamoDbEventStore::new(aws.dynamodb, up.aws.scope.name("events"));
    let writer = Writer { carts: ShoppingCartRepo::new(store), up };
    let carts = (0..storm.carts).map(|number| {
        let events = storm.events / storm.carts + u64::from(number < storm.events % storm.carts);
        writer.cart(number % DEPLOYED == 0, events.max(2))
    });
    stream::iter(carts)
        .buffer_unordered(AT_ONCE)
        .fold(Written::default(), async |all, one| all.and(one))
        .await
}

impl Writer<'_> {
    /// Writes one cart, and repeats one of its commands at the end.
    async fn cart(&self, deployed: bool, events: u64) -> Written {
        let cart = Uuid::now_v7();
        let commands: Vec<Command> =
            (1..=events).map(|version| Command::nth(cart, version, events)).collect();
        let mut written = Written { carts: [(cart, events)].into(), commands: events, ..Written::default() };
        for (command, number) in commands.iter().zip(0..) {
            let twice = number % TWICE == 0;
            let (first, second) = futures::join!(self.insist(deployed, command), async {
                if twice { self.insist(deployed, command).await } else { 0 }
            });
            written.failed += first + second;
            written.repeated += u64::from(twice);
        }
        if let Some(command) = fastrand::choice(&commands) {
            written.failed += self.insist(deployed, command).await;
            written.repeated += 1;
        }
        written
    }

    /// Sends a command until it is answered. Returns how often it failed.
    async fn insist(&self, deployed: bool, command: &Command) -> u64 {
        let mut why = String::new();
        for failed in 0..TRIES {
            let answer = if deployed { self.call(command).await } else { self.execute(command).await };
            match answer {
                Ok(answer) if answer["error"] == "Conflict" => why = answer.to_string(),
                Ok(answer) => {
                    assert_eq!(answer["error"], Value::Null, "{} {}", command.function, command.payload);
                    return failed as u64;
                }
                Err(fault) => why = fault,
            }
        }
        panic!("{} {} failed {TRIES} times: {why}", command.function, command.payload);
    }

    async fn call(&self, command: &Command) -> Result<Value, String> {
        self.up.call_once(command.function, &command.payload).await
    }

    async fn execute(&self, command: &Command) -> Result<Value, String> {
        let request = (command.parse)(command.payload.clone(), Uuid::now_v7());
        let request = request.expect("these requests are well-formed");
        let patience = Patience::lasting(Duration::from_secs(20));
        let answer =
            execute(&self.carts, &request, patience, &Machine).await.map_err(|fault| fault.to_string())?;
        Ok(serde_json::to_value(answer).expect("answers are JSON"))
    }
}

impl Command {
    /// Returns the command that leads to this version of a cart; the `last` version is closed.
    fn nth(cart: Uuid, version: u64, last: u64) -> Self {
        let id = Uuid::now_v7();
        let mut payload = json!({ "cart_id": cart, "command_id": id });
        let (function, parse): (_, Parse<CartCommand>) = if version == 1 {
            ("open-cart", request::open_cart)
        } else if version == last {
            ("close-cart", request::close_cart)
        } else {
            payload["item"] = json!(format!("item {}", version % 7));
            ("add-item", request::add_item)
        };
        Self { function, parse, payload }
    }
}

impl Written {
    fn and(mut self, other: Self) -> Self {
        self.carts.extend(other.carts);
        self.commands += other.commands;
        self.repeated += other.repeated;
        self.failed += other.failed;
        self
    }
}
