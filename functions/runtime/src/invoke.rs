//! Calls functions, either waiting for the answer or asynchronously.

use std::error::Error;

use aws_sdk_lambda::{
    Client, error::SdkError, operation::invoke::InvokeError, primitives::Blob, types::InvocationType,
};
use thiserror::Error;

/// The result of calling a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The function's answer.
    Answer(Vec<u8>),
    /// The function failed, with this message: an error, a timeout or a crash.
    Failed(String),
}

/// Calls functions by the names of their binaries.
pub trait Invoke: Send + Sync {
    /// The reason why a function could not be called.
    type Error: Error + Send + Sync + 'static;

    /// Calls a function and waits for the result.
    fn call(
        &self,
        function: &str,
        payload: Vec<u8>,
    ) -> impl Future<Output = Result<Reply, Self::Error>> + Send;

    /// Sends an asynchronous request to a function. Lambda delivers it later, once or more often.
    fn send(&self, function: &str, payload: Vec<u8>) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// The Lambda functions of one environment.
#[derive(Debug, Clone)]
pub struct Lambdas {
    client: Client,
    prefix: String,
}

/// A call to Lambda failed.
#[derive(Debug, Error)]
#[error("invoking {function} failed")]
pub struct InvokeFailed {
    function: String,
    source: Box<SdkError<InvokeError>>,
}

impl Lambdas {
    /// Returns the functions whose names start with the prefix.
    pub fn new(client: Client, prefix: impl Into<String>) -> Self {
        Self { client, prefix: prefix.into() }
    }
}

impl Invoke for Lambdas {
    type Error = InvokeFailed;

    async fn call(&self, function: &str, payload: Vec<u8>) -> Result<Reply, InvokeFailed> {
        let function = format!("{}{function}", self.prefix);
        let invoke = self.client.invoke().function_name(&function).payload(Blob::new(payload));
        let answer = invoke.send().await;
        let answer = answer.map_err(|error| InvokeFailed { function, source: Box::new(error) })?;
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        // The call of a function that failed succeeds all the same, with status 200 ("Invoke", Lambda API
        // reference).
        Ok(match answer.function_error {
            None => Reply::Answer(payload),
            Some(kind) => Reply::Failed(format!("{kind}: {}", String::from_utf8_lossy(&payload))),
        })
    }

    async fn send(&self, function: &str, payload: Vec<u8>) -> Result<(), InvokeFailed> {
        let function = format!("{}{function}", self.prefix);
        let invoke = self.client.invoke().function_name(&function).payload(Blob::new(payload));
        let sent = invoke.invocation_type(InvocationType::Event).send().await;
        sent.map(drop).map_err(|error| InvokeFailed { function, source: Box::new(error) })
    }
}
