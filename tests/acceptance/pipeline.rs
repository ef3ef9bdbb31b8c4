//! From a command to all consumers of its events, through all functions.

use std::collections::{BTreeMap, BTreeSet};

use acceptance::{Cloud, Deployed, Place, Record, until};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_kinesis::primitives::Blob;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use eventsourcing::{OccurredAt, RequestHash};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Test;

pub(crate) const TESTS: &[Test] = &[
    ("events_come_out_once_everywhere", events_come_out_once_everywhere),
    ("bad_requests_are_answered", bad_requests_are_answered),
    ("pipeline_quarantines_non_events_and_goes_on", pipeline_quarantines_non_events_and_goes_on),
];

const CONVERSATION: &str = "01997d2e-8a3b-7c11-9f0e-6b1d5a2c4e70";

/// The life of a cart, with the deployer's own commands: each event is one Kinesis record, one log line and
/// one archived line, in order. The names are those that `outputs` prints.
fn events_come_out_once_everywhere(cloud: &Cloud) {
    let place = cloud.place();
    let up = Deployed::local(&place);
    assert_eq!(names_that_exist(&place), names_by_outputs(&place));

    let cart = place.invoke("local", "open-cart", &json!({}))["cart_id"].clone();
    let add = |item, quantity| {
        let request = json!({
            "cart_id": cart, "item": item, "quantity": quantity,
            "actor": "zoë", "correlation_id": CONVERSATION,
        });
        place.invoke("local", "add-item", &request)
    };
    add("Earl Grey, 250 g", 2);
    add("🛒 \"trolley\"", 1);
    add("Earl Grey, 250 g", 3);
    let items = json!([
        {"item": "Earl Grey, 250 g", "quantity": 5},
        {"item": "🛒 \"trolley\"", "quantity": 1},
    ]);
    let open = json!({"cart_id": cart, "version": 4, "status": "open", "items": items});
    assert_eq!(place.invoke("local", "get-cart", &json!({"cart_id": cart})), open);
    let closed = json!({"cart_id": cart, "version": 5, "status": "closed", "items": items});
    assert_eq!(place.invoke("local", "close-cart", &json!({"cart_id": cart})), closed);
    // `invoke` requires exit code 0: a violated rule is an answer.
    assert_eq!(add("too late", 1)["error"], "CartClosed");

    let records = until("each event in the archive and the log", || {
        let through = up.archived().len() >= 5 && events_logged(&up).len() >= 5;
        through.then(|| up.records())
    });
    let envelopes: Vec<Value> = records.iter().map(envelope).collect();
    let expected = [
        log_line(&cart, 1, "CartOpened", json!({})),
        log_line(&cart, 2, "ItemAdded", json!({"item": "Earl Grey, 250 g", "quantity": 2})),
        log_line(&cart, 3, "ItemAdded", json!({"item": "🛒 \"trolley\"", "quantity": 1})),
        log_line(&cart, 4, "ItemAdded", json!({"item": "Earl Grey, 250 g", "quantity": 3})),
        log_line(&cart, 5, "CartClosed", json!({ "items": items })),
    ];
    assert_eq!(envelopes.iter().map(without_what_is_random).collect::<Vec<_>>(), expected);
    let ids: BTreeSet<String> = envelopes.iter().map(|envelope| envelope["id"].to_string()).collect();
    assert_eq!(ids.len(), envelopes.len(), "no two events share an id");
    for record in &records {
        assert_eq!(json!(record.key), cart, "the records of a cart share its key");
        assert_eq!(record.data, envelope(record).to_string(), "the JSON is canonical");
    }

    let published: Vec<String> = records.iter().map(|record| record.data.clone()).collect();
    assert_eq!(up.archived(), published, "the archive contains the published bytes");
    let logged: Vec<Value> = events_logged(&up).iter().map(|line| line["event_id"].clone()).collect();
    assert_eq!(logged, envelopes.iter().map(|event| event["id"].clone()).collect::<Vec<_>>());
    let keys: Vec<String> = up.objects("").into_iter().map(|(key, _)| key).collect();
    let archive = |key: &String| {
        let parts: Vec<&str> = key.split('/').collect();
        matches!(parts[..], ["events", date, hour, object] if date.starts_with("dt=")
            && hour.starts_with("hour=") && object.starts_with("shardId-") && object.ends_with(".ndjson.gz"))
    };
    assert!(keys.iter().all(archive), "{keys:?}");
}

