//! Writes that the table throttles are counted in a custom metric, attempt by attempt.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Config, Credentials, Region, retry::RetryConfig},
};
use eventsourcing::EventStore;
use serde_json::json;
use storage::DynamoDbEventStore;

use crate::logged::{logged, of};
use runtime::testing::{commit, tally};

const TABLE: &str = "tally-dev-events";

/// Answers requests on a port of loopback, one after another, with these error codes; an empty code is a
/// success.
fn table(codes: &'static [&'static str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("it has an address");
    thread::spawn(move || {
        for (connection, code) in listener.incoming().zip(codes) {
            let mut connection = connection.expect("the client connects");
            read(&mut connection);
            let body = if code.is_empty() { json!({}) } else { json!({"__type": code}) }.to_string();
            let status = if code.is_empty() { "200 OK" } else { "400 Bad Request" };
            let length = body.len();
            let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
            connection.write_all((head + &body).as_bytes()).expect("the client listens");
        }
    });
    format!("http://{address}")
}

/// Reads a complete request.
fn read(connection: &mut TcpStream) {
    let mut request = Vec::new();
    let mut more = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.and_then(|length| length.trim().parse().ok()).unwrap_or_default();
            if body.len() >= length {
                return;
            }
        }
        let read = connection.read(&mut more).expect("the client sends");
        request.extend_from_slice(&more[..read]);
    }
}

fn store(endpoint: String) -> DynamoDbEventStore {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint);
    DynamoDbEventStore::new(Client::from_conf(config.build()), TABLE)
}

#[tokio::test]
async fn throttled_writes_are_counted_by_table() {
    let store = store(table(&["ProvisionedThroughputExceededException", "ThrottlingException", ""]));
    let (appended, lines) = logged(store.append(&commit(tally(1), 1..=1))).await;
    appended.expect("the SDK retries");
    let lines = of("the table refused a write", &lines);
    let [line, again] = lines.as_slice() else { panic!("expected a line for each refusal: {lines:?}") };
    assert_eq!(line["code"], "ProvisionedThroughputExceededException");
    assert_eq!(again["code"], "ThrottlingException");
    assert_eq!((&line["ThrottledWrites"], &line["TableName"]), (&json!(1), &json!(TABLE)));
    let metric = json!([{
        "Namespace": "EventPipeline",
        "Dimensions": [["TableName"]],
        "Metrics": [{"Name": "ThrottledWrites", "Unit": "Count"}],
    }]);
    assert_eq!(line["_aws"]["CloudWatchMetrics"], metric);
}

#[tokio::test]
async fn refused_writes_of_another_kind_are_not_counted() {
    let store = store(table(&["AccessDeniedException"]));
    let (appended, lines) = logged(store.append(&commit(tally(1), 1..=1))).await;
    appended.expect_err("the write is denied");
    assert_eq!(of("the table refused a write", &lines), [&json!(null); 0]);
}
