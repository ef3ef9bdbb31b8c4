//! Requests by the URL of a function get the answers of direct invocations, with a status.

use base64::{Engine, engine::general_purpose::STANDARD};
use eventsourcing::{
    Answer, InMemoryStore, Refusal, Repo, Request,
    testing::tally::{Tally, TallyCommand, TallyError},
};
use lambda_runtime::LambdaEvent;
use runtime::{
    Fault, command, function_url, query,
    request::Fields,
    surroundings::Machine,
    testing::{invocation, tally},
};
use serde_json::{Value, json};
use uuid::Uuid;

fn open(payload: Value, default_id: Uuid) -> Result<Request<TallyCommand>, Refusal> {
    let fields = Fields::of_command("open-tally", payload, &["tally_id"])?;
    let (id, command_id) = (fields.required_id("tally_id")?, fields.command_id(default_id)?);
    fields.request(id, TallyCommand::Open, command_id)
}

fn close(payload: Value, default_id: Uuid) -> Result<Request<TallyCommand>, Refusal> {
    let fields = Fields::of_command("close-tally", payload, &["tally_id"])?;
    let (id, command_id) = (fields.required_id("tally_id")?, fields.command_id(default_id)?);
    fields.request(id, TallyCommand::Close, command_id)
}

/// Returns the event for this HTTP request, as in Lambda's developer guide.
fn http(method: &str, body: &str) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "id.lambda-url.eu-central-1.on.aws"},
        "requestContext": {
            "accountId": "111111111111",
            "apiId": "id",
            "authorizer": {"iam": {
                "accessKey": "AKIAIOSFODNN7EXAMPLE", "accountId": "111111111111", "callerId": "AIDACKCEVSQ6C2EXAMPLE",
                "cognitoIdentity": null, "principalOrgId": "o-1", "userArn": "arn:aws:iam::111111111111:user/ann",
                "userId": "AIDACKCEVSQ6C2EXAMPLE",
            }},
            "domainName": "id.lambda-url.eu-central-1.on.aws",
            "domainPrefix": "id",
            "http": {
                "method": method, "path": "/", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.1",
                "userAgent": "curl/8.5.0",
            },
            "requestId": "e1506fd5-9e7b-434f-bd42-4f8fa224b599",
            "routeKey": "$default",
            "stage": "$default",
            "time": "12/Mar/2026:19:03:58 +0000",
            "timeEpoch": 1_773_342_238_000_i64,
        },
        "body": body,
        "isBase64Encoded": false,
    })
}

async fn command(repo: &Repo<Tally, InMemoryStore>, payload: Value) -> Value {
    let answer = |event| command::answer(repo, open, event, &Machine);
    json!(function_url::answer(invocation(payload, 30), answer).await.expect("no fault"))
}

async fn query(repo: &Repo<Tally, InMemoryStore>, payload: Value) -> Value {
    let answer = |event| query::answer(repo, event);
    json!(function_url::answer(invocation(payload, 30), answer).await.expect("no fault"))
}

/// Returns the status and the answer in the body of a response.
fn answered(response: &Value) -> (i64, Value) {
    assert_eq!(response["headers"]["content-type"], "application/json");
    assert_eq!(response["isBase64Encoded"], false);
    let body = response["body"].as_str().expect("a response has a body");
    (response["statusCode"].as_i64().expect("a status"), serde_json::from_str(body).expect("JSON"))
}

#[tokio::test]
async fn url_request_gets_the_answer_of_an_invocation() {
    let repo = Repo::new(InMemoryStore::new());
    let request = json!({"tally_id": tally(1)});
    let opened = command(&repo, http("POST", &request.to_string())).await;
    assert_eq!(answered(&opened), (200, json!({"tally_id": tally(1), "version": 1, "counts": {}})));
    let direct = query(&repo, request.clone()).await;
    assert_eq!(answered(&query(&repo, http("POST", &request.to_string())).await), (200, direct));
}

/// Lambda encodes bodies whose type is not that of a text, as by `curl --data`.
#[tokio::test]
async fn encoded_body_is_decoded() {
    let repo = Repo::new(InMemoryStore::new());
    let mut event = http("POST", &STANDARD.encode(json!({"tally_id": tally(1)}).to_string()));
    event["isBase64Encoded"] = true.into();
    assert_eq!(answered(&command(&repo, event).await).0, 200);
}

#[tokio::test]
async fn refusals_by_url_have_a_status() {
    let repo = Repo::new(InMemoryStore::new());
    let refused = |response: Value| {
        let (status, answer) = answered(&response);
        (status, answer["error"].as_str().expect("a refusal has a name").to_owned())
    };
    let missing = json!({"tally_id": tally(1)}).to_string();
    assert_eq!(refused(query(&repo, http("POST", &missing)).await), (404, "NotOpened".to_owned()));
    let closing = |event| command::answer(&repo, close, event, &Machine);
    let closed = function_url::answer(invocation(http("POST", &missing), 30), closing).await;
    let closed = json!(closed.expect("a broken rule is no fault"));
    assert_eq!(refused(closed), (404, "NotOpened".to_owned()));
    let no_id = http("POST", &json!({"tally_id": 1}).to_string());
    assert_eq!(refused(query(&repo, no_id).await), (400, "InvalidId".to_owned()));
    let mut bad_encoding = http("POST", "?");
    bad_encoding["isBase64Encoded"] = true.into();
    for event in [http("POST", "[]"), http("POST", ""), http("POST", "{"), bad_encoding] {
        assert_eq!(refused(query(&repo, event).await), (400, "InvalidRequest".to_owned()));
    }
    for (error, status) in
        [(TallyError::NotOpened, 404), (TallyError::Closed, 409), (TallyError::InvalidTimes, 400)]
    {
        let refusal = Refusal::rule::<Tally>(&error);
        let refusing = async |_| Ok(Answer::<Value>::from(refusal.clone()));
        let response = function_url::answer(invocation(http("POST", &missing), 30), refusing).await;
        let response = json!(response.expect("a broken rule is no fault"));
        assert_eq!(refused(response), (status, refusal.error.to_owned()));
    }
    let get = query(&repo, http("GET", &missing)).await;
    assert_eq!(get["headers"]["allow"], "POST");
    assert_eq!(refused(get), (405, "InvalidRequest".to_owned()));
}

/// Only an error of the function is counted by Lambda, and rings the alarm. Its URL does not show the message.
#[tokio::test]
async fn fault_by_url_is_an_error_of_the_function() {
    let answer = async |_: LambdaEvent<Value>| Err::<Answer<()>, _>(Fault::new("out of reach"));
    let fault = function_url::answer(invocation(http("POST", "{}"), 30), answer).await;
    assert_eq!(fault.expect_err("the function fails").to_string(), "out of reach");
}
