//! The in-memory store against the suite for stores.

use eventsourcing::{InMemoryStore, testing::conformance};
use futures::executor::block_on;

macro_rules! conforms {
    ($($case:ident)*) => {$(
        #[test]
        fn $case() {
            block_on(conformance::$case(async || InMemoryStore::new()));
        }
    )*};
}

conforms! {
    an_unknown_aggregate_has_no_commits
    what_is_appended_is_read_back_whole
    commits_are_read_in_the_order_of_their_versions
    aggregates_do_not_see_each_other
    a_taken_version_is_a_conflict
    of_many_writers_at_once_one_wins
    appending_the_very_same_commit_again_succeeds
    more_than_a_megabyte_is_read_whole
    an_aggregate_is_fetched_as_it_was_stored
}

/// The cases share nothing, so one store for all of them will do.
#[test]
fn one_store_serves_all_cases() {
    let store = InMemoryStore::new();
    block_on(conformance::all(async || &store));
}
