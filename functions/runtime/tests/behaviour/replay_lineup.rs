//! The lineup of a replay: in whichever order events arrive, each aggregate is delivered in order, once, and
//! as far as possible.

use std::collections::{BTreeMap, BTreeSet};

use eventsourcing::{Envelope, JsonText};
use proptest::{collection::vec, prelude::*};
use runtime::replay::lineup::{Lineup, Load, Taken};
use runtime::testing::{envelope, tally};
use uuid::Uuid;

/// The delivered versions, by aggregate.
type Gone = BTreeMap<Uuid, Vec<u64>>;

fn take(lineup: &mut Lineup, event: Envelope) -> Taken {
    lineup.take(event.aggregate().expect("the aggregate id is valid"), event, true)
}

/// Returns room for this many events, of any size.
fn events(many: u64) -> Load {
    Load { events: many, bytes: u64::MAX }
}

/// Delivers the events that are ready.
fn let_go(lineup: &mut Lineup, gone: &mut Gone) {
    let ready: Vec<_> = lineup
        .ready()
        .map(|ready| {
            let versions: Vec<u64> = ready.events.iter().map(|(version, _)| *version).collect();
            (ready.aggregate.clone(), versions)
        })
        .collect();
    for (aggregate, versions) in ready {
        lineup.gone(&aggregate, *versions.last().expect("a ready aggregate has events"));
        gone.entry(aggregate.uuid()).or_default().extend(versions);
    }
}

fn saved_and_read(lineup: &Lineup) -> Lineup {
    let text = serde_json::to_string(lineup).expect("a lineup can be saved");
    serde_json::from_str(&text).expect("a saved lineup can be read")
}

/// Returns the versions that each aggregate can reach: up to the first one that never arrives.
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
        // Passes are repeated until nothing changes; then the room does not matter.
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
        // Each remaining event has a gap before it, and each gap is reported.
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
    assert_eq!(take(&mut lineup, envelope(tally(2), 1)), Taken::LinedUp, "a ready event needs no room");
    let_go(&mut lineup, &mut gone);
    let gap = lineup.gaps().find(|gap| gap.aggregate_id == tally(2)).expect("version 2 was dropped");
    assert_eq!((gap.missing, gap.last), (2, 2));
    lineup.again();
    assert_eq!(take(&mut lineup, envelope(tally(2), 2)), Taken::LinedUp);
    let_go(&mut lineup, &mut gone);
    assert_eq!(gone[&tally(2)], [1, 2]);
    assert_eq!(lineup.gaps().count(), 1);
}

/// Ten events of 1 MB each need more memory than their number suggests.
#[test]
fn room_is_bounded_by_bytes_as_well() {
    let (small, mut large) = (envelope(tally(1), 5), envelope(tally(1), 4));
    large.data = JsonText::parse(format!("\"{}\"", "x".repeat(10_000))).expect("it is JSON");
    let (mut lineup, mut gone) = (Lineup::with_room(Load { events: 10, bytes: 5_000 }), Gone::new());
    assert_eq!(take(&mut lineup, small), Taken::LinedUp);
    assert_eq!(take(&mut lineup, large.clone()), Taken::LetGo);
    // An event that was not requested only takes its turn, and needs no bytes.
    let aggregate = large.aggregate().expect("the aggregate id is valid");
    assert_eq!(lineup.take(aggregate, Envelope { version: 3, ..large.clone() }, false), Taken::LinedUp);
    // Ready events are not held back any more, so there is room again.
    for version in [1, 2] {
        take(&mut lineup, envelope(tally(1), version));
    }
    assert_eq!(lineup.may_go().events, 3);
    assert_eq!(saved_and_read(&lineup), lineup, "the loads are derived again");
    assert_eq!(take(&mut lineup, large), Taken::LinedUp, "there is room again");
    let_go(&mut lineup, &mut gone);
    assert_eq!((gone[&tally(1)].len(), lineup.may_go(), lineup.waiting()), (5, Load::default(), 0));
}

/// Two different events have the same version: only one of them can be true, and a replay cannot decide
/// which.
#[test]
fn lineup_distinguishes_contradiction_from_copy() {
    let (mut lineup, mut gone) = (Lineup::default(), Gone::new());
    let other = |version| Envelope { id: Uuid::from_u128(99), ..envelope(tally(1), version) };
    assert_eq!(take(&mut lineup, envelope(tally(1), 2)), Taken::LinedUp);
    assert_eq!(take(&mut lineup, other(2)), Taken::Contradicts, "a contradiction to a waiting event");
    assert_eq!(take(&mut lineup, envelope(tally(1), 2)), Taken::Known);
    take(&mut lineup, envelope(tally(1), 1));
    let_go(&mut lineup, &mut gone);
    // Also after the event was delivered, and in the next runner.
    let mut lineup = saved_and_read(&lineup);
    for version in [1, 2] {
        assert_eq!(take(&mut lineup, other(version)), Taken::Contradicts);
        assert_eq!(take(&mut lineup, envelope(tally(1), version)), Taken::Known);
    }
}

/// Noting too many deliveries loses no event that arrives later.
#[test]
fn lineup_loses_no_event_marked_gone_too_early() {
    let (mut lineup, mut gone) = (Lineup::default(), Gone::new());
    for version in [1, 3] {
        take(&mut lineup, envelope(tally(1), version));
    }
    let aggregate = envelope(tally(1), 1).aggregate().expect("the aggregate id is valid");
    lineup.gone(&aggregate, 3);
    assert_eq!(take(&mut lineup, envelope(tally(1), 2)), Taken::LinedUp);
    let_go(&mut lineup, &mut gone);
    assert_eq!(gone[&tally(1)], [2, 3]);
}
