//! The rules for event stores, as tests to run against your store.
//!
//! Each case calls the given function for a store. It may return a new store each time or always the same:
//! the cases use different aggregates, which must not exist when the suite starts. The suite does not depend
//! on an async runtime.
//!
//! ```
//! use eventsourcing::{InMemoryStore, testing::conformance};
//!
//! futures::executor::block_on(conformance::all(async || InMemoryStore::new()));
//! ```

use futures::{TryStreamExt, future::join_all};
use uuid::Uuid;

use crate::{
    aggregate::Aggregate,
    commit::{Commit, Context, StoredEvent},
    envelope::More,
    id::AggregateId,
    json::JsonText,
    occurred_at::OccurredAt,
    repo::{Repo, StoreError},
    request::RequestHash,
    store::{AppendError, EventStore},
    surroundings::Moment,
    testing::tally::{Tally, TallyCommand},
    testing::{Fixed, request},
};

/// Runs every case, one after another.
pub async fn all<S: EventStore>(store: impl AsyncFn() -> S) {
    unknown_aggregate_has_no_commits(&store).await;
    appended_commits_are_read_back_whole(&store).await;
    commits_are_read_in_the_order_of_their_versions(&store).await;
    reading_can_begin_behind_any_version(&store).await;
    aggregates_do_not_see_each_other(&store).await;
    taken_version_is_a_conflict(&store).await;
    concurrent_writers_have_one_winner(&store).await;
    same_commit_can_be_appended_again(&store).await;
    history_above_a_megabyte_is_read_whole(&store).await;
    aggregate_is_fetched_as_it_was_stored(&store).await;
}

/// Reading an unknown aggregate returns nothing, and no error.
pub async fn unknown_aggregate_has_no_commits<S: EventStore>(store: impl AsyncFn() -> S) {
    let found = read(&store().await, &aggregate("unknown")).await;
    assert_eq!(found, []);
}

