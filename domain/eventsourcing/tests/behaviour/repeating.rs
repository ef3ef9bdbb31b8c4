//! A repeated command is recognised by its id and its request, even after other changes.

use eventsourcing::{
    Aggregate, AggregateId, Commit, Context, Decision, History, Moment, OccurredAt, Request,
    event::{Event, Schema},
    history::Refused,
    testing::{Fixed, request},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

/// A room that is booked, for at most as many guests as `MOST` allows.
#[derive(Debug, Clone, Default, PartialEq)]
struct Room<const MOST: u32>(Vec<RoomEvent>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum RoomEvent {
    Booked { guests: u32, at: Timestamp, booking: Uuid },
}

impl Event for RoomEvent {
    const SCHEMAS: &'static [Schema] = &[Schema::first("Booked")];
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("too many")]
struct TooMany;

impl<const MOST: u32> Aggregate for Room<MOST> {
    const TYPE: &'static str = "room";
    const MAX_EVENTS: u64 = 1_000;
    type Event = RoomEvent;
    type Command = u32;
    type Error = TooMany;

    fn apply(&mut self, event: &RoomEvent) {
        self.0.push(event.clone());
    }

    fn is_final(&self) -> bool {
        false
    }

    fn decide(&self, guests: &u32, moment: &Moment<'_>) -> Result<Vec<RoomEvent>, TooMany> {
        if *guests > MOST {
            return Err(TooMany);
        }
        Ok(vec![RoomEvent::Booked { guests: *guests, at: moment.now(), booking: moment.new_id() }])
    }
}

fn room() -> AggregateId {
    AggregateId::of::<Room<600>>(Uuid::from_u128(1))
}

fn booking(command_id: u128, guests: u32) -> Request<u32> {
    request(room().uuid(), Uuid::from_u128(command_id), guests)
}

/// Decides at this second.
fn decided<A: Aggregate>(
    history: &History<A>,
    request: &Request<A::Command>,
    second: i64,
) -> Result<Decision<A>, Refused<A::Error>> {
    let surroundings = Fixed::at(Timestamp::from_second(second).unwrap());
    history.decide(request, &Moment::of(&surroundings))
}

/// Returns the commit of a decision.
fn commit<A: Aggregate>(decision: &Decision<A>, request: &Request<A::Command>) -> Commit {
    let behind = decision.version - decision.events.len() as u64;
    let context = Context::of(request, OccurredAt::new(Timestamp::UNIX_EPOCH));
    Commit::of(decision.id.clone(), behind, &decision.events, context, Uuid::nil).unwrap()
}

#[test]
fn repeated_decision_with_time_and_ids_is_unchanged() {
    let mut history = History::<Room<600>>::new(room());
    let request = booking(1, 2);
    let first = decided(&history, &request, 1_000).unwrap();
    history.fold(&commit(&first, &request)).unwrap();
    let again = decided(&history, &request, 2_000).unwrap();
    assert_eq!((again.events, again.state, again.version), (vec![], first.state, 1));
}

#[test]
fn repeat_is_answered_though_the_rules_forbid_it_by_now() {
    let request = booking(1, 600);
    let first = decided(&History::<Room<600>>::new(room()), &request, 0).unwrap();
    let mut stricter = History::<Room<500>>::new(room());
    stricter.fold(&commit(&first, &request)).unwrap();
    assert_eq!(decided(&stricter, &request, 0).unwrap().version, 1);
    assert_eq!(
        decided(&stricter, &booking(2, 600), 0),
        Err(Refused::Rule(TooMany)),
        "a new command follows the new rule"
    );
}

#[test]
fn request_with_a_reused_command_id_is_refused() {
    let mut history = History::<Room<600>>::new(room());
    let request = booking(1, 2);
    history.fold(&commit(&decided(&history, &request, 0).unwrap(), &request)).unwrap();
    let other = Request { hash: booking(1, 3).hash, ..booking(1, 2) };
    let reused = Refused::CommandReused { command_id: request.command_id };
    assert_eq!(decided(&history, &other, 0), Err(reused));
}

/// The same room in a later release, whose events say who booked.
#[derive(Debug, Clone, Default, PartialEq)]
struct LaterRoom(Vec<LaterEvent>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum LaterEvent {
    Booked { guests: u32, by: String },
}

impl Event for LaterEvent {
    const SCHEMAS: &'static [Schema] = &[Schema {
        event_type: "Booked",
        upcasters: &[|mut data| {
            data["by"] = json!("unknown");
            Ok(data)
        }],
    }];
}

impl Aggregate for LaterRoom {
    const TYPE: &'static str = "room";
    const MAX_EVENTS: u64 = 1_000;
    type Event = LaterEvent;
    type Command = u32;
    type Error = TooMany;

    fn apply(&mut self, event: &LaterEvent) {
        self.0.push(event.clone());
    }

    fn is_final(&self) -> bool {
        false
    }

    fn decide(&self, guests: &u32, _: &Moment<'_>) -> Result<Vec<LaterEvent>, TooMany> {
        Ok(vec![LaterEvent::Booked { guests: *guests, by: "a guest".to_owned() }])
    }
}

#[test]
fn repeat_is_answered_though_events_have_another_form_by_now() {
    let request = booking(1, 2);
    let first = decided(&History::<Room<600>>::new(room()), &request, 0).unwrap();
    let mut later = History::<LaterRoom>::new(room());
    later.fold(&commit(&first, &request)).unwrap();
    let again = decided(&later, &request, 0).unwrap();
    let booked = LaterEvent::Booked { guests: 2, by: "unknown".to_owned() };
    assert_eq!((again.events, again.state), (vec![], LaterRoom(vec![booked])));
}
