//! Every permission is needed: without it, a function's own calls fail.
//!
//! Lambda's calls on a function's behalf are not enforced by any local cloud; the deployer's unit tests
//! compare those statements with Lambda's documentation.

use std::collections::{BTreeMap, BTreeSet};

use acceptance::{Cloud, Deployed, until};
use aws::AwsNames;
use aws::policy::Policy;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::Test;

pub(crate) const TESTS: &[Test] = &[("function_needs_each_of_its_grants", function_needs_each_of_its_grants)];

/// A function, a statement of its role, and a request that needs this statement.
type Row = (&'static str, &'static str, fn(&Deployed<'_>) -> Value);

/// Every statement that a function needs for its own calls.
const USED: &[Row] = &[
    ("open-cart", "LoadEvents", |_| json!({})),
    ("open-cart", "AppendEvents", |_| json!({})),
    ("add-item", "LoadEvents", an_item),
    ("add-item", "AppendEvents", an_item),
    ("close-cart", "LoadEvents", an_open_cart),
    ("close-cart", "AppendEvents", an_open_cart),
    ("get-cart", "LoadEvents", an_open_cart),
    ("capture", "PublishEvents", |_| inserted(&commit())),
    ("capture", "WriteArchiveFailed", |_| inserted(&json!({"AggregateId": {"S": "by hand"}}))),
    ("log-events", "WriteArchiveFailed", |_| delivered("poison")),
    ("archive", "WriteArchiveEvents", |_| delivered(&envelope().to_string())),
    ("archive", "WriteArchiveFailed", |_| delivered("poison")),
    ("replay", "GetArchiveReplays", |_| json!({"do": "status", "handler": "log-events"})),
    ("replay", "WriteArchiveReplays", |up| a_replay(up, "archive")),
    ("replay", "BrowseArchive", |up| a_replay(up, "archive")),
    ("replay", "InvokeLogEvents", |up| a_replay(up, "archive")),
    ("replay", "InvokeReplay", |up| a_replay(up, "archive")),
    ("replay", "GetArchiveEvents", |up| a_replay_that_runs(up, "archive")),
    ("replay", "ScanEvents", |up| a_replay_that_runs(up, "table")),
];

/// The statements for Lambda's calls on behalf of a function.
const ERRANDS: &[&str] = &[
    "StoreDiscardedBatchesInArchive",
    "ListArchive",
    "ListStreamsForStreamEvents",
    "ListStreamsForTableEvents",
    "PollStreamEvents",
    "PollTableEvents",
    "WriteLogs",
];

/// The actions for which AWS has no resource types.
const WITHOUT_RESOURCE: &[&str] = &["dynamodb:ListStreams", "kinesis:ListStreams"];

/// Removes each statement of each role in turn. A new statement that is in neither list fails the test, and
/// so does a listed one that does not exist.
fn function_needs_each_of_its_grants(cloud: &Cloud) {
    let place = cloud.place();
    // A denied call is retried until the function's timeout, so the timeout is short.
    place.environment("local", "[functions]\ntimeout_s = 5\n\n[local]\nport = 4566\n");
    let up = Deployed::local(&place);
    let roles = Roles::read(&up);
    roles.hold_what_is_listed();

    for (function, sid, request) in USED {
        let call = |request: &Value| up.wait(up.call(function, request));
        let works = |when: &str| match call(&request(&up)) {
            Ok(answer) => assert_eq!(answer.get("error"), None, "{function} {when}: {answer}"),
            Err(fault) => panic!("{function} failed {when}: {fault}"),
        };
        works("with all of its grants");
        let action = roles.without(&up, function, sid);
        let request = request(&up);
        let fault = until(&format!("{function} to fail without {sid}"), || match call(&request) {
            Err(fault) => Some(fault),
            Ok(answer) => {
                let status = &answer["status"];
                let problem = status["problem"].as_str().map(str::to_owned);
                // Another runner of the replay is at work: it will meet the error, or has just met it.
                let waiting = problem.is_some() || status["state"] == "running";
                assert!(waiting, "{function} works without {sid}: {answer}");
                problem
            }
        });
        assert!(fault.contains("AccessDenied") && fault.contains(&action), "{function} {sid}: {fault}");
        roles.restore(&up, function);
        works("with its grants restored");
    }
}

/// The inline policies of the roles of the stack's functions.
struct Roles(BTreeMap<String, (String, Value)>);

impl Roles {
    /// Reads the policies, and checks that the roles have no other permissions.
    fn read(up: &Deployed<'_>) -> Self {
        let (iam, scope) = (&up.aws.iam, &up.aws.scope);
        let mut roles = BTreeMap::new();
        let listed = up.wait(iam.list_roles().path_prefix(scope.role_path()).send());
        for role in listed.expect("roles can be listed").roles {
            let name = role.role_name;
            let attached = up.wait(iam.list_attached_role_policies().role_name(&name).send());
            let attached = attached.expect("policies can be listed").attached_policies.unwrap_or_default();
            assert_eq!(attached, [], "{name}");
            let inline = up.wait(iam.list_role_policies().role_name(&name).send());
            let inline = inline.expect("policies can be listed").policy_names;
            let [policy] = inline.as_slice() else { panic!("{name} has the policies {inline:?}") };
            let document = up.wait(iam.get_role_policy().role_name(&name).policy_name(policy).send());
            let document = document.expect("a listed policy can be read").policy_document;
            let document = Policy::parse(&document).expect("AWS returns documents as JSON").to_json();
            let document = serde_json::from_str(&document).expect("the document is JSON");
            let function = name.strip_prefix(&scope.prefix());
            let function = function.and_then(|name| name.strip_suffix(&format!("-{}", scope.region)));
            let function = function.expect("roles are named by function and region").to_owned();
            roles.insert(function, (policy.clone(), document));
        }
        Self(roles)
    }

    /// Checks that each statement is listed above, and that none grants access to all resources.
    fn hold_what_is_listed(&self) {
        let mut used = BTreeSet::new();
        let mut errands = BTreeSet::new();
        for (function, (_, document)) in &self.0 {
            for statement in document["Statement"].as_array().expect("statements are a list") {
                let sid = statement["Sid"].as_str().unwrap_or_else(|| panic!("{function}: {statement}"));
                let (actions, resources) = (texts(&statement["Action"]), texts(&statement["Resource"]));
                let known = actions.iter().any(|action| !WITHOUT_RESOURCE.contains(&action.as_str()));
                assert!(!(known && resources.contains(&"*".to_owned())), "{function}: {statement}");
                assert!(!actions.iter().any(|action| action.contains('*')), "{function}: {statement}");
                if ERRANDS.contains(&sid) {
                    errands.insert(sid);
                } else {
                    assert!(used.insert((function.as_str(), sid)), "{function} has two statements {sid}");
                }
            }
        }
        assert_eq!(used, USED.iter().map(|(function, sid, _)| (*function, *sid)).collect());
        assert_eq!(errands, ERRANDS.iter().copied().collect());
    }

    /// Removes a statement from a role, and returns the action that it allowed.
    fn without(&self, up: &Deployed<'_>, function: &str, sid: &str) -> String {
        let mut document = self.0[function].1.clone();
        let statements = document["Statement"].as_array_mut().expect("statements are a list");
        let position = statements.iter().position(|statement| statement["Sid"] == sid);
        let taken = statements.remove(position.expect("the statement was just read"));
        self.put(up, function, &document);
        texts(&taken["Action"]).join(" and ")
    }

    fn restore(&self, up: &Deployed<'_>, function: &str) {
        self.put(up, function, &self.0[function].1);
    }

    fn put(&self, up: &Deployed<'_>, function: &str, document: &Value) {
        let put = up.aws.iam.put_role_policy().role_name(up.aws.scope.role_name(function));
        let put = put.policy_name(&self.0[function].0).policy_document(document.to_string()).send();
        up.wait(put).expect("root may change policies");
    }
}

/// Returns a text, or a list of texts, as a list.
fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn an_open_cart(up: &Deployed<'_>) -> Value {
    json!({"cart_id": up.answer("open-cart", &json!({}))["cart_id"]})
}

fn an_item(up: &Deployed<'_>) -> Value {
    let mut request = an_open_cart(up);
    request["item"] = json!("tea");
    request
}

/// Returns an order for a dry run: a new one replaces the previous one.
fn a_replay(up: &Deployed<'_>, from: &str) -> Value {
    let id = &an_open_cart(up)["cart_id"];
    json!({
        "do": "start", "handler": "log-events", "id": id, "by": "test", "rate": 1000, "from": from, "dry_run": true,
    })
}

/// Returns the request for a runner of a replay that was started and may have failed.
fn a_replay_that_runs(up: &Deployed<'_>, from: &str) -> Value {
    let order = a_replay(up, from);
    // Reading an archive without objects needs no permission to read an object.
    until("an event in the archive", || (!up.archived().is_empty()).then_some(()));
    let started = up.answer("replay", &order);
    let order = &started["status"]["order"];
    json!({"do": "continue", "handler": "log-events", "id": order["id"], "dry_run": true})
}

const ID: &str = "01997d2e-8a3b-7c11-9f0e-6b1d5a2c4e70";
const TIME: &str = "2026-11-21T19:02:03.123456Z";
const HASH: &str = "00000000000000000000000000000000";

/// Returns an item of the events table.
fn commit() -> Value {
    let event = json!({
        "Id": {"S": ID}, "Type": {"S": "CartOpened"}, "SchemaVersion": {"N": "1"}, "Data": {"S": "{}"},
    });
    json!({
        "AggregateId": {"S": format!("cart#{ID}")}, "Version": {"N": "1"}, "Events": {"L": [{"M": event}]},
        "CommandId": {"S": ID}, "RequestHash": {"S": HASH}, "CorrelationId": {"S": ID},
        "OccurredAt": {"S": TIME},
    })
}

fn envelope() -> Value {
    json!({
        "id": ID, "type": "CartOpened", "schema_version": 1, "data": {}, "aggregate_type": "cart",
        "aggregate_id": ID, "version": 1, "occurred_at": TIME, "command_id": ID, "correlation_id": ID,
        "request_hash": HASH,
    })
}

/// Returns the input of capture when an item is inserted.
fn inserted(item: &Value) -> Value {
    json!({"Records": [{
        "eventID": "by-hand", "eventName": "INSERT", "eventVersion": "1.1", "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1", "eventSourceARN": "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/s",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_795_287_723, "Keys": {"AggregateId": item["AggregateId"]},
            "NewImage": item, "SequenceNumber": "1", "SizeBytes": 1, "StreamViewType": "NEW_IMAGE",
        },
    }]})
}

/// Returns the input of a consumer of the stream.
fn delivered(data: &str) -> Value {
    json!({"Records": [{
        "eventID": "shardId-000000000000:1", "eventName": "aws:kinesis:record", "eventVersion": "1.0",
        "eventSource": "aws:kinesis", "awsRegion": "us-east-1", "invokeIdentityArn": "arn:aws:iam::000000000000:role/r",
        "eventSourceARN": "arn:aws:kinesis:us-east-1:000000000000:stream/s",
        "kinesis": {
            "partitionKey": ID, "sequenceNumber": "1", "data": STANDARD.encode(data),
            "approximateArrivalTimestamp": 1_795_287_723.123, "kinesisSchemaVersion": "1.0",
        },
    }]})
}
