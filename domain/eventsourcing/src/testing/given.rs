//! Given these events, when this command is decided, then these events follow.
//!
//! The kit works for every aggregate. It also encodes and decodes each event, so that the first test with an
//! event that has no schema fails.
//!
//! ```
//! use eventsourcing::{testing::tally::{Tally, TallyCommand, TallyError, TallyEvent}, testing::given};
//!
//! given::<Tally>([TallyEvent::TallyOpened {}])
//!     .when(&TallyCommand::Close)
//!     .then([TallyEvent::TallyClosed {}]);
//!
//! given::<Tally>([])
//!     .when(&TallyCommand::Close)
//!     .then_refused(&TallyError::NotOpened);
//! ```

use std::fmt::Debug;

use jiff::Timestamp;

use super::Fixed;
use crate::{
    aggregate::Aggregate,
    event::{Event, decode, encode},
    surroundings::Moment,
};

/// The earlier events.
#[derive(Debug)]
pub struct Given<A: Aggregate> {
    events: Vec<A::Event>,
    state: A,
    surroundings: Fixed,
}

/// The result of a command.
#[derive(Debug)]
pub struct When<A: Aggregate> {
    given: Given<A>,
    command: String,
    outcome: Result<Vec<A::Event>, A::Error>,
}

/// Starts from an aggregate with these events.
#[track_caller]
pub fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let mut given = Given { events: Vec::new(), state: A::default(), surroundings: Fixed::default() };
    for event in events {
        assert_storable(&event);
        given.state.apply(&event);
        given.events.push(event);
    }
    given
}

impl<A: Aggregate> Given<A>
where
    A::Command: Debug,
{
    /// Sets the clock; the default is a fixed time at noon.
    pub fn at(self, now: Timestamp) -> Self {
        Self { surroundings: Fixed::at(now), ..self }
    }

    /// Decides a command.
    pub fn when(self, command: &A::Command) -> When<A> {
        let outcome = self.state.decide(command, &Moment::of(&self.surroundings));
        When { outcome, command: format!("{command:?}"), given: self }
    }
}

impl<A: Aggregate> When<A> {
    /// Expects exactly these events; returns the state after them, for further checks.
    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = A::Event>) -> A {
        let expected: Vec<_> = expected.into_iter().collect();
        expected.iter().for_each(assert_storable);
        match &self.outcome {
            Ok(events) if *events == expected => {
                let mut state = self.given.state;
                expected.iter().for_each(|event| state.apply(event));
                state
            }
            _ => self.fail(&happened(&expected)),
        }
    }

    /// Expects that no event follows.
    #[track_caller]
    pub fn then_nothing(self) -> A {
        self.then([])
    }

    /// Expects that the command is refused for this reason.
    #[track_caller]
    pub fn then_refused(self, expected: &A::Error)
    where
        A::Error: PartialEq,
    {
        if !self.outcome.as_ref().is_err_and(|error| error == expected) {
            self.fail(&refused(expected));
        }
    }

    #[track_caller]
    fn fail(&self, expected: &str) -> ! {
        let outcome = match &self.outcome {
            Ok(events) => happened(events),
            Err(error) => refused(error),
        };
        panic!(
            "a decision of {} is not as expected\n\n   given {}\n    when {}\n    then {}\n     but {}\n",
            A::TYPE,
            happened(&self.given.events),
            self.command,
            expected,
            outcome,
        )
    }
}

/// Returns the events one per line, aligned with the labels of a failure.
fn happened(events: &[impl Debug]) -> String {
    if events.is_empty() {
        return "nothing".to_owned();
    }
    let lines: Vec<_> = events.iter().map(|event| format!("{event:?}")).collect();
    lines.join("\n         ")
}

fn refused(error: &impl Debug) -> String {
    format!("refused: {error:?}")
}

#[track_caller]
fn assert_storable<E: Event>(event: &E) {
    let encoded = encode(event).unwrap_or_else(|error| panic!("{event:?} cannot be stored: {error}"));
    let read: E = decode(encoded.event_type, encoded.schema_version, &encoded.data)
        .unwrap_or_else(|error| panic!("{event:?} cannot be read back: {error}"));
    assert_eq!(read, *event, "the event was changed by storing it");
}
