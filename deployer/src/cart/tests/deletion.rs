//! The order of deletions: what uses a resource goes before it.

use std::collections::{BTreeMap, BTreeSet};

use aws::Aws;
use engine::stack::Stack;

use super::dev;

/// Returns the kinds that use each kind, and therefore have to be deleted before it.
fn users(stack: &Stack<Aws>) -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut users: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for kind in &stack.kinds {
        for used in kind.info.depends_on {
            users.entry(*used).or_default().insert(kind.info.name);
        }
    }
    users
}

/// A kind that another one needs when it is created is deleted after it.
#[test]
fn kinds_are_deleted_before_those_that_they_need() {
    let stack = dev();
    let users = users(&stack);
    for node in &stack.resources {
        for needed in node.needs().iter().map(|id| id.kind()).filter(|kind| *kind != node.id().kind()) {
            let user = node.id().kind();
            let known = users.get(needed).is_some_and(|users| users.contains(user));
            assert!(known, "`depends_on` of {user} lacks {needed}: `down` deletes both at the same time");
        }
    }
}

/// What functions may write to stays until there is no function and no mapping.
#[test]
fn stores_are_deleted_after_all_that_write_to_them() {
    let users = users(&dev());
    for (store, writers) in [
        ("dynamodb.table", ["cloudwatch.alarm", "lambda.event-source-mapping", "lambda.function"].as_slice()),
        ("kinesis.stream", &["cloudwatch.alarm", "lambda.event-source-mapping", "lambda.function"]),
        ("s3.bucket", &["lambda.event-source-mapping", "lambda.function"]),
    ] {
        assert_eq!(users[store], writers.iter().copied().collect(), "{store}");
    }
}
