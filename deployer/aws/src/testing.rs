//! A scripted AWS for tests of a kind's requests, and of responses that no emulator gives.
//!
//! Only the network is replaced: the SDK serializes requests and parses responses. Tests that wait use
//! `#[tokio::test(start_paused = true)]`, and take no time.

mod cbor;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, Metadata};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::retry::RetryConfig;
use engine::error::Error;
use engine::resource::{Resource, changed};
use engine::scope::Scope;
use serde_json::{Value, json};

pub use engine::testing::scope;

#[cfg(feature = "sources")]
use super::resources::table::{KeyType, PrimaryKey};
use super::{Aws, Noted, Packages, log_lines};

/// One scripted response.
#[derive(Debug, Clone)]
pub struct ScriptedAnswer {
    after: Duration,
    status: u16,
    headers: Vec<(&'static str, String)>,
    says: Says,
}

#[derive(Debug, Clone)]
enum Says {
    Body(String),
    Fault {
        code: String,
        message: String,
    },
    /// No response: the connection broke.
    Nothing,
}

/// Returns a response with status 200 and this body.
pub fn body(body: impl ToString) -> ScriptedAnswer {
    answer(200, Says::Body(body.to_string()))
}

/// Returns an error response in the form of the service that is called.
pub fn fault(status: u16, code: &str, message: &str) -> ScriptedAnswer {
    answer(status, Says::Fault { code: code.to_owned(), message: message.to_owned() })
}

/// Returns a lost response: the connection breaks after the request.
pub fn lost() -> ScriptedAnswer {
    answer(0, Says::Nothing)
}

/// Returns a response that arrives after this time.
pub fn late(after: Duration, answer: ScriptedAnswer) -> ScriptedAnswer {
    ScriptedAnswer { after, ..answer }
}

fn answer(status: u16, says: Says) -> ScriptedAnswer {
    ScriptedAnswer { after: Duration::ZERO, status, headers: Vec::new(), says }
}

impl ScriptedAnswer {
    /// Returns the response with this header.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Returns the HTTP response or the connection error.
    async fn given(self, service: &str) -> Result<HttpResponse, ConnectorError> {
        if !self.after.is_zero() {
            tokio::time::sleep(self.after).await;
        }
        match self.says {
            Says::Nothing => {
                Err(ConnectorError::io(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into()))
            }
            _ => Ok(self.written(service)),
        }
    }

    fn written(self, service: &str) -> HttpResponse {
        let text = match &self.says {
            Says::Body(body) => body.clone(),
            Says::Fault { code, message } => match service {
                "S3" => format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"),
                "IAM" | "STS" => format!(
                    "<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error>\
                     <RequestId>request</RequestId></ErrorResponse>"
                ),
                _ => json!({"__type": code, "message": message}).to_string(),
            },
            Says::Nothing => String::new(),
        };
        let status = self.status.try_into().expect("the status is valid");
        // CloudWatch uses CBOR; the script is written in JSON.
        let body = match (service, serde_json::from_str(&text)) {
            ("CloudWatch", Ok(value)) => SdkBody::from(cbor::cbor(&value)),
            _ => SdkBody::from(text),
        };
        let mut response = HttpResponse::new(status, body);
        if service == "CloudWatch" {
            response.headers_mut().insert("smithy-protocol", "rpc-v2-cbor");
        }
        // Lambda's protocol has the error code in this header.
        if let Says::Fault { code, .. } = self.says {
            response.headers_mut().insert("x-amzn-errortype", code);
        }
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// One recorded request.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The operation, such as `CreateTable`.
    pub operation: String,
    /// The URI, with the query.
    pub uri: String,
    /// The HTTP headers.
    pub headers: BTreeMap<String, String>,
    /// The body: JSON, XML or a form.
    pub body: String,
}

/// A script of responses, and a record of the requests.
#[derive(Debug, Clone, Default)]
pub struct Script {
    answers: Arc<Mutex<BTreeMap<&'static str, VecDeque<ScriptedAnswer>>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    computed: Computed,
}

/// A function that returns the response to a request.
type Answering = Arc<dyn Fn(&Asked) -> ScriptedAnswer + Send + Sync>;

/// Responses that are computed from the request, by operation.
#[derive(Clone, Default)]
struct Computed(BTreeMap<&'static str, Answering>);

impl fmt::Debug for Computed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

impl Script {
    /// Returns a script without responses.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the script with one more response to this operation. Responses are used in this order, and the
    /// last one repeatedly. An operation without a response fails the test.
    pub fn on(self, operation: &'static str, answer: ScriptedAnswer) -> Self {
        self.answers.lock().expect("no lock is poisoned").entry(operation).or_default().push_back(answer);
        self
    }

    /// Returns the script with computed responses to this operation.
    pub fn by(
        mut self,
        operation: &'static str,
        answer: impl Fn(&Asked) -> ScriptedAnswer + Send + Sync + 'static,
    ) -> Self {
        self.computed.0.insert(operation, Arc::new(answer));
        self
    }

    /// Returns clients that use this script, for `demo-dev` in `eu-central-1`.
    pub fn aws(&self) -> Aws {
        self.aws_of(scope())
    }

    /// Returns clients that use this script, for this scope.
    pub fn aws_of(&self, scope: Scope) -> Aws {
        let script = self.clone();
        let http = http_client_fn(move |_, _| SharedHttpConnector::new(script.clone()));
        macro_rules! client {
            ($sdk:ident) => {
                $sdk::Client::from_conf(
                    $sdk::Config::builder()
                        .behavior_version($sdk::config::BehaviorVersion::latest())
                        .region($sdk::config::Region::new(scope.region.clone()))
                        .credentials_provider(aws_credential_types::Credentials::new(
                            "test", "test", None, None, "script",
                        ))
                        .retry_config(RetryConfig::disabled())
                        .http_client(http.clone())
                        .interceptor(Name)
                        .interceptor(Noted)
                        .build(),
                )
            };
        }
        Aws {
            cloudwatch: client!(aws_sdk_cloudwatch),
            dynamodb: client!(aws_sdk_dynamodb),
            iam: client!(aws_sdk_iam),
            kinesis: client!(aws_sdk_kinesis),
            lambda: client!(aws_sdk_lambda),
            logs: client!(aws_sdk_cloudwatchlogs),
            s3: client!(aws_sdk_s3),
            sts: client!(aws_sdk_sts),
            packages: Packages::default(),
            log_reads: log_lines::pace(),
            sweep: Arc::default(),
            scope,
        }
    }

    /// Returns the operations of all requests, in order.
    pub fn calls(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.operation).collect()
    }

    /// Returns the operations of all writing requests, in order.
    pub fn writes(&self) -> Vec<String> {
        let reads = ["Describe", "Get", "List", "Head"];
        let writes = self.calls().into_iter();
        writes.filter(|operation| !reads.iter().any(|read| operation.starts_with(read))).collect()
    }

    /// Returns all requests, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no lock is poisoned").clone()
    }

