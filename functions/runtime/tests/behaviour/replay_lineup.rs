//! The lineup of a replay: whatever comes in whatever order, each aggregate goes in order,
//! once, and as far as it can.

use std::collections::{BTreeMap, BTreeSet};

use eventsourcing::{Envelope, JsonText};
use proptest::{collection::vec, prelude::*};
use runtime::replay::lineup::{Lineup, Load, Taken};
use runtime::testing::{envelope, tally};
use uuid::Uuid;

/// What has gone, by aggregate.
type Gone = BTreeMap<Uuid, Vec<u64>>;

fn take(lineup: &mut Lineup, event: Envelope) -> Taken {
    lineup.take(event.aggregate().expect("it has a name"), event, true)
}

/// Returns the room for so many events, of whatever size.
fn events(many: u64) -> Load {
    Load { events: many, bytes: u64::MAX }
}

/// Lets everything go that may.
fn let_go(lineup: &mut Lineup, gone: &mut Gone) {
    let ready: Vec<_> = lineup
        .ready()
        .map(|ready| {
            let versions: Vec<u64> = ready.events.iter().map(|(version, _)| *version).collect();
            (ready.aggregate.clone(), versions)
        })
        .collect();
    for (aggregate, versions) in ready {
        lineup.gone(&aggregate, *versions.last().expect("something may go"));
        gone.entry(aggregate.uuid()).or_default().extend(versions);
    }
}

fn saved_and_read(lineup: &Lineup) -> Lineup {
    let text = serde_json::to_string(lineup).expect("a lineup can be saved");
    serde_json::from_str(&text).expect("what was saved can be read")
}

