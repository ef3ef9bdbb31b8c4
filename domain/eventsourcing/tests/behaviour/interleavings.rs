//! Concurrent writers in every order: no event is lost or duplicated, and the stored events are always a
//! valid history.

use eventsourcing::{
    Context, Decision, InMemoryStore, Moment, OccurredAt, Repo, Request,
    repo::StoreError,
    testing::tally::{Tally, TallyCommand},
    testing::{Fixed, request},
};
use futures::executor::block_on;
use jiff::Timestamp;
use proptest::{collection::vec, prelude::*};
use uuid::Uuid;

/// A writer with one command: it fetches and decides in one step, and stores in the next.
struct Writer {
    request: Request<TallyCommand>,
    decided: Option<Decision<Tally>>,
    answer: Option<Decision<Tally>>,
}

impl Writer {
    fn new(command_id: u128, command: TallyCommand) -> Self {
        let request = request(Uuid::nil(), Uuid::from_u128(command_id), command);
        Self { request, decided: None, answer: None }
    }

    async fn step(&mut self, tallies: &Repo<Tally, &InMemoryStore>, ids: &mut u128) {
        let Some(decision) = self.decided.take() else {
            let history = tallies.fetch(Uuid::nil()).await.unwrap();
            let surroundings = Fixed::default();
            let decided = history.decide(&self.request, &Moment::of(&surroundings));
            self.decided = Some(decided.unwrap());
            return;
        };
        let context = Context::of(&self.request, OccurredAt::new(Timestamp::UNIX_EPOCH));
        let new_id = || {
            *ids += 1;
            Uuid::from_u128(*ids)
        };
        match tallies.store(&decision, context, new_id).await {
            Ok(()) => self.answer = Some(decision),
            Err(StoreError::Conflict) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn count(what: &str) -> TallyCommand {
    TallyCommand::Count { what: what.to_owned(), times: 1 }
}

proptest! {
    /// Writers 0 to 7 have different commands; 8 and 9 repeat those of 0 and 1.
    #[test]
    fn commands_count_once_in_any_interleaving(turns in vec(0..10_usize, 0..200)) {
        let store = InMemoryStore::new();
        // Two functions, each with its own cache.
        let tallies = [Repo::<Tally, _>::new(&store), Repo::new(&store)];
        let mut ids = 0;
        let mut writers: Vec<_> = (0..10_u128)
            .map(|n| Writer::new(n % 8, count(&format!("thing {}", n % 8))))
            .collect();
        block_on(async {
            let mut opener = Writer::new(100, TallyCommand::Open);
            while opener.answer.is_none() {
                opener.step(&tallies[0], &mut ids).await;
            }
            // First in the drawn order, then each until it has its answer.
            let rest = (0..10).flat_map(|n| std::iter::repeat_n(n, 4));
            for turn in turns.into_iter().chain(rest) {
                let writer = &mut writers[turn];
                if writer.answer.is_none() {
                    writer.step(&tallies[turn % 2], &mut ids).await;
                }
            }
            let history = tallies[1].fetch(Uuid::nil()).await.unwrap();
            prop_assert_eq!(history.version(), 9);
            prop_assert!(history.state().counts().values().all(|times| *times == 1));
            let answer = |n: usize| {
                let answer = writers[n].answer.as_ref().unwrap();
                (answer.state.clone(), answer.version)
            };
            prop_assert_eq!(answer(0), answer(8));
            prop_assert_eq!(answer(1), answer(9));
            Ok(())
        })?;
    }
}
