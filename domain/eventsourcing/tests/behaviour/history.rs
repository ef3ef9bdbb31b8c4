//! The checks of a history, and its answers to repeated commands.

use std::fmt::Debug;

use eventsourcing::{
    Aggregate, AggregateId, Commit, Context, Decision, History, JsonText, Moment, Request,
    history::{HistoryError, Refused},
    testing::tally::{Tally, TallyCommand, TallyError, TallyEvent},
    testing::{Fixed, request},
};
use uuid::Uuid;

type Tallied = History<Tally>;

fn tally_id() -> AggregateId {
    AggregateId::of::<Tally>(Uuid::from_u128(1))
}

fn asked<C: Debug>(command_id: u128, command: C) -> Request<C> {
    request(tally_id().uuid(), Uuid::from_u128(command_id), command)
}

fn context<C: Debug>(command_id: u128, command: C) -> Context {
    let time = "2026-11-21T19:02:03.123456Z".parse().unwrap();
    Context::of(&asked(command_id, command), time)
}

fn commit(behind: u64, command: u128, events: &[TallyEvent]) -> Commit {
    Commit::of(tally_id(), behind, events, context(command, "any"), Uuid::nil).unwrap()
}

fn tea(times: u32) -> TallyEvent {
    TallyEvent::Counted { what: "tea".to_owned(), times }
}

fn add_tea(times: i64) -> TallyCommand {
    TallyCommand::Count { what: "tea".to_owned(), times }
}

/// Opened by command 1, counted by 2, closed by 3.
fn closed_tally() -> Tallied {
    let mut history = Tallied::new(tally_id());
    for (behind, command, event) in [
        (0, TallyCommand::Open, TallyEvent::TallyOpened {}),
        (1, add_tea(2), tea(2)),
        (2, TallyCommand::Close, TallyEvent::TallyClosed {}),
    ] {
        let context = context(u128::from(behind) + 1, command);
        history.fold(&Commit::of(tally_id(), behind, &[event], context, Uuid::nil).unwrap()).unwrap();
    }
    history
}

fn decided<A: Aggregate<Command: Debug>>(
    history: &History<A>,
    command_id: u128,
    command: A::Command,
) -> Result<Decision<A>, Refused<A::Error>> {
    history.decide(&asked(command_id, command), &Moment::of(&Fixed::default()))
}

fn decide(history: &Tallied, command_id: u128, command: TallyCommand) -> Decision<Tally> {
    decided(history, command_id, command).unwrap()
}

#[test]
fn missing_or_repeated_commit_is_a_gap() {
    for behind in [0, 1, 3, 9] {
        let mut history = Tallied::new(tally_id());
        let first = commit(0, 1, &[TallyEvent::TallyOpened {}, tea(1)]);
        history.fold(&first).unwrap();
        let error = history.fold(&commit(behind, 2, &[tea(1)])).unwrap_err();
        let HistoryError::Gap { expected: 3, found, .. } = error else {
            panic!("{error}");
        };
        assert_eq!(found, behind + 1);
    }
}

#[test]
fn commit_of_another_aggregate_is_refused() {
    let mut history = Tallied::new(AggregateId::of::<Tally>(Uuid::from_u128(2)));
    let error = history.fold(&commit(0, 1, &[tea(1)])).unwrap_err();
    assert!(matches!(error, HistoryError::OtherAggregate { .. }), "{error}");
}

#[test]
fn commit_with_an_unreadable_event_is_not_folded() {
    let mut history = Tallied::new(tally_id());
    let mut commit = commit(0, 1, &[TallyEvent::TallyOpened {}, tea(1)]);
    commit.events[1].data = JsonText::parse("{}".to_owned()).unwrap();
    let error = history.fold(&commit).unwrap_err();
    assert_eq!(error.to_string(), format!("version 2 of {} cannot be read", tally_id()));
    assert_eq!((history.version(), history.state().status()), (0, None));
}

#[test]
fn repeated_command_gets_its_first_answer() {
    let history = closed_tally();
    let again = decide(&history, 2, add_tea(2));
    assert_eq!((again.events.len(), again.version), (0, 2));
    assert_eq!(again.state.count_of("tea"), 2);
    assert_eq!(
        again.state.status(),
        Some(eventsourcing::testing::tally::Status::Open),
        "as it was back then"
    );
}

/// Cups of tea: each cup is an event, and the events of one command are one commit.
#[derive(Debug, Clone, Default, PartialEq)]
struct Cups(u32);

impl Aggregate for Cups {
    const TYPE: &'static str = "cups";
    const MAX_EVENTS: u64 = 1_000;
    type Event = TallyEvent;
    type Command = usize;
    type Error = std::convert::Infallible;

    fn apply(&mut self, _: &TallyEvent) {
        self.0 += 1;
    }

    fn is_final(&self) -> bool {
        false
    }

    fn decide(&self, cups: &usize, _: &Moment<'_>) -> Result<Vec<TallyEvent>, Self::Error> {
        Ok(vec![tea(1); *cups])
    }
}

#[test]
fn repeated_command_is_answered_from_all_its_events() {
    let id = AggregateId::of::<Cups>(Uuid::from_u128(1));
    let mut history = History::<Cups>::new(id.clone());
    for (behind, command, cups) in [(0, 1, 3), (3, 2, 2)] {
        let events = vec![tea(1); cups];
        let commit = Commit::of(id.clone(), behind, &events, context(command, cups), Uuid::nil);
        history.fold(&commit.unwrap()).unwrap();
    }
    for (command, cups, answer) in [(1, 3, (0, 3, Cups(3))), (2, 2, (0, 5, Cups(5)))] {
        let again = decided(&history, command, cups).unwrap();
        assert_eq!((again.events.len(), again.version, again.state), answer);
        let other = decided(&history, command, 1).unwrap_err();
        assert!(matches!(other, Refused::CommandReused { .. }), "another count is another request");
    }
}

#[test]
fn command_id_cannot_be_reused_for_another_request() {
    let history = closed_tally();
    for (id, command) in [(2, add_tea(3)), (2, TallyCommand::Close), (1, add_tea(2)), (3, add_tea(2))] {
        let command_id = Uuid::from_u128(id);
        let refused = decided(&history, id, command);
        assert_eq!(refused, Err(Refused::CommandReused { command_id }));
    }
}

#[test]
fn new_command_is_decided_on_the_last_state() {
    let history = closed_tally();
    let refused = decided(&history, 4, add_tea(1));
    assert_eq!(refused, Err(Refused::Rule(TallyError::Closed)));
    let nothing = decide(&history, 5, TallyCommand::Close);
    assert_eq!((nothing.events.len(), nothing.version), (0, 3));
}

#[test]
fn decision_carries_the_state_after_its_events() {
    let mut history = Tallied::new(tally_id());
    history.fold(&commit(0, 1, &[TallyEvent::TallyOpened {}])).unwrap();
    let decision = decide(&history, 2, add_tea(7));
    assert_eq!(decision.events, [tea(7)]);
    assert_eq!(decision.version, 2);
    assert_eq!(decision.state.count_of("tea"), 7);
    assert_eq!(history.version(), 1, "deciding changes nothing");
}