/// No part of a commit is lost or changed, and its data is the same byte by byte.
pub async fn appended_commits_are_read_back_whole<S: EventStore>(store: impl AsyncFn() -> S) {
    let store = store().await;
    let id = aggregate("whole");
    let mut full = commit(&id, 1, "full", 3);
    full.events[0].data = text(r#"{ "b":1e2,  "a":"\u00e4 ü 🛒 \n" }"#);
    full.events[1].data = text("{}");
    full.events[2].schema_version = 7;
    full.events[2].more = [("tenant".to_owned(), text(r#"{ "of":1e400 }"#))].into();
    full.context.causation_id = Some(uuid("cause"));
    full.context.request_hash = RequestHash::of("count", &Default::default());
    full.context.actor = Some("Zoë <zoe@example.com>".to_owned());
    full.context.correlation_id = uuid("conversation");
    let bare = commit(&id, 4, "bare", 1);

    append(&store, &full).await;
    append(&store, &bare).await;
    assert_eq!(read(&store, &id).await, [full, bare]);
}

/// The order is numeric: version 10 comes after 9, not after 1.
pub async fn commits_are_read_in_the_order_of_their_versions<S: EventStore>(store: impl AsyncFn() -> S) {
    let store = store().await;
    let id = aggregate("order");
    let mut version = 1;
    for size in [1, 2, 3, 5, 90, 1, 1] {
        append(&store, &commit(&id, version, "order", size)).await;
        version += size as u64;
    }
    let versions: Vec<_> = read(&store, &id).await.iter().map(|c| c.version).collect();
    assert_eq!(versions, [1, 2, 4, 7, 12, 102, 103]);
}

/// Commits that start after the version are read; a commit that contains the version is not.
pub async fn reading_can_begin_behind_any_version<S: EventStore>(store: impl AsyncFn() -> S) {
    let store = store().await;
    let id = aggregate("behind");
    let commits =
        [(1, 2), (3, 1), (4, 90), (94, 1)].map(|(version, size)| commit(&id, version, "behind", size));
    for commit in &commits {
        append(&store, commit).await;
    }
    for (version, first) in [(0, 0), (1, 1), (2, 1), (3, 2), (4, 3), (93, 3), (94, 4), (1_000, 4)] {
        let found: Result<Vec<_>, _> = store.read_after(&id, version).try_collect().await;
        assert_eq!(found.expect("the aggregate is read"), commits[first..], "behind {version}");
    }
}

/// Another UUID, or the same UUID with another type, is another aggregate.
pub async fn aggregates_do_not_see_each_other<S: EventStore>(store: impl AsyncFn() -> S) {
    let store = store().await;
    let one = aggregate("one");
    let two = aggregate("two");
    let other_type: AggregateId = format!("tally2#{}", one.uuid()).parse().expect("the id is well-formed");
    for id in [&one, &two, &other_type] {
        append(&store, &commit(id, 1, &id.to_string(), 1)).await;
    }
    for id in [&one, &two, &other_type] {
        let found = read(&store, id).await;
        assert_eq!(found, [commit(id, 1, &id.to_string(), 1)]);
    }
}

/// A writer that has not read the latest version gets a conflict, and the first commit stays unchanged.
pub async fn taken_version_is_a_conflict<S: EventStore>(store: impl AsyncFn() -> S) {
    let store = store().await;
    let id = aggregate("taken");
    let first = commit(&id, 1, "first", 2);
    append(&store, &first).await;

    // The same command id is not enough: only equal event ids mean that this is the same append.
    let mut late = commit(&id, 1, "late", 2);
    late.context = first.context.clone();
    let longer = commit(&id, 1, "first", 3);
    for loser in [late, longer] {
        let lost = store.append(&loser).await;
        assert!(matches!(lost, Err(AppendError::Conflict)), "{lost:?}");
    }
    assert_eq!(read(&store, &id).await, [first]);
}

/// Of writers that have read the same version, exactly one succeeds.
pub async fn concurrent_writers_have_one_winner<S: EventStore>(store: impl AsyncFn() -> S) {
    let store = store().await;
    let id = aggregate("race");
    let commits: Vec<_> = (0..16).map(|n| commit(&id, 1, &format!("writer {n}"), 1)).collect();
    let outcomes = join_all(commits.iter().map(|commit| store.append(commit))).await;
    let mut winners = Vec::new();
    for (commit, outcome) in commits.into_iter().zip(outcomes) {
        match outcome {
            Ok(()) => winners.push(commit),
            Err(AppendError::Conflict) => {}
            Err(AppendError::Store(error)) => panic!("the store failed: {error}"),
        }
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert_eq!(read(&store, &id).await, winners);
}

/// An append whose answer was lost is repeated, at once or later, and is stored once.
pub async fn same_commit_can_be_appended_again<S: EventStore>(store: impl AsyncFn() -> S) {
    let store = store().await;
    let id = aggregate("again");
    let ours = commit(&id, 1, "first", 2);
    append(&store, &ours).await;
    append(&store, &ours).await;
    let later = commit(&id, 3, "later", 1);
    append(&store, &later).await;
    append(&store, &ours).await;
    assert_eq!(read(&store, &id).await, [ours, later]);
}

/// A history larger than one page of any store is read without a gap.
pub async fn history_above_a_megabyte_is_read_whole<S: EventStore>(store: impl AsyncFn() -> S) {
    let store = store().await;
    let id = aggregate("large");
    let data = text(&format!("\"{}\"", "x".repeat(100_000)));
    let mut commits = Vec::new();
    for version in 1..=25 {
        let mut commit = commit(&id, version, "large", 1);
        commit.events[0].data = data.clone();
        append(&store, &commit).await;
        commits.push(commit);
    }
    // Not `assert_eq`, which would print megabytes.
    assert!(read(&store, &id).await == commits, "the history differs");
}

/// A decision is read back as it was stored, and a repeated command finds its commit.
pub async fn aggregate_is_fetched_as_it_was_stored<S: EventStore>(store: impl AsyncFn() -> S) {
    let tallies = Repo::<Tally, _>::new(store().await);
    let tally_id = aggregate("tally").uuid();
    let add = TallyCommand::Count { what: "tea".to_owned(), times: 2 };
    let commands = [TallyCommand::Open, add.clone(), add, TallyCommand::Close];
    let requests = (0..).zip(commands).map(|(n, command)| request(tally_id, Uuid::from_u128(n), command));
    let requests: Vec<_> = requests.collect();
    let surroundings = Fixed::default();
    let moment = Moment::of(&surroundings);
    let mut decisions = Vec::new();
    for (n, request) in requests.iter().enumerate() {
        let history = tallies.fetch(tally_id).await.expect("the tally is fetched");
        let decision = history.decide(request, &moment).expect("the command is allowed");
        let context = Context::of(request, time());
        // The first decision is stored twice, the second time with different ids, which is a conflict.
        let new_id = |word: &str| uuid(&format!("{tally_id} {n} {word}"));
        let stored = tallies.store(&decision, context.clone(), || new_id("a")).await;
        stored.expect("the decision is stored");
        let late = tallies.store(&decision, context, || new_id("b")).await;
        assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
        decisions.push(decision);
    }

    let history = tallies.fetch(tally_id).await.expect("the tally is fetched");
    assert_eq!(history.version(), 4);
    assert_eq!(history.state().count_of("tea"), 4);
    for (request, first) in requests.iter().zip(decisions) {
        let again = history.decide(request, &moment);
        let again = again.expect("a repeated command is allowed");
        assert_eq!(again.events, []);
        assert_eq!((again.state, again.version), (first.state, first.version));
    }
}

// All values are derived from words: this crate has neither clock nor randomness.

fn uuid(word: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, word.as_bytes())
}

fn aggregate(word: &str) -> AggregateId {
    AggregateId::of::<Tally>(uuid(&format!("{} {word}", Tally::TYPE)))
}

fn time() -> OccurredAt {
    let time = "2026-11-21T19:02:03.120000Z".parse();
    time.expect("the time has the stored format")
}

fn text(json: &str) -> JsonText {
    JsonText::parse(json.to_owned()).expect("the text is JSON")
}

fn commit(id: &AggregateId, version: u64, word: &str, size: usize) -> Commit {
    let event = |n| StoredEvent {
        id: uuid(&format!("{id} {version} {word} {n}")),
        event_type: "Counted".to_owned(),
        schema_version: 1,
        data: text(&format!(r#"{{"what":"{word}","times":{}}}"#, n + 1)),
        more: More::new(),
    };
    Commit {
        aggregate_id: id.clone(),
        version,
        events: (0..size).map(event).collect(),
        context: Context::new(uuid(&format!("{id} {version} {word}")), time()),
    }
}

async fn append(store: &impl EventStore, commit: &Commit) {
    let appended = store.append(commit).await;
    appended.expect("the commit is appended");
}

async fn read(store: &impl EventStore, id: &AggregateId) -> Vec<Commit> {
    let commits: Result<Vec<_>, _> = store.read(id).try_collect().await;
    commits.expect("the aggregate is read")
}
