//! The store in the deployed table fulfils the contract of every event store.

use acceptance::{Cloud, Deployed};
use eventsourcing::testing::conformance;
use storage::DynamoDbEventStore;

use crate::Test;

pub(crate) const TESTS: &[Test] =
    &[("table_conforms_to_the_event_store_suite", table_conforms_to_the_event_store_suite)];

/// The table that the stack creates has the keys and the behaviour that the store needs.
fn table_conforms_to_the_event_store_suite(cloud: &Cloud) {
    let place = cloud.place();
    let up = Deployed::local(&place);
    let store = DynamoDbEventStore::new(up.aws.dynamodb.clone(), up.aws.scope.name("events"));
    up.wait(conformance::all(async || store.clone()));
}