/// Returns how far each aggregate can go: up to the first version that never comes.
fn reachable(events: &[(u8, u8)]) -> Gone {
    let came: BTreeSet<_> = events.iter().copied().collect();
    let of = |aggregate| -> Vec<u64> {
        (1..=u8::MAX).take_while(|&version| came.contains(&(aggregate, version))).map(u64::from).collect()
    };
    let all = (0..4).map(|aggregate| (tally(aggregate.into()), of(aggregate)));
    all.filter(|(_, versions)| !versions.is_empty()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn lineup_releases_reachable_events_once_in_order(
        events in vec((0..4u8, 1..9u8), 0..60),
        goes_after in vec(any::<bool>(), 60),
        dies_after in vec(any::<bool>(), 60),
        room in 0..6u64,
    ) {
        let (mut lineup, mut gone) = (Lineup::with_room(self::events(room)), Gone::new());
        // As often as anything moves; then the room does not matter.
        loop {
            let before = gone.clone();
            lineup.again();
            for ((aggregate, version), (goes, dies)) in events.iter().zip(goes_after.iter().zip(&dies_after)) {
                take(&mut lineup, envelope(tally(u128::from(*aggregate)), u64::from(*version)));
                if *goes { let_go(&mut lineup, &mut gone) }
                if *dies { lineup = saved_and_read(&lineup) }
            }
            let_go(&mut lineup, &mut gone);
            prop_assert_eq!(lineup.may_go(), Load::default());
            prop_assert_eq!(&saved_and_read(&lineup), &lineup);
            if gone == before { break }
        }
        prop_assert_eq!(&gone, &reachable(&events));
        // What is left has a gap before it, and each gap is told.
        let stuck = events.iter().filter(|(aggregate, version)| {
            let gone = gone.get(&tally(u128::from(*aggregate)));
            !gone.is_some_and(|gone| gone.contains(&u64::from(*version)))
        });
        let stuck: BTreeSet<_> = stuck.map(|(aggregate, _)| tally(u128::from(*aggregate))).collect();
        let gaps: BTreeSet<_> = lineup.gaps().map(|gap| gap.aggregate_id).collect();
        prop_assert_eq!(gaps, stuck);
        for gap in lineup.gaps() {
            let next = gone.get(&gap.aggregate_id).map_or(1, |gone| gone.len() as u64 + 1);
            prop_assert_eq!(gap.missing, next);
            prop_assert!(gap.last > gap.missing);
        }
    }
}

#[test]
fn lineup_holds_back_events_until_predecessors_come() {
    let (mut lineup, mut gone) = (Lineup::default(), Gone::new());
    assert_eq!(take(&mut lineup, envelope(tally(1), 3)), Taken::LinedUp);
    assert_eq!(take(&mut lineup, envelope(tally(1), 2)), Taken::LinedUp);
    assert_eq!(take(&mut lineup, envelope(tally(1), 3)), Taken::Known);
    let_go(&mut lineup, &mut gone);
    assert_eq!((lineup.waiting(), gone.len()), (2, 0));
    assert_eq!(take(&mut lineup, envelope(tally(1), 1)), Taken::LinedUp);
    let_go(&mut lineup, &mut gone);
    assert_eq!((lineup.waiting(), &gone[&tally(1)]), (0, &vec![1, 2, 3]));
    assert_eq!(take(&mut lineup, envelope(tally(1), 2)), Taken::Known);
}

#[test]
fn lineup_without_room_has_gaps_until_events_return() {
    let (mut lineup, mut gone) = (Lineup::with_room(events(1)), Gone::new());
    assert_eq!(take(&mut lineup, envelope(tally(1), 5)), Taken::LinedUp);
    assert_eq!(take(&mut lineup, envelope(tally(2), 2)), Taken::LetGo);
    assert_eq!(take(&mut lineup, envelope(tally(2), 1)), Taken::LinedUp, "what may go needs no room");
    let_go(&mut lineup, &mut gone);
    let gap = lineup.gaps().find(|gap| gap.aggregate_id == tally(2)).expect("version 2 is still to come");
    assert_eq!((gap.missing, gap.last), (2, 2));
    lineup.again();
    assert_eq!(take(&mut lineup, envelope(tally(2), 2)), Taken::LinedUp);
    let_go(&mut lineup, &mut gone);
    assert_eq!(gone[&tally(2)], [1, 2]);
    assert_eq!(lineup.gaps().count(), 1);
}

/// Ten events of 1 MB each would be more than their number says.
#[test]
fn room_is_bounded_by_bytes_as_well() {
    let (small, mut large) = (envelope(tally(1), 5), envelope(tally(1), 4));
    large.data = JsonText::parse(format!("\"{}\"", "x".repeat(10_000))).expect("it is JSON");
    let (mut lineup, mut gone) = (Lineup::with_room(Load { events: 10, bytes: 5_000 }), Gone::new());
    assert_eq!(take(&mut lineup, small), Taken::LinedUp);
    assert_eq!(take(&mut lineup, large.clone()), Taken::LetGo);
    // What nobody asked for only has its turn, and takes no bytes.
    let aggregate = large.aggregate().expect("it has a name");
    assert_eq!(lineup.take(aggregate, Envelope { version: 3, ..large.clone() }, false), Taken::LinedUp);
    // What may go is no longer held back, so there is room again.
    for version in [1, 2] {
        take(&mut lineup, envelope(tally(1), version));
    }
    assert_eq!(lineup.may_go().events, 3);
    assert_eq!(saved_and_read(&lineup), lineup, "loads are counted alike once more");
    assert_eq!(take(&mut lineup, large), Taken::LinedUp, "it need not be held back any more");
    let_go(&mut lineup, &mut gone);
    assert_eq!((gone[&tally(1)].len(), lineup.may_go(), lineup.waiting()), (5, Load::default(), 0));
}

/// History forked: only one of the two can be true, and it is not for a replay to say which.
#[test]
fn lineup_distinguishes_contradiction_from_copy() {
    let (mut lineup, mut gone) = (Lineup::default(), Gone::new());
    let other = |version| Envelope { id: Uuid::from_u128(99), ..envelope(tally(1), version) };
    assert_eq!(take(&mut lineup, envelope(tally(1), 2)), Taken::LinedUp);
    assert_eq!(take(&mut lineup, other(2)), Taken::Contradicts, "while it waits");
    assert_eq!(take(&mut lineup, envelope(tally(1), 2)), Taken::Known);
    take(&mut lineup, envelope(tally(1), 1));
    let_go(&mut lineup, &mut gone);
    // After it has gone, and whoever goes on knows as much.
    let mut lineup = saved_and_read(&lineup);
    for version in [1, 2] {
        assert_eq!(take(&mut lineup, other(version)), Taken::Contradicts);
        assert_eq!(take(&mut lineup, envelope(tally(1), version)), Taken::Known);
    }
}

/// Whoever notes too much loses nothing that comes later.
#[test]
fn lineup_loses_no_event_marked_gone_too_early() {
    let (mut lineup, mut gone) = (Lineup::default(), Gone::new());
    for version in [1, 3] {
        take(&mut lineup, envelope(tally(1), version));
    }
    let aggregate = envelope(tally(1), 1).aggregate().expect("it has a name");
    lineup.gone(&aggregate, 3);
    assert_eq!(take(&mut lineup, envelope(tally(1), 2)), Taken::LinedUp);
    let_go(&mut lineup, &mut gone);
    assert_eq!(gone[&tally(1)], [2, 3]);
}
