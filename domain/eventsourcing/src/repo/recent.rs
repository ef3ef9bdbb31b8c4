//! The cache of a repository: the histories that it fetched last.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{aggregate::Aggregate, history::History, id::AggregateId};

/// The maximum size of the cached events in bytes, not counting the history that was fetched last. The
/// smallest function has 128 MB, and events need about twice their stored size in memory.
const BYTES: usize = 8 << 20;
/// The approximate size of a history without its events, in bytes.
const OVERHEAD: usize = 1 << 10;

/// Histories, the most recently fetched one last.
#[derive(Debug)]
pub(super) struct Recent<A: Aggregate> {
    // A queue of whole histories is valid after every step, so a poisoned lock is still usable.
    histories: Mutex<VecDeque<Arc<History<A>>>>,
}

impl<A: Aggregate> Recent<A> {
    /// Returns an empty cache.
    pub(super) fn new() -> Self {
        Self { histories: Mutex::default() }
    }

    /// Removes and returns the history of an aggregate, if it is cached.
    pub(super) fn take(&self, id: &AggregateId) -> Option<Arc<History<A>>> {
        let mut histories = self.lock();
        let place = histories.iter().position(|history| history.id() == id)?;
        histories.remove(place)
    }

    /// Caches a history instead of an earlier one of the same aggregate, and drops the oldest ones beyond the
    /// maximum size.
    pub(super) fn keep(&self, history: Arc<History<A>>) {
        let mut histories = self.lock();
        histories.retain(|earlier| earlier.id() != history.id());
        histories.push_back(history);
        let size = |history: &Arc<History<A>>| OVERHEAD + history.bytes();
        while histories.len() > 1 && histories.iter().map(size).sum::<usize>() > BYTES {
            histories.pop_front();
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<History<A>>>> {
        self.histories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        commit::{Commit, Context},
        testing::tally::{Tally, TallyEvent},
    };

    fn history(n: u128, bytes: usize) -> Arc<History<Tally>> {
        let id = AggregateId::of::<Tally>(Uuid::from_u128(n));
        let event = TallyEvent::Counted { what: "x".repeat(250_000), times: 1 };
        let mut history = History::new(id.clone());
        while history.bytes() < bytes {
            let context = Context::new(Uuid::nil(), "2026-11-21T19:02:03.123456Z".parse().unwrap());
            let commit =
                Commit::of(id.clone(), history.version(), std::slice::from_ref(&event), context, Uuid::nil);
            history.fold(&commit.unwrap()).unwrap();
        }
        Arc::new(history)
    }

    #[test]
    fn memory_is_bounded_and_the_last_is_always_there() {
        let recent = Recent::new();
        let id = |n: u128| AggregateId::of::<Tally>(Uuid::from_u128(n));
        (1..=5).for_each(|n| recent.keep(history(n, 2_000_000)));
        assert!(recent.take(&id(1)).is_none(), "the oldest history is dropped");
        assert!(recent.take(&id(2)).is_some_and(|history| history.version() == 8));
        assert!(recent.take(&id(2)).is_none(), "the history was removed");
        recent.keep(history(6, 9_000_000));
        assert!(recent.take(&id(5)).is_none());
        assert!(recent.take(&id(6)).is_some(), "the last history is cached even if it is large");
        recent.keep(history(7, 0));
        recent.keep(history(7, 1));
        assert_eq!(recent.take(&id(7)).unwrap().version(), 1, "the later history replaces the earlier one");
        assert!(recent.take(&id(7)).is_none());
    }
}
