//! A storm: carts are written concurrently while functions are killed and AWS fails. Then the events that
//! each consumer has seen are compared with the table, one by one.

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

/// How long all events may take to pass the pipeline after the last command was answered: 100 ms for each
/// event, and a margin for a machine with two busy cores.
fn through_within(events: u64) -> Duration {
    Duration::from_secs(90) + Duration::from_millis(100) * u32::try_from(events).unwrap_or(u32::MAX)
}

/// The size of a storm.
#[derive(Debug, Clone, Copy)]
pub struct Storm {
    /// The number of events.
    pub events: u64,
    /// The number of carts, among which the events are divided evenly; each has at least two.
    pub carts: u64,
}

/// The result of a storm.
#[derive(Debug)]
pub struct Calm {
    /// The written carts.
    pub written: Written,
    /// How often each function was killed.
    pub killed: BTreeMap<String, u64>,
    /// How often calls failed, in each way.
    pub faults: Vec<(String, u64)>,
    /// What each consumer has seen.
    pub witnesses: Vec<Witness>,
    /// How long writing took.
    pub writing: Duration,
    /// How long it took after that until every consumer had every event.
    pub waiting: Duration,
    /// The differences between consumers and table, and between table and written carts.
    pub differences: Vec<String>,
}

impl Storm {
    /// Writes, kills, waits and compares.
    ///
    /// # Panics
    /// Panics if a command is refused, or is not answered after very many attempts.
    pub fn over(self, faulty: &Faulty, place: &Place<'_>, up: &Deployed<'_>) -> Calm {
        let started = Instant::now();
        let (written, killed) = up.wait(async {
            let (done, until) = watch::channel(false);
            let write = async {
                let written = writer::write(self, faulty.endpoint(), place, up).await;
                // The killer may have ended already.
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

    /// Writes as much without failures, waits until all events passed the pipeline, and returns them.
    ///
    /// # Panics
    /// Panics if a consumer differs from the table.
    pub fn quietly(self, place: &Place<'_>, up: &Deployed<'_>) -> Events {
        let written = up.wait(writer::write(self, place.cloud.endpoint(), place, up));
        let (table, witnesses) = self.comes_through(up);
        let mut differences = written.differences(&table);
        differences.extend(witnesses.iter().flat_map(|witness| witness.differences(&table)));
        assert_eq!(differences, [""; 0], "there are no differences without failures");
        table
    }

    /// Waits until each consumer has as many events as the table. Returns the table's events, and what each
    /// consumer has seen.
    fn comes_through(self, up: &Deployed<'_>) -> (Events, Vec<Witness>) {
        let started = Instant::now();
        let table = up.wait(table_of(up));
        let mut watching = Watching::new();
        while started.elapsed() < through_within(self.events) && !up.wait(watching.has_all(up, &table)) {
            // The local cloud waits 5 ms for the last log lines of an invocation, and on a busy machine gets
            // them only with the next invocation. So this makes one with nothing to do.
            let nothing = json!({"replay": {"id": Uuid::nil(), "repeat_side_effects": false}, "events": []});
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
        writeln!(f, "  {repeated} repeated on purpose, {failed} repeated after a failure")?;
        writeln!(
            f,
            "  written in {:.1} s, received by all consumers {:.1} s later",
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