/// An invalid request is answered with a reason, and is never an error of the function.
fn bad_requests_are_answered(cloud: &Cloud) {
    let place = cloud.place();
    let up = Deployed::local(&place);
    let cart = up.answer("open-cart", &json!({}))["cart_id"].clone();
    let unknown = CONVERSATION;
    let cases = [
        ("open-cart", json!({"cart": cart}), "InvalidRequest"),
        ("open-cart", json!({"cart_id": "mine"}), "InvalidId"),
        ("open-cart", json!([]), "InvalidRequest"),
        ("add-item", json!({"cart_id": cart, "item": "tea", "quantiy": 2}), "InvalidRequest"),
        ("add-item", json!({"cart_id": cart, "item": "tea", "quantity": "two"}), "InvalidRequest"),
        ("add-item", json!({"cart_id": cart}), "InvalidRequest"),
        ("add-item", json!({"cart_id": 7, "item": "tea"}), "InvalidId"),
        ("add-item", json!({"cart_id": cart, "item": "tea", "command_id": "1"}), "InvalidId"),
        ("add-item", json!({"cart_id": cart, "item": ""}), "InvalidItem"),
        ("add-item", json!({"cart_id": cart, "item": "x".repeat(201)}), "InvalidItem"),
        ("add-item", json!({"cart_id": cart, "item": "tea", "quantity": 0}), "InvalidItem"),
        ("add-item", json!({"cart_id": cart, "item": "tea", "quantity": 1000}), "InvalidItem"),
        ("add-item", json!({"cart_id": unknown, "item": "tea"}), "CartNotFound"),
        ("close-cart", json!({"cart_id": unknown}), "CartNotFound"),
        ("close-cart", json!(null), "InvalidRequest"),
        ("get-cart", json!({"cart_id": unknown}), "CartNotFound"),
        ("get-cart", json!({"cart_id": cart, "version": 1}), "InvalidRequest"),
        ("get-cart", json!({"cart_id": "cart#1"}), "InvalidId"),
    ];
    for (function, request, error) in cases {
        // `answer` panics if the function fails.
        let answer = up.answer(function, &request);
        assert_eq!(answer["error"], error, "{function} {request}: {answer}");
        assert!(answer["message"].as_str().is_some_and(|text| !text.is_empty()), "{answer}");
    }
    let cart = up.answer("get-cart", &json!({"cart_id": cart}));
    assert_eq!((&cart["version"], &cart["items"]), (&json!(1), &json!([])), "no request changed the cart");
}

/// An item that is not a commit and a record that is not an event are quarantined with the reason, and later
/// events are processed.
fn pipeline_quarantines_non_events_and_goes_on(cloud: &Cloud) {
    let place = cloud.place();
    let up = Deployed::local(&place);
    let (table, stream) = (up.aws.scope.name("events"), up.aws.scope.name("events"));
    let item = up.aws.dynamodb.put_item().table_name(table);
    let item = item.item("AggregateId", AttributeValue::S("by hand".into()));
    let item = item.item("Version", AttributeValue::N("1".into())).send();
    up.wait(item).expect("the table takes any item");
    let record = up.aws.kinesis.put_record().stream_name(stream).partition_key("by hand");
    up.wait(record.data(Blob::new("poison")).send()).expect("the stream takes any record");
    let later = up.answer("open-cart", &json!({}))["cart_id"].clone();

    until("the later event in the archive and the log", || {
        (up.archived().len() == 1 && events_logged(&up).len() == 1).then_some(())
    });
    let archived: Value = serde_json::from_str(&up.archived()[0]).expect("events are JSON");
    assert_eq!((&archived["aggregate_id"], &archived["type"]), (&later, &json!("CartOpened")));

    let mut kept = BTreeMap::new();
    for (key, body) in up.objects("failed/") {
        let object: Value = serde_json::from_slice(&body).expect("a quarantine object is JSON");
        let function = key.split('/').nth(1).unwrap_or_default().to_owned();
        assert_eq!(object["function"], function, "{key}");
        assert!(kept.insert(function, object).is_none(), "{key} exists twice");
    }
    assert_eq!(kept.keys().collect::<Vec<_>>(), ["archive", "capture", "log-events"]);
    let reason = |function: &str| kept[function]["reason"].as_str().unwrap_or_default().to_owned();
    assert!(reason("capture").starts_with("the record is not a commit: "), "{}", reason("capture"));
    assert_eq!(kept["capture"]["record"]["dynamodb"]["NewImage"]["AggregateId"], json!({"S": "by hand"}));
    for function in ["archive", "log-events"] {
        let reason = reason(function);
        assert!(reason.starts_with("the record is not an event in its envelope: "), "{reason}");
        assert_eq!(kept[function]["record"]["kinesis"]["data"], STANDARD.encode("poison"));
    }
}

