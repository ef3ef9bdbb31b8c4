//! Tests the comparison with changes planted in two equal sides, and restoring with interruptions at any
//! point.

mod world;

use std::collections::BTreeMap;
use std::sync::Mutex;

use engine::error::{Class, Error};
use eventsourcing::{AggregateId, Commit, JsonText};
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use self::world::{World, altered, commit, commits};
use super::*;

/// What happens to an event after both sides were equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Nothing,
    LostInArchive,
    AlteredInArchive,
    ToldTwice,
    ToldTwiceAndAltered,
    /// Its whole commit is missing in the table.
    LostInTable,
    AlteredInTable,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        12 => Just(Fate::Nothing),
        1 => Just(Fate::LostInArchive),
        1 => Just(Fate::AlteredInArchive),
        1 => Just(Fate::ToldTwice),
        1 => Just(Fate::ToldTwiceAndAltered),
        1 => Just(Fate::LostInTable),
        1 => Just(Fate::AlteredInTable),
    ]
}

/// Generates the commit sizes of some aggregates, with a fate for each commit.
fn stories() -> impl Strategy<Value = Vec<Vec<(usize, Fate)>>> {
    vec(vec((1..4_usize, fate()), 1..8), 0..6)
}

/// Returns the expected differences of each aggregate, as `(version, difference)`.
fn expected(stories: &[Vec<(usize, Fate)>]) -> BTreeMap<AggregateId, Vec<(u64, Difference)>> {
    let mut all = BTreeMap::new();
    for (number, story) in (1..).zip(stories) {
        let mut differences = Vec::new();
        for (commit, (_, fate)) in commits(number, story.iter().map(|(size, _)| *size)).into_iter().zip(story)
        {
            let difference = match fate {
                Fate::Nothing | Fate::ToldTwice => continue,
                Fate::LostInArchive => Difference::NotInArchive,
                Fate::LostInTable => Difference::NotInTable,
                Fate::AlteredInArchive | Fate::AlteredInTable => Difference::ContentsDiffer,
                Fate::ToldTwiceAndAltered => Difference::TwiceInArchive,
            };
            differences.extend((commit.version..commit.next_version()).map(|version| (version, difference)));
        }
        if !differences.is_empty() {
            all.insert(world::id(number), differences);
        }
    }
    all
}

fn world_of(stories: &[Vec<(usize, Fate)>]) -> World {
    let mut world = World::default();
    for (number, story) in (1..).zip(stories) {
        for (commit, (_, fate)) in commits(number, story.iter().map(|(size, _)| *size)).into_iter().zip(story)
        {
            let lost = *fate == Fate::LostInTable;
            let kept = if *fate == Fate::AlteredInTable { altered(&commit) } else { commit.clone() };
            world.table.get_mut().expect("the lock is never poisoned").extend((!lost).then_some(kept));
            match fate {
                Fate::LostInArchive => {}
                Fate::AlteredInArchive => world.archive(altered(&commit).into_envelopes()),
                Fate::ToldTwice => {
                    world.archive(commit.clone().into_envelopes());
                    world.archive(commit.into_envelopes());
                }
                Fate::ToldTwiceAndAltered => {
                    world.archive(commit.clone().into_envelopes());
                    world.archive(altered(&commit).into_envelopes());
                }
                _ => world.archive(commit.into_envelopes()),
            }
        }
    }
    world
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime can be created").block_on(work)
}

