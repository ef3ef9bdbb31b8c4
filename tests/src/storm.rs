//! A storm over the pipeline: carts are written by many at once while functions are killed and
//! AWS fails, and what comes out at the other end is compared with the table, event by event.

mod killer;
mod writer;

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::watch;
use uuid::Uuid;

use crate::deployed::Deployed;
use crate::faulty::Faulty;
use crate::place::Place;
use crate::witness::{Events, Watching, Witness, table_of};

pub use writer::Written;

/// How long everything may take to come through once the last command has its answer: an event
/// in a hundred milliseconds, and what a machine with two busy cores needs to come to rest.
fn through_within(events: u64) -> Duration {
    Duration::from_secs(90) + Duration::from_millis(100) * u32::try_from(events).unwrap_or(u32::MAX)
}

/// How much is written.
#[derive(Debug, Clone, Copy)]
pub struct Storm {
    /// How many events there will be.
    pub events: u64,
    /// How many carts they belong to, evenly; at least two events each.
    pub carts: u64,
}

/// What a storm did, and what it could not do.
#[derive(Debug)]
pub struct Calm {
    /// What was written.
    pub written: Written,
    /// How often each function was killed.
    pub killed: BTreeMap<String, u64>,
    /// How often calls failed, in each way.
    pub faults: Vec<(String, u64)>,
    /// What each consumer has seen.
    pub witnesses: Vec<Witness>,
    /// How long the writing took.
    pub writing: Duration,
    /// How long it took from there until every consumer had every event.
    pub waiting: Duration,
    /// How the consumers differ from the table, and the table from what was written.
    pub differences: Vec<String>,
}

impl Storm {
    /// Writes, kills, waits and compares.
    ///
    /// # Panics
    /// A command is refused, or has no answer after very many repetitions.
    pub fn over(self, faulty: &Faulty, place: &Place<'_>, up: &Deployed<'_>) -> Calm {
        let started = Instant::now();
        let (written, killed) = up.wait(async {
            let (done, until) = watch::channel(false);
            let write = async {
                let written = writer::write(self, faulty.endpoint(), place, up).await;
                // Who kills may have gone already.
                let _ = done.send(true);
                written
            };
            futures::join!(write, killer::kill(faulty.cloud().pid(), until))
        });
        let writing = started.elapsed();
        let started = Instant::now();
        let (table, witnesses) = self.comes_through(up);
        let waiting = started.elapsed();
        let mut differences = written.differences(&table);
        differences.extend(witnesses.iter().flat_map(|witness| witness.differences(&table)));
        Calm { written, killed, faults: faulty.faults(), witnesses, writing, waiting, differences }
    }

    /// Writes as much with nothing in the way, and returns the events when all of them have come
    /// through.
    ///
    /// # Panics
    /// Something is missing, or too much.
    pub fn quietly(self, place: &Place<'_>, up: &Deployed<'_>) -> Events {
        let written = up.wait(writer::write(self, place.cloud.endpoint(), place, up));
        let (table, witnesses) = self.comes_through(up);
        let mut differences = written.differences(&table);
        differences.extend(witnesses.iter().flat_map(|witness| witness.differences(&table)));
        assert_eq!(differences, [""; 0], "what was written in peace");
        table
    }

    /// Waits until each consumer has as many events as the table, and returns what both have.
    fn comes_through(self, up: &Deployed<'_>) -> (Events, Vec<Witness>) {
        let started = Instant::now();
        let table = up.wait(table_of(up));
        let mut watching = Watching::new();
        while started.elapsed() < through_within(self.events) && !up.wait(watching.has_all(up, &table)) {
            // The local cloud waits 5 ms for a function's last lines, and on a busy machine has
            // them with its next invocation: so there is one, with nothing to do.
            let nothing = json!({"replay": {"id": Uuid::nil(), "even_if_it_acts": false}, "events": []});
            drop(up.wait(up.call("log-events", &nothing)));
            std::thread::sleep(Duration::from_millis(500));
        }
        (table, watching.witnesses())
    }
}

impl fmt::Display for Calm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Written { carts, commands, repeated, failed, .. } = &self.written;
        let events: u64 = carts.values().sum();
        writeln!(f, "{events} events of {} carts, by {commands} commands", carts.len())?;
        writeln!(f, "  {repeated} sent twice or more on purpose, {failed} again because they failed")?;
        writeln!(
            f,
            "  written in {:.1} s, through {:.1} s later",
            self.writing.as_secs_f64(),
            self.waiting.as_secs_f64()
        )?;
        for (function, times) in &self.killed {
            writeln!(f, "  {function} killed {times} times")?;
        }
        for (fault, times) in &self.faults {
            writeln!(f, "  {fault}: {times} times")?;
        }
        for witness in &self.witnesses {
            let (name, events, repetitions) = (witness.name, witness.events(), witness.repetitions());
            writeln!(f, "  {name} saw {events} events, and {repetitions} repetitions")?;
        }
        writeln!(f, "{} differences", self.differences.len())?;
        self.differences.iter().take(20).try_for_each(|difference| writeln!(f, "  {difference}"))
    }
}
