//! Starts a function: its log, its settings, and the clients that all invocations share.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig, timeout::TimeoutConfig};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use eventsourcing::contract::{ARCHIVE_BUCKET, EVENT_STREAM, EVENTS_TABLE, HANDLERS, Variable};
use eventsourcing::{Aggregate, Answer, Repo};
use lambda_runtime::{LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use storage::{DynamoDbEventStore, bucket::S3Bucket, scan::EventsTable, stream::KinesisStream};

use crate::{
    failed::Failed,
    fault::Fault,
    function_url,
    invoke::Lambdas,
    log,
    replay::Replay,
    settings::{self, MissingVariable},
    surroundings::Machine,
};

/// The timeout of one attempt of a call.
///
/// Connections are frozen together with the function between two invocations, and a connection that died
/// meanwhile may not report it. Without this timeout, a call would hang until the function is cut off.
/// Repeating a call is safe: everything that is written here can be written twice.
const ATTEMPT: Duration = Duration::from_secs(5);

/// The longest timeout that a function can have ("Lambda quotas").
const LONGEST_INVOCATION: Duration = Duration::from_secs(15 * 60);

/// A function that has started.
#[derive(Debug)]
pub struct Start {
    /// The name of its binary.
    function: &'static str,
    aws: SdkConfig,
}

/// Starts the function with the binary of this name: initializes the log and prepares the AWS configuration.
pub async fn start(function: &'static str) -> Start {
    log::open();
    let https = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).build();
    let aws = aws_config::defaults(BehaviorVersion::latest())
        .http_client(https)
        .timeout_config(timeouts)
        .load()
        .await;
    Start { function, aws }
}

/// Handles invocations for the lifetime of the process.
pub async fn serve<I, O, F>(mut handle: impl FnMut(LambdaEvent<I>) -> F) -> Result<(), Fault>
where
    I: for<'de> Deserialize<'de>,
    O: Serialize,
    F: Future<Output = Result<O, Fault>>,
{
    // Boxed, because the nested futures of SDK calls and the runtime's layers exceed the compiler's recursion
    // limit.
    let handle = service_fn(|event| Box::pin(handle(event)));
    lambda_runtime::run(handle).await.map_err(Fault::new)
}

/// Answers requests for the lifetime of the process, by direct invocations and by the function's URL.
pub async fn serve_requests<V, F>(handle: impl Fn(LambdaEvent<Value>) -> F) -> Result<(), Fault>
where
    V: Serialize,
    F: Future<Output = Result<Answer<V>, Fault>>,
{
    serve(|event| function_url::answer(event, &handle)).await
}

impl Start {
    /// Returns the AWS configuration, for further clients.
    pub fn aws(&self) -> &SdkConfig {
        &self.aws
    }

    /// Returns the value of an environment variable that the stack sets.
    ///
    /// # Errors
    /// Fails if the variable is not set, or empty.
    pub fn setting(&self, variable: Variable) -> Result<String, MissingVariable> {
        settings::required(self.function, variable, std::env::var(variable.name()).ok())
    }

    /// Returns the repository of the aggregates of one type in the events table.
    pub fn repo<A: Aggregate>(&self) -> Result<Repo<A, DynamoDbEventStore>, MissingVariable> {
        let client = aws_sdk_dynamodb::Client::new(&self.aws);
        let table = self.setting(EVENTS_TABLE)?;
        Ok(Repo::new(DynamoDbEventStore::new(client, table)))
    }

    /// Returns the stream to which events are published.
    pub fn stream(&self) -> Result<KinesisStream, MissingVariable> {
        let client = aws_sdk_kinesis::Client::new(&self.aws);
        Ok(KinesisStream::new(client, self.setting(EVENT_STREAM)?))
    }

    /// Returns the replay of this environment's handlers.
    pub fn replay(&self) -> Result<Replay<S3Bucket, EventsTable, Lambdas, Machine>, Fault> {
        let handlers = self.setting(HANDLERS)?;
        Ok(Replay {
            bucket: self.bucket()?,
            table: EventsTable::new(aws_sdk_dynamodb::Client::new(&self.aws), self.setting(EVENTS_TABLE)?),
            invoke: self.functions()?,
            surroundings: Machine,
            handlers: handlers.split(',').map(str::to_owned).collect(),
        })
    }

    /// Returns the functions of this function's environment.
    fn functions(&self) -> Result<Lambdas, Fault> {
        // Lambda sets this variable. The names of all functions of an environment start with the same prefix.
        let own = std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default();
        let name = self.function;
        let prefix = own.strip_suffix(name).ok_or_else(|| {
            Fault::new(format!(
                "AWS_LAMBDA_FUNCTION_NAME is {own:?}, which does not end in {name}; Lambda sets this variable"
            ))
        })?;
        // A call lasts as long as the called function runs.
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(LONGEST_INVOCATION).build();
        let config = aws_sdk_lambda::config::Builder::from(&self.aws).timeout_config(timeouts);
        Ok(Lambdas::new(aws_sdk_lambda::Client::from_conf(config.build()), prefix))
    }

    /// Returns the quarantine of this function in the archive bucket.
    pub fn failed(&self) -> Result<Failed<S3Bucket>, MissingVariable> {
        Ok(Failed::new(self.bucket()?, self.function))
    }

    /// Returns a client of S3 that also reaches the buckets of a local cloud.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        // A local cloud does not resolve `<bucket>.localhost`.
        let by_path = self.aws.endpoint_url().is_some();
        let config = aws_sdk_s3::config::Builder::from(&self.aws).force_path_style(by_path);
        aws_sdk_s3::Client::from_conf(config.build())
    }

    /// Returns the bucket of the archive.
    fn bucket(&self) -> Result<S3Bucket, MissingVariable> {
        Ok(S3Bucket::new(self.s3(), self.setting(ARCHIVE_BUCKET)?))
    }
}