fn envelope(record: &Record) -> Value {
    serde_json::from_str(&record.data).unwrap_or_else(|error| panic!("{error}: {record:?}"))
}

/// Returns the fields of an envelope that are not random.
fn log_line(cart: &Value, version: u64, kind: &str, data: Value) -> Value {
    let mut envelope = json!({
        "type": kind, "schema_version": 1, "data": data,
        "aggregate_type": "cart", "aggregate_id": cart, "version": version,
    });
    if kind == "ItemAdded" {
        envelope["actor"] = json!("zoë");
        envelope["correlation_id"] = json!(CONVERSATION);
    }
    envelope
}

/// Removes the random fields, and checks that they exist and are well-formed.
fn without_what_is_random(envelope: &Value) -> Value {
    let mut rest = envelope.clone();
    let fields = rest.as_object_mut().expect("an envelope is an object");
    let mut take = |field: &str| match fields.remove(field) {
        Some(Value::String(text)) => text,
        other => panic!("{field} of {envelope} is {other:?}"),
    };
    let time: Result<OccurredAt, _> = take("occurred_at").parse();
    assert!(time.is_ok(), "{envelope}");
    let hash = RequestHash::try_from(take("request_hash"));
    assert!(hash.is_ok_and(|hash| hash != RequestHash::default()), "{envelope}");
    let [_, command] =
        ["id", "command_id"].map(&mut take).map(|id| id.parse::<Uuid>().expect("ids are UUIDs"));
    // A command without a conversation starts one.
    if fields["correlation_id"] == json!(command) {
        fields.remove("correlation_id");
    }
    rest
}

/// Returns the lines that log-events wrote for events.
fn events_logged(up: &Deployed<'_>) -> Vec<Value> {
    up.logged("log-events").into_iter().filter(|line| line["message"] == "event").collect()
}

/// Returns kind and name of each line that `outputs` prints, in the format of the inventory.
fn names_by_outputs(place: &Place<'_>) -> BTreeSet<String> {
    let outputs = place.deploys(&["outputs", "local", "--format", "json"]);
    let outputs: Value = serde_json::from_str(&outputs.stdout).expect("JSON was asked for");
    let outputs = outputs["outputs"].as_array().expect("outputs are a list");
    let thing = |output: &Value| {
        let text = |field: &str| output[field].as_str().expect("outputs have kind and name").to_owned();
        let (kind, name) = (text("kind"), text("name"));
        // `logs.log-group` is a log group. A mapping has no name in AWS.
        let kind = kind.rsplit('.').next().unwrap_or_default().replace('-', " ");
        (kind != "event source mapping").then(|| format!("{kind} {name}"))
    };
    outputs.iter().filter_map(thing).collect()
}

/// Returns kind and name of all named resources in the account.
fn names_that_exist(place: &Place<'_>) -> BTreeSet<String> {
    place.inventory().into_keys().filter(|thing| !thing.starts_with("mapping ")).collect()
}
