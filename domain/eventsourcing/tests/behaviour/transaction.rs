//! Commands from request to answer, with lost races.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use eventsourcing::{
    AggregateId, Answer, Commit, Context, EventStore, InMemoryStore, OccurredAt, Repo, Request,
    store::AppendError,
    testing::tally::{Tally, TallyCommand, TallyEvent},
    testing::{self, Fixed},
    transact,
    transaction::{Transaction, TransactionOutcome},
};
use futures::{Stream, StreamExt, TryStreamExt, executor::block_on};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

/// A store in which another writer counts this often before the next decision is stored. It counts the
/// commits that are read.
struct Crowded {
    inner: InMemoryStore,
    faster: AtomicU32,
    read: AtomicU32,
}

impl EventStore for Crowded {
    type Error = <InMemoryStore as EventStore>::Error;

    fn read_after(
        &self,
        id: &AggregateId,
        version: u64,
    ) -> impl Stream<Item = Result<Commit, Self::Error>> + Send {
        let count = |_: &_| _ = self.read.fetch_add(1, Relaxed);
        self.inner.read_after(id, version).inspect(count)
    }

    async fn append(&self, commit: &Commit) -> Result<(), AppendError<Self::Error>> {
        if self.faster.fetch_update(Relaxed, Relaxed, |times| times.checked_sub(1)).is_ok() {
            let counted = [TallyEvent::Counted { what: "tea".to_owned(), times: 1 }];
            let id = || Uuid::from_u128(0xfa57 + u128::from(commit.version));
            let context = Context::new(id(), OccurredAt::new(Timestamp::UNIX_EPOCH));
            let other = Commit::of(commit.aggregate_id.clone(), commit.version - 1, &counted, context, id);
            self.inner.append(&other.unwrap()).await?;
        }
        self.inner.append(commit).await
    }
}

const ID: Uuid = Uuid::from_u128(7);

fn request(command_id: u128, command: TallyCommand) -> Request<TallyCommand> {
    testing::request(ID, Uuid::from_u128(command_id), command)
}

/// Counts tea twice in an open tally while this many races are lost, with at most this many retries.
fn count(faster: u32, tries_again: u32) -> Transaction<Tally> {
    count_in(&crowded(), faster, tries_again)
}

fn crowded() -> Crowded {
    Crowded { inner: InMemoryStore::new(), faster: AtomicU32::new(0), read: AtomicU32::new(0) }
}

fn count_in(store: &Crowded, faster: u32, tries_again: u32) -> Transaction<Tally> {
    let repo = Repo::<Tally, _>::new(store);
    let surroundings = Fixed::default();
    let open = request(1, TallyCommand::Open);
    block_on(transact(&repo, &open, &surroundings, async || false)).unwrap();
    store.faster.store(faster, Relaxed);
    let mut left = tries_again;
    let again = async || {
        let more = left > 0;
        left = left.saturating_sub(1);
        more
    };
    let count = request(2, TallyCommand::Count { what: "tea".to_owned(), times: 2 });
    block_on(transact(&repo, &count, &surroundings, again)).unwrap()
}

#[test]
fn command_is_decided_again_on_what_others_stored_meanwhile() {
    let Transaction { outcome: TransactionOutcome::Stored(decision), lost_races } = count(3, 5) else {
        panic!("the decision is stored");
    };
    assert_eq!((decision.version, lost_races), (5, 3));
    assert_eq!(decision.state.count_of("tea"), 3 + 2);
}

#[test]
fn lost_race_reads_only_new_commits() {
    let store = crowded();
    let lost_races = count_in(&store, 6, 9).lost_races;
    // Each read starts with the last known commit: it has to exist still.
    assert_eq!((lost_races, store.read.into_inner()), (6, 1 + 6 * 2));
}

#[test]
fn command_that_loses_each_race_is_a_conflict() {
    let Transaction { outcome, lost_races } = count(9, 2);
    assert_eq!(lost_races, 2);
    assert_eq!(
        json!(Answer::to_command(ID, outcome)),
        json!({"error": "Conflict", "tally_id": ID,
            "message": "too many commands changed the tally at the same time; repeat the command with \
                the same command_id"})
    );
}

#[test]
fn command_is_answered_with_view_or_broken_rule() {
    let repo = Repo::<Tally, _>::new(InMemoryStore::new());
    let answer = |command_id, command| {
        let request = request(command_id, command);
        let again = async || unreachable!("no other decision is faster");
        let done = block_on(transact(&repo, &request, &Fixed::default(), again));
        json!(Answer::to_command(ID, done.unwrap().outcome))
    };
    let not_opened = json!({"error": "NotOpened", "message": "the tally was never opened", "tally_id": ID});
    assert_eq!(answer(1, TallyCommand::Close), not_opened);
    assert_eq!(answer(2, TallyCommand::Open), json!({"tally_id": ID, "version": 1, "counts": {}}));
    let count = |times| TallyCommand::Count { what: "tea".to_owned(), times };
    let counted = json!({"tally_id": ID, "version": 2, "counts": {"tea": 2}});
    assert_eq!(answer(3, count(2)), counted);
    assert_eq!(answer(3, count(2)), counted, "a repeat is answered the same");
    assert_eq!(answer(3, count(3))["error"], "CommandReused");
    let history = block_on(repo.fetch(ID)).unwrap();
    assert_eq!(json!(Answer::of(&history)), counted);
}

/// The fields that reactors and traces use.
#[test]
fn commit_carries_the_context_of_its_request() {
    let store = InMemoryStore::new();
    let asked = Request {
        correlation_id: Uuid::from_u128(8),
        causation_id: Some(Uuid::from_u128(9)),
        actor: Some("zoë".to_owned()),
        ..request(1, TallyCommand::Open)
    };
    let again = async || unreachable!("no other decision is faster");
    block_on(transact(&Repo::<Tally, _>::new(&store), &asked, &Fixed::default(), again)).unwrap();
    let commits: Vec<_> = block_on(store.read(&AggregateId::of::<Tally>(ID)).try_collect()).unwrap();
    assert_eq!(commits[0].context, Context::of(&asked, commits[0].context.occurred_at));
    assert_eq!(commits[0].context.causation_id, Some(Uuid::from_u128(9)));
    assert_eq!(commits[0].context.request_hash, asked.hash);
}
