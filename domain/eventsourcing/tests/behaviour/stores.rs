//! The in-memory store passes the conformance suite.

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
    unknown_aggregate_has_no_commits
    appended_commits_are_read_back_whole
    commits_are_read_in_the_order_of_their_versions
    aggregates_do_not_see_each_other
    taken_version_is_a_conflict
    concurrent_writers_have_one_winner
    same_commit_can_be_appended_again
    history_above_a_megabyte_is_read_whole
    aggregate_is_fetched_as_it_was_stored
}

/// The cases share no aggregates, so one store can serve all of them.
#[test]
fn store_serves_all_conformance_cases() {
    let store = InMemoryStore::new();
    block_on(conformance::all(async || &store));
}
