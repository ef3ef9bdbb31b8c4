//! Commits that are published and grouped again.

use eventsourcing::{Commit, Envelope, StoredEvent};
use proptest::{collection::vec, prelude::*};
use uuid::Uuid;

use crate::properties::envelope;

/// Some commits of some aggregates, in the order of a table. Only the command ids always differ: consecutive
/// commits may be equal in all other fields.
fn commits() -> impl Strategy<Value = Vec<Commit>> {
    let commit = (envelope(), 1..4_usize, any::<bool>());
    vec(vec(commit, 1..6), 0..4).prop_map(|aggregates| {
        let mut commits: Vec<Commit> = Vec::new();
        for (aggregate, drafts) in (1_u128..).zip(aggregates) {
            let (mut version, mut like) = (1, drafts[0].0.clone());
            for (draft, size, alike) in drafts {
                like = if alike { like } else { draft };
                let commit = whole(&like, Uuid::from_u128(aggregate), version, size, commits.len());
                version = commit.next_version();
                commits.push(commit);
            }
        }
        commits
    })
}

fn whole(like: &Envelope, aggregate: Uuid, version: u64, size: usize, number: usize) -> Commit {
    let like = Envelope { aggregate_id: aggregate, version, ..like.clone() };
    let mut commit = Commit::from_envelopes([like.clone()]).unwrap().remove(0);
    commit.context.command_id = Uuid::from_u128(number as u128);
    let event = |n: usize| StoredEvent {
        id: Uuid::from_u128((number * 10 + n) as u128),
        event_type: like.event_type.clone(),
        schema_version: like.schema_version,
        data: like.data.clone(),
        more: like.more.clone(),
    };
    commit.events = (0..size).map(event).collect();
    commit
}

proptest! {
    #[test]
    fn regrouped_commits_equal_the_published_ones(commits in commits()) {
        let published = commits.clone().into_iter().flat_map(Commit::into_envelopes);
        prop_assert_eq!(Commit::from_envelopes(published).unwrap(), commits);
    }
}

/// The first event of an aggregate of this type.
fn opened(aggregate_type: &str) -> Envelope {
    let bytes = br#"{"aggregate_id":"00000000-0000-0000-0000-000000000001","aggregate_type":"",
        "command_id":"00000000-0000-0000-0000-000000000002",
        "correlation_id":"00000000-0000-0000-0000-000000000002","data":{},
        "id":"00000000-0000-0000-0000-000000000003","occurred_at":"2026-11-21T19:02:03.123456Z",
        "request_hash":"00000000000000000000000000000000","schema_version":1,"type":"TallyOpened","version":1}"#;
    Envelope { aggregate_type: aggregate_type.to_owned(), ..Envelope::from_bytes(bytes).unwrap() }
}

#[test]
fn commit_with_a_gap_is_split() {
    let commits = Commit::from_envelopes([1, 2, 4].map(|version| Envelope { version, ..opened("tally") }));
    let shape = |commit: &Commit| (commit.version, commit.events.len());
    assert_eq!(commits.unwrap().iter().map(shape).collect::<Vec<_>>(), [(1, 2), (4, 1)]);
}

#[test]
fn aggregate_with_an_invalid_type_is_refused() {
    let refused = Commit::from_envelopes([opened("a#b")]).unwrap_err();
    assert!(refused.to_string().starts_with("\"a#b#0000"), "{refused}");
}
