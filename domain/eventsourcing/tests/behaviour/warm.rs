//! A warm function caches aggregates: it reads only new commits, and never answers from the cache alone.

use std::sync::{
    LazyLock, Mutex,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use eventsourcing::{
    AggregateId, Answer, Commit, Context, EventStore, InMemoryStore, Repo,
    store::AppendError,
    testing::tally::{Tally, TallyCommand, TallyEvent},
    testing::{Fixed, request},
    transact,
};
use futures::{FutureExt, Stream, StreamExt, executor::block_on, stream};
use serde_json::{Value, json};
use uuid::Uuid;

/// A table that can be replaced by another one with its name, and counts the commits that are read.
#[derive(Default)]
struct Table {
    items: Mutex<InMemoryStore>,
    read: AtomicUsize,
}

impl EventStore for Table {
    type Error = <InMemoryStore as EventStore>::Error;

    fn read_after(
        &self,
        id: &AggregateId,
        version: u64,
    ) -> impl Stream<Item = Result<Commit, Self::Error>> + Send {
        let commits: Vec<_> =
            self.items.lock().unwrap().read_after(id, version).collect().now_or_never().unwrap();
        self.read.fetch_add(commits.len(), Relaxed);
        stream::iter(commits)
    }

    async fn append(&self, commit: &Commit) -> Result<(), AppendError<Self::Error>> {
        let items = self.items.lock().unwrap();
        items.append(commit).now_or_never().unwrap()
    }
}

const TALLY: Uuid = Uuid::from_u128(7);

fn answer(tallies: &Repo<Tally, &Table>, command_id: u128, command: TallyCommand) -> Value {
    let request = request(TALLY, Uuid::from_u128(command_id), command);
    // Every event has an id of its own, in every repository.
    static IDS: LazyLock<Fixed> = LazyLock::new(Fixed::default);
    let again = async || unreachable!("what is new was read");
    let done = block_on(transact(tallies, &request, &*IDS, again)).unwrap();
    json!(Answer::to_command(TALLY, done.outcome))
}

fn count(times: i64) -> TallyCommand {
    TallyCommand::Count { what: "tea".to_owned(), times }
}

/// Opens a tally and counts until it has this many events, with one function.
fn counted(tallies: &Repo<Tally, &Table>, versions: u128) {
    answer(tallies, 1, TallyCommand::Open);
    (2..=versions).for_each(|version| drop(answer(tallies, version, count(1))));
}

#[test]
fn warm_repo_reads_only_new_commits() {
    let table = Table::default();
    let [one, other] = [Repo::<Tally, _>::new(&table), Repo::new(&table)];
    counted(&one, 50);
    assert_eq!(block_on(one.fetch(TALLY)).unwrap().version(), 50);
    answer(&other, 51, count(1));
    table.read.store(0, Relaxed);
    assert_eq!(block_on(one.fetch(TALLY)).unwrap().version(), 51);
    assert_eq!(table.read.load(Relaxed), 2, "the last known commit and the next one");
}

#[test]
fn answer_without_an_append_is_that_of_a_cold_function() {
    let table = Table::default();
    let [warm, other] = [Repo::<Tally, _>::new(&table), Repo::new(&table)];
    counted(&warm, 3);
    let counted = answer(&other, 4, count(5));
    assert_eq!(answer(&warm, 4, count(5)), counted, "repeated in a function without it in the cache");
    assert_eq!(answer(&warm, 4, count(6))["error"], "CommandReused");
    answer(&other, 5, TallyCommand::Close);
    assert_eq!(answer(&warm, 6, count(1))["error"], "Closed");
    assert_eq!(answer(&warm, 7, TallyCommand::Close)["version"], 5, "there is nothing left to do");
    assert_eq!(json!(Answer::of(&*block_on(warm.fetch(TALLY)).unwrap()))["version"], 5);
}

/// `down` and `up` create a new table with the same name, and functions may have stayed warm.
#[test]
fn warm_repo_forgets_history_of_another_table() {
    for versions in [0, 1, 2, 3, 4] {
        let table = Table::default();
        let [warm, other] = [Repo::<Tally, _>::new(&table), Repo::new(&table)];
        counted(&warm, 3);
        *table.items.lock().unwrap() = InMemoryStore::new();
        if versions > 0 {
            counted(&other, versions);
        }
        assert_eq!(u128::from(block_on(warm.fetch(TALLY)).unwrap().version()), versions);
        let cold = Repo::<Tally, _>::new(&table);
        assert_eq!(answer(&warm, 9, count(1)), answer(&cold, 9, count(1)));
    }
}

/// The archive may have only the first events of a restored commit.
#[test]
fn shortened_last_commit_is_read_again() {
    let table = Table::default();
    let warm = Repo::<Tally, _>::new(&table);
    let id = AggregateId::of::<Tally>(TALLY);
    let commit = |events: &[TallyEvent]| {
        let context = Context::new(Uuid::nil(), "2026-11-21T19:02:03.123456Z".parse().unwrap());
        let mut n = 0;
        let new_id = || {
            n += 1;
            Uuid::from_u128(n)
        };
        Commit::of(id.clone(), 0, events, context, new_id).unwrap()
    };
    let events = [TallyEvent::TallyOpened {}, TallyEvent::Counted { what: "tea".to_owned(), times: 1 }];
    block_on(table.append(&commit(&events))).unwrap();
    assert_eq!(block_on(warm.fetch(TALLY)).unwrap().version(), 2);
    *table.items.lock().unwrap() = InMemoryStore::new();
    block_on(table.append(&commit(&events[..1]))).unwrap();
    assert_eq!(block_on(warm.fetch(TALLY)).unwrap().version(), 1);
}

#[test]
fn aggregate_that_is_full_can_be_ended() {
    let table = Table::default();
    let tallies = Repo::<Tally, _>::new(&table);
    counted(&tallies, 500);
    let full = json!({"error": "TooManyEvents", "tally_id": TALLY,
        "message": "it has 500 events, and 500 are allowed: only a command that ends it can succeed"});
    assert_eq!(answer(&tallies, 501, count(1)), full);
    assert_eq!(answer(&tallies, 500, count(1))["version"], 500, "a repeat is answered");
    assert_eq!(
        answer(&tallies, 502, TallyCommand::Open)["version"],
        500,
        "a command without effect succeeds"
    );
    assert_eq!(answer(&tallies, 503, TallyCommand::Close)["version"], 501);
    assert_eq!(answer(&tallies, 504, TallyCommand::Close)["version"], 501);
}
