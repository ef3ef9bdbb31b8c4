//! Requests by the URL of a function: the body of an HTTP request is the request, and the body of the response
//! is the answer. Direct invocations are passed through, so callers can use both.
//!
//! An event of a URL has payload format 2.0 ("Invoking Lambda function URLs: Request and response payloads",
//! Lambda developer guide). No request has the fields of such an event: requests with unknown fields are
//! refused. The types of the crate `aws_lambda_events` are not used, because they switch on a feature of a crate
//! below the AWS SDK, which would then be compiled once for functions and once for the deployer.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use eventsourcing::{Answer, Refusal, RefusalKind};
use lambda_runtime::LambdaEvent;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fault::Fault;

/// The answer to an invocation: directly, or to an HTTP request.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Reply<V> {
    /// The answer to a direct invocation.
    Direct(Answer<V>),
    /// The response to a request by the URL.
    Http(HttpResponse),
}

/// The response to a request by the URL.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpResponse {
    status_code: u16,
    headers: BTreeMap<&'static str, &'static str>,
    body: String,
    is_base64_encoded: bool,
}

/// The parts of a request by the URL that matter here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HttpRequest {
    request_context: RequestContext,
    body: Option<String>,
    is_base64_encoded: bool,
}

#[derive(Debug, Deserialize)]
struct RequestContext {
    http: HttpContext,
}

#[derive(Debug, Deserialize)]
struct HttpContext {
    method: String,
}

/// Answers an invocation with a function over requests, whether it is direct or by the URL of the function.
///
/// # Errors
/// Returns the fault of the function. Lambda answers it by the URL with status 502 and without details, and
/// counts it as an error of the function, on which the alarm depends; an answer with status 500 would not
/// count.
pub async fn answer<V: Serialize, F>(
    event: LambdaEvent<Value>,
    answer: impl FnOnce(LambdaEvent<Value>) -> F,
) -> Result<Reply<V>, Fault>
where
    F: Future<Output = Result<Answer<V>, Fault>>,
{
    let LambdaEvent { payload, context } = event;
    if !is_http(&payload) {
        return answer(LambdaEvent::new(payload, context)).await.map(Reply::Direct);
    }
    let request: HttpRequest = serde_json::from_value(payload)?;
    if request.request_context.http.method != "POST" {
        let refusal = Refusal::invalid_request("the method must be POST, with the request as body");
        let mut response = response(405, &Answer::<V>::from(refusal))?;
        response.headers.insert("allow", "POST");
        return Ok(Reply::Http(response));
    }
    let answered = match body(&request) {
        Ok(body) => answer(LambdaEvent::new(body, context)).await?,
        Err(refusal) => refusal.into(),
    };
    response(status(&answered), &answered).map(Reply::Http)
}

fn is_http(payload: &Value) -> bool {
    payload["version"] == "2.0" && payload["requestContext"]["http"].is_object()
}

/// Returns the request in the body, which Lambda encodes unless its type is that of a text.
fn body(request: &HttpRequest) -> Result<Value, Refusal> {
    let wrong = |why: String| Refusal::invalid_request(format!("the body must be JSON: {why}"));
    let text = request.body.as_deref().unwrap_or_default();
    if !request.is_base64_encoded {
        return serde_json::from_str(text).map_err(|error| wrong(error.to_string()));
    }
    let bytes = STANDARD.decode(text).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))
}

fn status<V>(answer: &Answer<V>) -> u16 {
    match answer {
        Answer::View(_) => 200,
        Answer::Refusal(refusal) => match refusal.kind {
            RefusalKind::InvalidRequest => 400,
            RefusalKind::NotFound => 404,
            RefusalKind::Forbidden => 409,
        },
    }
}

fn response(status_code: u16, answer: &impl Serialize) -> Result<HttpResponse, Fault> {
    let headers = BTreeMap::from([("content-type", "application/json")]);
    Ok(HttpResponse { status_code, headers, body: serde_json::to_string(answer)?, is_base64_encoded: false })
}
