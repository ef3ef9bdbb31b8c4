//! The repository handles gaps and decisions without events.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use eventsourcing::{
    AggregateId, Commit, Context, Decision, EventStore, InMemoryStore, Moment, Repo,
    history::HistoryError,
    repo::FetchError,
    store::AppendError,
    testing::tally::{Tally, TallyCommand, TallyEvent},
    testing::{Fixed, request},
};
use futures::{Stream, StreamExt, executor::block_on};
use uuid::Uuid;

/// A store whose first reads miss the second commit, as if it was appended between two pages.
struct Torn {
    inner: InMemoryStore,
    torn_reads: usize,
    reads: AtomicUsize,
}

impl EventStore for Torn {
    type Error = <InMemoryStore as EventStore>::Error;

    fn read_after(
        &self,
        id: &AggregateId,
        version: u64,
    ) -> impl Stream<Item = Result<Commit, Self::Error>> + Send {
        let torn = self.reads.fetch_add(1, Relaxed) < self.torn_reads;
        self.inner
            .read_after(id, version)
            .enumerate()
            .filter(move |(n, _)| std::future::ready(!torn || *n != 1))
            .map(|(_, commit)| commit)
    }

    async fn append(&self, commit: &Commit) -> Result<(), AppendError<Self::Error>> {
        self.inner.append(commit).await
    }
}

fn context() -> Context {
    let time = "2026-11-21T19:02:03.123456Z".parse().unwrap();
    Context::new(Uuid::from_u128(7), time)
}

fn torn(torn_reads: usize) -> Torn {
    let inner = InMemoryStore::new();
    let id = AggregateId::of::<Tally>(Uuid::nil());
    for behind in 0..3 {
        let events = [TallyEvent::TallyOpened {}];
        let mut n = u128::from(behind);
        let new_id = || {
            n += 10;
            Uuid::from_u128(n)
        };
        let commit = Commit::of(id.clone(), behind, &events, context(), new_id).unwrap();
        block_on(inner.append(&commit)).unwrap();
    }
    Torn { inner, torn_reads, reads: AtomicUsize::new(0) }
}

#[test]
fn gap_is_read_once_more() {
    let store = torn(1);
    let history = block_on(Repo::<Tally, _>::new(&store).fetch(Uuid::nil())).unwrap();
    assert_eq!(history.version(), 3);
    assert_eq!(store.reads.load(Relaxed), 2);
}

#[test]
fn gap_that_stays_is_an_error() {
    let store = torn(usize::MAX);
    let error = block_on(Repo::<Tally, _>::new(&store).fetch(Uuid::nil())).unwrap_err();
    let gap = FetchError::<std::convert::Infallible>::History(HistoryError::Gap {
        id: AggregateId::of::<Tally>(Uuid::nil()),
        expected: 2,
        found: 3,
    });
    assert_eq!(format!("{error:?}"), format!("{gap:?}"));
    assert_eq!(store.reads.load(Relaxed), 2);
}

#[test]
fn decision_without_events_writes_nothing() {
    let tallies = Repo::<Tally, _>::new(InMemoryStore::new());
    let surroundings = Fixed::default();
    let store = async |command_id: u128, command: TallyCommand| {
        let history = tallies.fetch(Uuid::nil()).await.unwrap();
        let request = request(Uuid::nil(), Uuid::from_u128(command_id), command);
        let decision = history.decide(&request, &Moment::of(&surroundings)).unwrap();
        let context = Context::of(&request, context().occurred_at);
        tallies.store(&decision, context, Uuid::nil).await.unwrap();
    };
    block_on(async {
        store(1, TallyCommand::Open).await;
        store(2, TallyCommand::Open).await;
        assert_eq!(tallies.fetch(Uuid::nil()).await.unwrap().version(), 1);
    });
}

/// Counts tea this often, under a name with this many bytes.
fn counted(events: usize, bytes: usize) -> Result<(), String> {
    let tallies = Repo::<Tally, _>::new(InMemoryStore::new());
    let event = TallyEvent::Counted { what: "x".repeat(bytes), times: 1 };
    let decision = Decision {
        id: AggregateId::of::<Tally>(Uuid::nil()),
        events: vec![event; events],
        state: Tally::default(),
        version: events as u64,
    };
    let stored = block_on(tallies.store(&decision, context(), Uuid::nil));
    let version = block_on(tallies.fetch(Uuid::nil())).unwrap().version();
    assert_eq!(version, stored.as_ref().map_or(0, |()| events as u64), "completely or not at all");
    stored.map_err(|error| std::error::Error::source(&error).unwrap().to_string())
}

#[test]
fn commit_is_no_more_than_the_pipeline_can_carry() {
    assert_eq!(counted(100, 1), Ok(()));
    let refused = counted(101, 1).unwrap_err();
    assert!(refused.starts_with("the decision has 101 events, but a commit has at most 100"), "{refused}");
    // The data without the name: `{"times":1,"what":""}`.
    assert_eq!(counted(10, 30_000 - 21), Ok(()));
    let refused = counted(10, 30_000 - 20).unwrap_err();
    assert!(refused.starts_with("the events of the decision have 300010 bytes of data"), "{refused}");
}
