//! Writes carts, many at once: most of them by the code of the functions in this process, some
//! by calling the deployed functions. What fails is asked for again with the same command id,
//! as callers are told to do, and some of what did not fail as well.

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

/// Carts that are written at the same time.
const AT_ONCE: usize = 48;
/// One cart of so many is written by the deployed functions.
const DEPLOYED: u64 = 10;
/// One command of so many is sent twice at once.
const TWICE: u64 = 5;
/// How often one command is tried. In a storm, half of all calls fail; this many in a row do not.
const TRIES: usize = 100;

/// What was written.
#[derive(Debug, Default)]
pub struct Written {
    /// The carts, each with the number of its events.
    pub carts: BTreeMap<Uuid, u64>,
    /// How many commands there were, repetitions not counted.
    pub commands: u64,
    /// How often a command was sent although it had been, or was being, answered.
    pub repeated: u64,
    /// How often a command was sent again because it failed.
    pub failed: u64,
}

impl Written {
    /// Returns how the table differs from what was written.
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

/// Whom commands are sent to.
struct Writer<'a> {
    carts: ShoppingCartRepo<DynamoDbEventStore>,
    up: &'a Deployed<'a>,
}

/// One command: the function it is for, and what it is sent.
struct Command {
    function: &'static str,
    parse: Parse<CartCommand>,
    payload: Value,
}

/// Writes what the storm consists of. This process finds the table where `endpoint` says, and so
/// can meet the same faults as the functions.
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
    /// Writes one cart, and repeats one of its commands when all is done.
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

    /// Sends a command until it is answered, and returns how often it failed.
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
    /// Returns the command that leads to this version of a cart that is closed by the last.
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