fn audited(world: &World) -> (Ledger, AuditReport) {
    let mut ledger = Ledger::new(Timestamp::MAX);
    run(world.look().all(&mut ledger, |_| ())).expect("no call fails");
    let report = compare(&ledger, Timestamp::MAX);
    (ledger, report)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn audit_finds_exactly_the_planted_differences(stories in stories()) {
        let (_, report) = audited(&world_of(&stories));
        let found: BTreeMap<AggregateId, Vec<(u64, Difference)>> = report
            .findings
            .iter()
            .map(|finding| {
                let of = |difference: &Difference| {
                    let difference = *difference;
                    finding.versions(difference).iter().map(move |version| (version, difference))
                };
                let mut all: Vec<(u64, Difference)> = Difference::ALL.iter().flat_map(of).collect();
                all.sort_unstable();
                (finding.aggregate.clone(), all)
            })
            .collect();
        let expected = expected(&stories);
        let firsts = report.findings.iter().map(|finding| (finding.first.version, finding.first.difference));
        prop_assert!(firsts.eq(expected.values().map(|all| all[0])));
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn republishing_sends_missing_events_and_successors_in_order(stories in stories()) {
        let mut world = world_of(&stories);
        let (_, before) = audited(&world);
        let stop = CancellationToken::new();
        let published = run(publish_again(&before, &world, &world.stream, &stop, |_| ()));
        let published = published.expect("the stream accepts every record");
        let sent = world.stream.take();
        prop_assert_eq!(published.events, sent.len());
        for finding in &before.findings {
            let sent: Vec<u64> = sent
                .iter()
                .filter(|event| event.aggregate().is_ok_and(|id| id == finding.aggregate))
                .map(|event| event.version)
                .collect();
            let held = world.versions(&finding.aggregate);
            let from = finding.not_in_archive.first().unwrap_or(u64::MAX);
            let until = finding.disputed(from).unwrap_or(u64::MAX);
            let expected = held.into_iter().filter(|version| (from..until).contains(version));
            prop_assert_eq!(sent, expected.collect::<Vec<_>>());
        }
        world.archive(sent);
        let (_, after) = audited(&world);
        // Only events after one with disputed content are still missing.
        for finding in after.lacking() {
            let left_out = published.left_out.iter().find(|left_out| left_out.aggregate == finding.aggregate);
            let from = left_out.map(|left_out| left_out.from);
            prop_assert!(from.is_some_and(|from| finding.not_in_archive.first() > Some(from)));
        }
        let several = |report: &AuditReport| report.count(|finding| &finding.twice_in_archive);
        prop_assert_eq!(several(&after), several(&before), "no event got another content");
    }

    /// The restore is killed after any number of writes, and repeated until it is complete.
    #[test]
    fn table_restore_completes_despite_interruptions(stories in stories(), writes in 1..6_usize) {
        let world = world_of(&stories);
        for _ in 0..200 {
            let (mut ledger, _) = audited(&world);
            let found = restorable(&ledger);
            if found.aggregates.is_empty() {
                break;
            }
            let stop = CancellationToken::new();
            world.stop_after(writes, &stop);
            let at = "2026-11-22T00:00:00.000000Z".parse().expect("the text is a valid time");
            run(restore(&found, &mut ledger, &world.bucket, &world, at, &stop, |_| ()));
        }
        let (ledger, report) = audited(&world);
        prop_assert!(restorable(&ledger).aggregates.is_empty());
        // Only aggregates that cannot be restored still miss events.
        for finding in report.findings.iter().filter(|finding| !finding.not_in_table.is_empty()) {
            prop_assert!(restorable(&ledger).not.contains_key(&finding.aggregate), "{}", finding.aggregate);
        }
    }
}

#[test]
fn unpublishable_event_stops_only_its_aggregate() {
    let mut world = World::default();
    let mut all = Vec::new();
    for number in 1..=4 {
        all.extend(commits(number, [1, 1, 1]));
    }
    let huge = JsonText::canonical(&serde_json::json!("x".repeat(1_000_001))).expect("it is valid JSON");
    all[10].events[0].data = huge;
    all.remove(4);
    *world.table.get_mut().expect("the lock is never poisoned") = all;
    // One invalid item after all commits, and one in place of a commit.
    world.broken = vec![(world::id(1), 99), (world::id(2), 2)];
    let (_, report) = audited(&world);
    let stop = CancellationToken::new();
    let published = run(publish_again(&report, &world, &world.stream, &stop, |_| ()));
    let published = published.expect("the stream accepts every record");
    let left_out: Vec<(AggregateId, u64)> =
        published.left_out.iter().map(|left_out| (left_out.aggregate.clone(), left_out.from)).collect();
    assert_eq!(left_out, [(world::id(1), 4), (world::id(2), 2), (world::id(4), 2)]);
    assert_eq!(published.left_out[0].reason, "missing field `Events`");
    assert_eq!((published.aggregates, published.events), (4, 3 + 1 + 3 + 1));
    assert_eq!(world.stream.take().len(), 8);
}

/// Returns the last version that a handler applies if it starts at `from` and accepts only the next version.
fn follows(from: u64, events: &[eventsourcing::Envelope]) -> u64 {
    events.iter().fold(from, |place, event| if event.version == place + 1 { event.version } else { place })
}

#[test]
fn republishing_includes_events_appended_meanwhile() {
    let mut world = World::default();
    let mut all = commits(1, [1; 12]);
    let meanwhile = Mutex::new(all.split_off(9).into());
    world.archive(all.iter().filter(|commit| commit.version != 5).cloned().flat_map(Commit::into_envelopes));
    *world.table.get_mut().expect("the lock is never poisoned") = all;
    let (_, report) = audited(&world);
    let (stop, stream) = (CancellationToken::new(), world::Meanwhile(&world, meanwhile));
    let published = run(publish_again(&report, &world, &stream, &stop, |_| ()));
    let published = published.expect("the stream accepts every record");
    assert_eq!((published.aggregates, published.events, published.left_out), (1, 8, vec![]));
    let sent = world.stream.take();
    assert_eq!(follows(4, &sent), 12, "{:?}", sent.iter().map(|event| event.version).collect::<Vec<_>>());
}

#[test]
fn aggregate_growing_during_repair_is_left_out() {
    let mut world = World::default();
    let mut all = commits(1, [1; 200]);
    let meanwhile = Mutex::new(all.split_off(1).into());
    *world.table.get_mut().expect("the lock is never poisoned") = all;
    let (_, report) = audited(&world);
    let (stop, stream) = (CancellationToken::new(), world::Meanwhile(&world, meanwhile));
    let published = run(publish_again(&report, &world, &stream, &stop, |_| ()));
    let published = published.expect("the stream accepts every record");
    let [left_out] = &published.left_out[..] else { panic!("{published:?}") };
    assert_eq!((&left_out.aggregate, left_out.from), (&world::id(1), 31));
    assert!(left_out.reason.starts_with("events are appended faster"), "{}", left_out.reason);
}

#[test]
fn republished_time_range_is_known() {
    let mut world = World::default();
    let mut later = commit(2, 1, 1, 1);
    later.context.occurred_at = "2026-11-22T00:00:00.000000Z".parse().expect("the text is a valid time");
    world.table.get_mut().expect("the lock is never poisoned").extend([commit(1, 1, 2, 1), later]);
    let (ledger, _) = audited(&world);
    let times =
        |events: &[(AggregateId, u64)]| ledger.times(events.iter().map(|(id, version)| (id, *version)));
    let time = |text: &str| text.parse().expect("the text is a valid time");
    let (first, last) = (time("2026-11-21T19:02:03Z"), time("2026-11-22T00:00:00Z"));
    assert_eq!(times(&[(world::id(2), 1), (world::id(1), 2)]), Some(first..=last));
    assert_eq!(times(&[(world::id(2), 1)]), Some(last..=last));
    assert_eq!(times(&[(world::id(3), 1)]), None);
}

#[test]
fn lost_table_is_restored_as_it_was() {
    let whole = vec![vec![(1, Fate::Nothing), (3, Fate::Nothing), (2, Fate::Nothing)]; 5];
    let mut world = world_of(&whole);
    let was = std::mem::take(world.table.get_mut().expect("the lock is never poisoned"));
    let (mut ledger, report) = audited(&world);
    assert_eq!(report.count(|finding| &finding.not_in_table), 30);
    let at = "2026-11-22T00:00:00.000000Z".parse().expect("the text is a valid time");
    let stop = CancellationToken::new();
    let found = restorable(&ledger);
    let restored = run(restore(&found, &mut ledger, &world.bucket, &world, at, &stop, |_| ()));
    assert_eq!((restored.aggregates, restored.commits, restored.events), (5, 15, 30));
    assert!(compare(&ledger, Timestamp::MAX).is_equal(), "the ledger contains the written commits");
    let mut is = world.table.lock().expect("the lock is never poisoned").clone();
    is.sort_by_key(|commit| (commit.aggregate_id.clone(), commit.version));
    assert_eq!(is, was);
}

#[test]
fn aggregate_with_broken_history_is_not_restored() {
    let mut world = World::default();
    // The first aggregate has no version 1; the second has another event as version 2; the third is complete.
    world.archive(commits(1, [1, 1, 1]).into_iter().skip(1).flat_map(Commit::into_envelopes));
    let second = commits(2, [1, 1, 1]);
    world.table.get_mut().expect("the lock is never poisoned").push(altered(&second[1]));
    world.archive(second.into_iter().flat_map(Commit::into_envelopes));
    world.archive(commits(3, [2]).into_iter().flat_map(Commit::into_envelopes));
    let (ledger, report) = audited(&world);
    let found = restorable(&ledger);
    assert_eq!(found.aggregates.into_keys().collect::<Vec<_>>(), [world::id(3)]);
    assert_eq!(found.not[&world::id(1)], NotRestorable::Nowhere([1].into_iter().collect()));
    assert_eq!(found.not[&world::id(2)], NotRestorable::OtherContent(2));
    assert_eq!(report.findings[0].first.difference, Difference::Nowhere);
}

#[test]
fn commit_partly_in_table_is_not_restored() {
    let mut world = World::default();
    let whole = commits(1, [3]).remove(0);
    let mut part = whole.clone();
    part.events.truncate(1);
    world.table.get_mut().expect("the lock is never poisoned").push(part);
    world.archive(whole.into_envelopes());
    let (mut ledger, _) = audited(&world);
    let stop = CancellationToken::new();
    let at = "2026-11-22T00:00:00.000000Z".parse().expect("the text is a valid time");
    let found = restorable(&ledger);
    let restored = run(restore(&found, &mut ledger, &world.bucket, &world, at, &stop, |_| ()));
    assert_eq!(restored.commits, 0);
    assert_eq!(restored.failed[0].reason, "the table has only a part of the commit with versions 1 to 3");
}

#[test]
fn recent_events_are_in_flight_within_the_grace() {
    let mut world = World::default();
    world.table.get_mut().expect("the lock is never poisoned").push(commit(1, 1, 2, 1));
    let mut ledger = Ledger::new(Timestamp::MIN);
    run(world.look().all(&mut ledger, |_| ())).expect("no call fails");
    let at = world::OCCURRED_AT.parse::<Timestamp>().expect("the text is a valid time");
    let before = at - jiff::SignedDuration::from_secs(1);
    let young = compare(&ledger, before);
    assert!(young.is_equal());
    assert_eq!(young.in_flight, 2);
    let old = compare(&ledger, at);
    assert_eq!((old.in_flight, old.findings[0].not_in_archive.count()), (0, 2));
}

#[test]
fn audit_looks_again_for_new_events() {
    let mut world = World::default();
    let all = commits(1, [1, 1, 1]);
    world.table.get_mut().expect("the lock is never poisoned").extend([all[0].clone(), all[1].clone()]);
    world.archive(all[0].clone().into_envelopes());
    let mut ledger = Ledger::new(Timestamp::MIN);
    run(world.look().all(&mut ledger, |_| ())).expect("no call fails");
    // The second event arrives; the third is appended and arrives as well.
    world.archive(all[1..].iter().cloned().flat_map(Commit::into_envelopes));
    let from = world::OCCURRED_AT.parse().expect("the text is a valid time");
    run(world.look().again(&mut ledger, from)).expect("no call fails");
    assert_eq!(ledger.to_look_up().len(), 1, "the table was read before the third was appended");
    world.table.get_mut().expect("the lock is never poisoned").push(all[2].clone());
    run(world.look().again(&mut ledger, from)).expect("no call fails");
    let report = compare(&ledger, Timestamp::MIN);
    assert_eq!((report.is_equal(), report.equal), (true, 3));
}

/// `archive` catches up: its object is named after an hour long ago.
#[test]
fn audit_far_look_finds_late_archive_objects() {
    let mut world = World::default();
    world.table.get_mut().expect("the lock is never poisoned").extend(commits(1, [1, 1]));
    let mut ledger = Ledger::new(Timestamp::MIN);
    run(world.look().all(&mut ledger, |_| ())).expect("no call fails");
    world.archive_as_of(3, commits(1, [1, 1]).into_iter().flat_map(Commit::into_envelopes));
    let since = world::OCCURRED_AT.parse().expect("the text is a valid time");
    let mut looks = LookSchedule::since(since, std::time::Duration::from_secs(24 * 3_600));
    for (last, equal) in [(false, 0), (true, 2)] {
        run(world.look().again(&mut ledger, looks.next(last))).expect("no call fails");
        assert_eq!(compare(&ledger, Timestamp::MIN).equal, equal, "last: {last}");
    }
}

/// Both sides grow: events of a new object are already in the table.
#[test]
fn audit_looks_up_newly_archived_events_in_table() {
    let mut world = World::default();
    let both = commits(1, [1, 1]);
    world.table.get_mut().expect("the lock is never poisoned").push(both[0].clone());
    world.archive(both[0].clone().into_envelopes());
    let mut ledger = Ledger::new(Timestamp::MIN);
    run(world.look().all(&mut ledger, |_| ())).expect("no call fails");
    world.table.get_mut().expect("the lock is never poisoned").push(both[1].clone());
    world.archive(both[1].clone().into_envelopes());
    let from = world::OCCURRED_AT.parse().expect("the text is a valid time");
    run(world.look().again(&mut ledger, from)).expect("no call fails");
    let report = compare(&ledger, Timestamp::MAX);
    assert_eq!((report.is_equal(), report.equal), (true, 2));
}

/// Reading the table takes longer than reading the archive, and longer than the grace period.
#[test]
fn audit_is_unsettled_while_archive_lacks_new_events() {
    let mut world = World::default();
    let both = commits(1, [1, 1]);
    world.table.get_mut().expect("the lock is never poisoned").push(both[0].clone());
    world.archive(both[0].clone().into_envelopes());
    let at = world::OCCURRED_AT.parse::<Timestamp>().expect("the text is a valid time");
    let mut ledger = Ledger::new(at - jiff::SignedDuration::from_secs(1));
    run(world.look().all(&mut ledger, |_| ())).expect("no call fails");
    assert!(!ledger.is_unsettled());
    ledger.in_table(both[1].clone());
    assert!(ledger.is_unsettled(), "the archive was read before the event was appended");
    assert_eq!(compare(&ledger, at).in_flight, 0, "the grace period is over");
    world.archive(both[1].clone().into_envelopes());
    run(world.look().again(&mut ledger, at)).expect("no call fails");
    assert!(!ledger.is_unsettled());
    assert!(compare(&ledger, at).is_equal());

    let mut old = Ledger::new(at);
    old.in_table(both[1].clone());
    assert!(!old.is_unsettled(), "older events are not waited for");
}

#[test]
fn quarantined_record_explains_missing_archive_events() {
    let mut world = World::default();
    let all: Vec<Commit> = (1..=3).flat_map(|number| commits(number, [1, 3])).collect();
    world.archive(all.iter().filter(|commit| commit.version == 1).cloned().flat_map(Commit::into_envelopes));
    *world.table.get_mut().expect("the lock is never poisoned") = all;
    let kept = |number, version: u64, events: usize| {
        let keys = serde_json::json!({
            "AggregateId": {"S": world::id(number).to_string()}, "Version": {"N": version.to_string()}
        });
        let image = serde_json::json!({"Events": {"L": vec![serde_json::json!({"M": {}}); events]}});
        let record = serde_json::json!({"dynamodb": {"Keys": keys, "NewImage": image}});
        serde_json::json!({"reason": "it is too large", "record": record}).to_string().into_bytes()
    };
    // The archive lacks versions 2 to 4 of each aggregate. Records about other versions, and records of
    // `archive` and of handlers, do not explain that.
    world.bucket.keep("failed/capture/a.json", kept(1, 99, 1));
    world.bucket.keep("failed/capture/b.json", kept(1, 1, 2));
    world.bucket.keep("failed/capture/c.json", kept(2, 99, 1));
    world.bucket.keep("failed/log-events/d.json", kept(3, 2, 3));
    world.bucket.keep("failed/archive/e.json", b"{}".to_vec());
    let (_, mut report) = audited(&world);
    run(quarantined(&world.bucket)).expect("no call fails").explain(&mut report);
    let counted: Vec<(&str, usize)> =
        report.quarantined.iter().map(|kept| (kept.function.as_str(), kept.records)).collect();
    assert_eq!(counted, [("archive", 1), ("capture", 3)]);
    let about: Vec<Option<&str>> = report
        .findings
        .iter()
        .map(|finding| finding.quarantined.as_ref().map(|kept| kept.at.as_str()))
        .collect();
    assert_eq!(about, [Some("failed/capture/b.json"), None, None]);
}

#[test]
fn discarded_batches_are_counted() {
    let mut world = World::default();
    assert_eq!(run(discarded_batches(&world.bucket)).expect("no call fails"), 0);
    // More than one page of batches, and another object.
    (0..7).for_each(|number| world.bucket.keep(&format!("aws/lambda/uuid/shard/{number}"), Vec::new()));
    world.bucket.keep("failed/log-events/a.json", Vec::new());
    assert_eq!(run(discarded_batches(&world.bucket)).expect("no call fails"), 7);
}

#[test]
fn unreadable_archive_object_is_named() {
    let mut world = World::default();
    world.archive(commit(1, 1, 1, 1).into_envelopes());
    world.bucket.keep("events/dt=2026-11-21/hour=19/broken", b"{}".to_vec());
    let (_, report) = audited(&world);
    assert_eq!(report.unread[0].at, "events/dt=2026-11-21/hour=19/broken");
    assert_eq!(report.unread[0].reason, "it is not gzip: unexpected end of file");
}

#[test]
fn failed_call_does_not_make_object_unreadable() {
    let first = "events/dt=2026-11-21/hour=19/000000.ndjson.gz";
    let looked = |errors: Vec<Error>| {
        let mut world = World::default();
        world.archive(commit(1, 1, 1, 1).into_envelopes());
        world.archive(commit(1, 2, 1, 2).into_envelopes());
        world.bucket.fail(first, errors);
        let mut ledger = Ledger::new(Timestamp::MAX);
        let looked = run(world.look().all(&mut ledger, |_| ()));
        looked.map(|()| compare(&ledger, Timestamp::MAX).unread)
    };
    let broke_off = || Error::new(Class::Throttled, "GetObject", "broke off");
    assert_eq!(looked(vec![broke_off(), broke_off()]), Ok(vec![]), "it is read again");

    for class in [Class::Other, Class::Credentials, Class::Gone] {
        let error = Error::new(class, "GetObject", "the call says nothing about the object");
        assert_eq!(looked(vec![error.clone()]), Err(error));
    }
    let coded =
        |code: &str| Error { code: Some(code.to_owned()), ..Error::other("GetObject", "not this one") };
    let of_its_own = [
        Error::new(Class::Denied, "GetObject", "not this one"),
        coded("InvalidObjectState"),
        coded("KMS.DisabledException"),
    ];
    for error in of_its_own {
        let reason = error.to_string();
        assert_eq!(looked(vec![error]), Ok(vec![Broken { at: first.to_owned(), reason }]));
    }
}

#[test]
fn audit_compares_with_another_table() {
    let whole = vec![vec![(1, Fate::Nothing), (3, Fate::Nothing), (2, Fate::Nothing)]; 5];
    let copy = world_of(&whole);
    let world =
        world_of(&[vec![(1, Fate::Nothing), (3, Fate::LostInTable)], vec![(1, Fate::AlteredInTable)]]);
    // Each page is read twice, and ends at another item the second time.
    let pages = Pages::of(world::InPages::new(&copy, [5, 3, 4]));
    let look = Look { table: &world, store: &world, reference: &pages };
    let mut ledger = Ledger::new(Timestamp::MAX);
    run(look.all(&mut ledger, |_| ())).expect("no call fails");
    let report = compare(&ledger, Timestamp::MAX);
    assert_eq!((report.objects, report.archive.events, report.duplicates), (4, 30, 0));
    assert_eq!(report.findings[0].not_in_table.to_string(), "2-6");
    assert_eq!(report.findings[1].contents_differ.to_string(), "1");

    let stop = CancellationToken::new();
    let at = "2026-11-22T00:00:00.000000Z".parse().expect("the text is a valid time");
    let found = restorable(&ledger);
    let restored = run(restore(&found, &mut ledger, &pages, &world, at, &stop, |_| ()));
    assert_eq!((restored.aggregates, restored.events), (4, 23));
    assert_eq!(found.not.keys().collect::<Vec<_>>(), [&world::id(2)]);
}
