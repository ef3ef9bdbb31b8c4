//! A commit as an item of the events table, and as the same item in the table's stream.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use eventsourcing::{
    AggregateId, Commit, Context, JsonText, OccurredAt, RequestHash, StoredEvent, id::InvalidAggregateId,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// The attributes of an item. Their names are stored and must not change.
///
/// Unknown attributes are ignored, so that a later release can add one without stopping functions of this
/// release.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CommitItem {
    aggregate_id: String,
    version: u64,
    events: Vec<EventItem>,
    command_id: Uuid,
    request_hash: RequestHash,
    correlation_id: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    causation_id: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    occurred_at: OccurredAt,
    /// When a lost item was written back; not part of the commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    restored: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EventItem {
    id: Uuid,
    r#type: String,
    schema_version: u32,
    data: String,
    /// Fields that a later release adds to events, as JSON, by their name in the envelope. Later releases
    /// must add them only here, because older releases pass this map on without knowing the fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    more: BTreeMap<String, String>,
}

/// Why an item is not a commit.
#[derive(Debug, Error)]
pub enum ItemError {
    /// An attribute is missing or of another kind.
    #[error("the item does not have the attributes of a commit")]
    Attributes(#[from] serde_dynamo::Error),
    /// The hash key does not have the form of an aggregate id.
    #[error("the item's hash key is not an aggregate id")]
    Id(#[from] InvalidAggregateId),
    /// The data of an event are not JSON.
    #[error("the data of event {id} are not JSON")]
    Data {
        /// The event.
        id: Uuid,
        /// The cause.
        source: serde_json::Error,
    },
    /// It has no events.
    #[error("the item has no events")]
    Empty,
    /// It has version 0, but the first event of an aggregate has version 1.
    #[error("the item has version 0, and the first is 1")]
    Version,
}

/// Returns a commit as an item of the table.
pub fn to_item(commit: &Commit) -> Result<HashMap<String, AttributeValue>, ItemError> {
    item(commit, None)
}

/// Returns a commit as an item that is written back into a table that lost it. The item has a mark, so its
/// events are not published again.
pub fn to_restored_item(
    commit: &Commit,
    at: OccurredAt,
) -> Result<HashMap<String, AttributeValue>, ItemError> {
    item(commit, Some(at))
}

fn item(commit: &Commit, restored: Option<OccurredAt>) -> Result<HashMap<String, AttributeValue>, ItemError> {
    let context = commit.context.clone();
    let Context { command_id, request_hash, correlation_id, causation_id, actor, occurred_at } = context;
    let event = |event: &StoredEvent| EventItem {
        id: event.id,
        r#type: event.event_type.clone(),
        schema_version: event.schema_version,
        data: event.data.as_str().to_owned(),
        more: event.more.iter().map(|(name, value)| (name.clone(), value.as_str().to_owned())).collect(),
    };
    let item = CommitItem {
        aggregate_id: commit.aggregate_id.to_string(),
        version: commit.version,
        events: commit.events.iter().map(event).collect(),
        command_id,
        request_hash,
        correlation_id,
        causation_id,
        actor,
        occurred_at,
        restored: restored.map(String::from),
    };
    Ok(serde_dynamo::to_item(item)?)
}

/// Returns the commit in an item of the table or of the table's stream.
pub fn from_item(item: impl Into<serde_dynamo::Item>) -> Result<Commit, ItemError> {
    let item: CommitItem = serde_dynamo::from_item(item.into())?;
    if item.events.is_empty() {
        return Err(ItemError::Empty);
    }
    if item.version == 0 {
        return Err(ItemError::Version);
    }
    let event = |event: EventItem| {
        let id = event.id;
        let parsed = |text| JsonText::parse(text).map_err(|source| ItemError::Data { id, source });
        let more = event.more.into_iter().map(|(name, value)| Ok((name, parsed(value)?)));
        Ok(StoredEvent {
            more: more.collect::<Result<_, ItemError>>()?,
            id: event.id,
            event_type: event.r#type,
            schema_version: event.schema_version,
            data: parsed(event.data)?,
        })
    };
    Ok(Commit {
        aggregate_id: item.aggregate_id.parse::<AggregateId>()?,
        version: item.version,
        events: item.events.into_iter().map(event).collect::<Result<_, ItemError>>()?,
        context: Context {
            command_id: item.command_id,
            request_hash: item.request_hash,
            correlation_id: item.correlation_id,
            causation_id: item.causation_id,
            actor: item.actor,
            occurred_at: item.occurred_at,
        },
    })
}

#[cfg(test)]
mod tests {
    use eventsourcing::contract::attribute;
    use eventsourcing::testing::tally::{Tally, TallyEvent};
    use serde_json::{Value, json};

    use super::*;
    use crate::{archive, waves::Record};

    fn commit() -> Commit {
        let time = "2026-11-21T19:02:03.123456Z".parse();
        let context = Context::new(Uuid::from_u128(2), time.expect("the time is well-formed"));
        let events = [TallyEvent::TallyOpened {}, TallyEvent::Counted { what: "tea".to_owned(), times: 2 }];
        let id = AggregateId::of::<Tally>(Uuid::from_u128(1));
        let mut n = 2;
        let new_id = || {
            n += 1;
            Uuid::from_u128(n)
        };
        Commit::of(id, 4, &events, context, new_id).expect("the events can be stored")
    }

    /// Returns the item in the JSON notation of DynamoDB and its streams.
    fn notation(commit: &Commit) -> Value {
        let item: serde_dynamo::Item = to_item(commit).expect("a commit can be stored as an item").into();
        json!(item)
    }

    #[test]
    fn item_has_the_agreed_attributes() {
        let event = |id: u128, kind: &str, data: &str| {
            json!({"M": {
                "Id": {"S": Uuid::from_u128(id)},
                "Type": {"S": kind},
                "SchemaVersion": {"N": "1"},
                "Data": {"S": data},
            }})
        };
        assert_eq!(
            notation(&commit()),
            json!({
                attribute::AGGREGATE_ID: {"S": "tally#00000000-0000-0000-0000-000000000001"},
                attribute::VERSION: {"N": "5"},
                "Events": {"L": [
                    event(3, "TallyOpened", "{}"),
                    event(4, "Counted", r#"{"times":2,"what":"tea"}"#),
                ]},
                "CommandId": {"S": Uuid::from_u128(2)},
                "RequestHash": {"S": "00000000000000000000000000000000"},
                "CorrelationId": {"S": Uuid::from_u128(2)},
                "OccurredAt": {"S": "2026-11-21T19:02:03.123456Z"},
            })
        );
    }

    #[test]
    fn commit_is_read_as_it_was_written() {
        let mut full = commit();
        full.context.causation_id = Some(Uuid::from_u128(9));
        full.context.actor = Some("zoë".to_owned());
        full.context.request_hash = RequestHash::of("count", &Default::default());
        for commit in [commit(), full] {
            let item = to_item(&commit).expect("a commit can be stored as an item");
            assert_eq!(from_item(item).expect("the item is a commit"), commit);
        }
    }

    /// Another writer may have stored numbers in a form that this release does not write.
    #[test]
    fn numbers_keep_their_text_from_item_to_archive() {
        let numbers = r#"{"all":[1e400,12345678901234567890123,9007199254740993,1.0,-0,1E2]}"#;
        let mut commit = commit();
        commit.version = (1 << 53) + 1;
        commit.events.truncate(1);
        let numbers = JsonText::parse(numbers.to_owned()).expect("the text is JSON");
        commit.events[0].data = numbers.clone();
        commit.events[0].more = [("added_later".to_owned(), numbers)].into();
        let stored: serde_dynamo::Item = to_item(&commit).expect("a commit can be stored as an item").into();
        // Streams and scans return an item as JSON.
        let stored = serde_json::from_str::<serde_dynamo::Item>(&json!(stored).to_string());
        let read = from_item(stored.expect("the JSON is an item")).expect("the item is a commit");
        assert_eq!(read, commit);

        let record = Record::of(&read.into_envelopes().next().expect("there is an event"));
        let object = archive::compress([record.data.as_slice()]).expect("events can be compressed");
        let events = archive::events(&object).expect("the object holds events");
        assert_eq!(Commit::from_envelopes(events).expect("the aggregate can be stored"), [commit]);
    }

    #[test]
    fn restored_commit_is_marked_and_otherwise_unchanged() {
        let at: OccurredAt = "2026-12-01T00:00:00.000000Z".parse().expect("the time is well-formed");
        let mut item = to_restored_item(&commit(), at).expect("a commit can be stored as an item");
        assert_eq!(from_item(item.clone()).expect("the item is a commit"), commit());
        let mark = item.remove(attribute::RESTORED);
        assert_eq!(mark, Some(AttributeValue::S(at.to_string())));
        assert_eq!(item, to_item(&commit()).expect("a commit can be stored as an item"));
    }

    /// Commits without a request hash come from an early form, which exists only in old tests.
    #[test]
    fn item_without_its_request_hash_is_refused() {
        let mut item = to_item(&commit()).expect("a commit can be stored as an item");
        item.remove("RequestHash");
        let reason = crate::fault::chain(&from_item(item).expect_err("the request hash is missing"));
        assert_eq!(reason, "the item does not have the attributes of a commit: missing field `RequestHash`");
    }

    #[test]
    fn item_that_is_no_commit_is_refused_with_reason() {
        let broken = |pointer: &str, value: Value| {
            let mut item = notation(&commit());
            *item.pointer_mut(pointer).expect("the item has the attribute") = value;
            let item: serde_dynamo::Item = serde_json::from_value(item).expect("the JSON is an item");
            crate::fault::chain(&from_item(item).expect_err("the item is not a valid commit"))
        };
        let reason = broken("/AggregateId/S", json!("tally-1"));
        assert!(reason.ends_with(r#""tally-1" is not an aggregate id like <type>#<uuid>"#), "{reason}");
        let reason = broken("/Events", json!({"L": []}));
        assert_eq!(reason, "the item has no events");
        assert_eq!(broken("/Version/N", json!("0")), "the item has version 0, and the first is 1");
        let reason = broken("/Events/L/0/M/Data/S", json!("{"));
        assert!(reason.contains("are not JSON: EOF while parsing"), "{reason}");
        let reason = broken("/OccurredAt/S", json!("yesterday"));
        assert!(reason.contains(r#""yesterday" is not a time"#), "{reason}");
        let reason = broken("/RequestHash/S", json!("5"));
        assert!(reason.contains(r#""5" is not a request hash"#), "{reason}");
        let reason = broken("/RequestHash", json!({"NULL": true}));
        assert!(reason.starts_with("the item does not have the attributes of a commit"), "{reason}");
        let reason = broken("/Version", json!({"S": "5"}));
        assert!(reason.starts_with("the item does not have the attributes of a commit"), "{reason}");
    }
}