    /// Returns the JSON bodies of the requests to this operation, in order.
    pub fn sent(&self, operation: &str) -> Vec<Value> {
        let asked = self.asked().into_iter().filter(|asked| asked.operation == operation);
        asked.map(|asked| serde_json::from_str(&asked.body).expect("the body is JSON")).collect()
    }

    fn answer(&self, operation: &str) -> ScriptedAnswer {
        let mut answers = self.answers.lock().expect("no lock is poisoned");
        let answers = answers.get_mut(operation);
        let answers = answers.unwrap_or_else(|| panic!("the script has no response to {operation}"));
        match answers.len() {
            1 => answers[0].clone(),
            _ => answers.pop_front().expect("an operation in the script has a response"),
        }
    }
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let header = |name: &str| request.headers().get(name).unwrap_or_default().to_owned();
        let (operation, service) = (header(OPERATION), header(SERVICE));
        let body = request.body().bytes().unwrap_or_default();
        let asked = Asked {
            operation: operation.clone(),
            uri: request.uri().to_owned(),
            headers: request
                .headers()
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: String::from_utf8_lossy(body).into_owned(),
        };
        self.asked.lock().expect("no lock is poisoned").push(asked.clone());
        let answer = match self.computed.0.get(operation.as_str()) {
            Some(answer) => answer(&asked),
            None => self.answer(&operation),
        };
        HttpConnectorFuture::new(async move { answer.given(&service).await })
    }
}

const OPERATION: &str = "x-script-operation";
const SERVICE: &str = "x-script-service";

/// Adds service and operation to each request: every protocol of AWS has them in another place.
#[derive(Debug, Clone, Copy)]
struct Name;

impl Intercept for Name {
    fn name(&self) -> &'static str {
        "Name"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let metadata = config.load::<Metadata>().expect("every operation has a name");
        let headers = context.request_mut().headers_mut();
        headers.insert(OPERATION, metadata.name().to_owned());
        headers.insert(SERVICE, metadata.service().to_owned());
        Ok(())
    }
}

/// Returns the primary key of an events table.
#[cfg(feature = "sources")]
pub fn events_key() -> PrimaryKey {
    PrimaryKey::hash("Id", KeyType::String).range("Version", KeyType::Number)
}

/// Updates `live` in place to match `desired`, as the engine does.
///
/// # Errors
/// Returns the error of a failed call.
pub async fn update<R: Resource<Cloud = Aws>>(desired: &R, live: &R, aws: &Aws) -> Result<(), Error> {
    desired.update(live, &changed(live, desired), aws).await
}

#[cfg(test)]
mod tests {
    use engine::error::Class;

    use super::*;
    use crate::Called;

    #[tokio::test]
    async fn answers_come_in_order_and_the_last_one_stays() {
        let script = Script::new()
            .on("DescribeTable", fault(400, "ResourceNotFoundException", "not yet"))
            .on("DescribeTable", body(json!({"Table": {"TableStatus": "ACTIVE"}})));
        let aws = script.aws();
        let ask = async || aws.dynamodb.describe_table().table_name("t").send().await.called();
        assert_eq!(ask().await.expect_err("the first response is a fault").class, Class::Gone);
        assert!(ask().await.is_ok() && ask().await.is_ok());
        assert_eq!(script.calls(), ["DescribeTable"; 3]);
        assert_eq!(script.sent("DescribeTable")[0], json!({"TableName": "t"}));
    }

    #[tokio::test]
    async fn fault_has_the_form_of_its_service() {
        let script = Script::new()
            .on("GetRole", fault(404, "NoSuchEntity", "no such role"))
            .on("GetFunction", fault(404, "ResourceNotFoundException", "no such function"))
            .on("GetBucketPolicy", fault(404, "NoSuchBucketPolicy", "none"));
        let aws = script.aws();
        let errors = [
            aws.iam.get_role().role_name("r").send().await.called().map(drop),
            aws.lambda.get_function().function_name("f").send().await.called().map(drop),
            aws.s3.get_bucket_policy().bucket("b").send().await.called().map(drop),
        ];
        let codes = errors.map(|error| error.expect_err("the call fails").code.expect("a fault has a code"));
        assert_eq!(codes, ["NoSuchEntity", "ResourceNotFoundException", "NoSuchBucketPolicy"]);
    }
}
