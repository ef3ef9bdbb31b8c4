//! Invoking a function: waits as long as it may run, and retries only if it certainly did not run.
//!
//! The SDK retries all errors that look transient, including a lost response and its own timeout
//! (aws-smithy-runtime, `client::retries::classifiers`). A function that had started would then run several
//! times.

use std::error::Error as StdError;
use std::time::Duration;

use aws_sdk_lambda::config::retry::{ClassifyRetry, RetryAction, RetryConfig};
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::error::SdkError;
use aws_sdk_lambda::operation::invoke::builders::InvokeFluentBuilder;
use aws_sdk_lambda::operation::invoke::{InvokeError, InvokeOutput};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use engine::error::Error;

use super::{ATTEMPTS, CONNECT_WITHIN, Called};

/// The time of a call beyond the function's timeout: for a cold start and the network. "Set the read timeout
/// of your client higher than the function timeout" (*Invoke*, Lambda API reference).
const INVOKE_MARGIN: Duration = Duration::from_secs(60);

/// The effect of running the function twice for one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repetition {
    /// No effect: the request only reads, or the second run finds the work of the first.
    Harmless,
    /// The effects of the first run are repeated.
    Harmful,
}

/// Why a function returned no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoAnswer {
    /// The error of the call.
    pub error: Error,
    /// Whether the function ran or is running.
    pub ran: Ran,
}

/// Whether a function without an answer ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ran {
    /// It did not run.
    No,
    /// It may have run.
    Unknown,
}

/// Invokes a function that can run for up to `runs_at_most`.
///
/// # Errors
/// Fails if no answer arrives, or if Lambda refuses the call.
pub async fn invoke(
    call: InvokeFluentBuilder,
    runs_at_most: Duration,
    repetition: Repetition,
) -> Result<InvokeOutput, NoAnswer> {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_WITHIN)
        .operation_attempt_timeout(runs_at_most + INVOKE_MARGIN)
        .build();
    let config = aws_sdk_lambda::Config::builder()
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS));
    let config = match repetition {
        Repetition::Harmless => config,
        Repetition::Harmful => config.retry_classifier(UnlessItRan),
    };
    let answer = call.customize().config_override(config).send().await;
    let ran = answer.as_ref().err().map(ran);
    answer.called().map_err(|error| NoAnswer { error, ran: ran.unwrap_or(Ran::Unknown) })
}

/// Forbids a retry if the function may have run.
#[derive(Debug)]
struct UnlessItRan;

impl ClassifyRetry for UnlessItRan {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let refused = context.response().is_some_and(|response| refused(response.status().as_u16()));
        let error = context.output_or_error().and_then(Result::err);
        let connector = error.and_then(|error| error.as_connector_error());
        if refused || connector.is_some_and(|error| never_connected(error)) {
            RetryAction::NoActionIndicated
        } else {
            RetryAction::RetryForbidden
        }
    }

    fn name(&self) -> &'static str {
        "UnlessItRan"
    }
}

fn ran(error: &SdkError<InvokeError, HttpResponse>) -> Ran {
    let did_not = match error {
        SdkError::ConstructionFailure(_) => true,
        SdkError::ServiceError(answer) => refused(answer.raw().status().as_u16()),
        // Missing credentials are also a failure of this kind.
        SdkError::DispatchFailure(failure) => failure
            .as_connector_error()
            .is_some_and(|error| never_connected(error) || error.is_user() || !on_the_way(error)),
        _ => false,
    };
    if did_not { Ran::No } else { Ran::Unknown }
}

/// Returns whether a status means that Lambda did not run the function: a client error, or throttling. A 5xx
/// can follow a run.
fn refused(status: u16) -> bool {
    (400..500).contains(&status)
}

/// Returns whether the connection failed to open, so that no request was sent.
fn never_connected(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|cause| {
        let error = cause.downcast_ref::<hyper_util::client::legacy::Error>();
        error.is_some_and(hyper_util::client::legacy::Error::is_connect)
    })
}

/// Returns whether the connection failed, and not an earlier step such as signing.
fn on_the_way(error: &aws_smithy_runtime_api::client::result::ConnectorError) -> bool {
    let of_http = |cause: &(dyn StdError + 'static)| cause.is::<hyper_util::client::legacy::Error>();
    error.is_io() || error.is_timeout() || error.as_other().is_some() || causes(error).any(of_http)
}

fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&cause| cause.source())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{Script, ScriptedAnswer, body, fault, late, lost, scope};
    use crate::{Aws, Credentials, Target};

    /// Invokes a function that can run for ten minutes. Returns the result and the number of calls.
    async fn called(repetition: Repetition, answers: &[ScriptedAnswer]) -> (Result<(), Ran>, usize) {
        let script = answers.iter().fold(Script::new(), |script, answer| script.on("Invoke", answer.clone()));
        let call = script.aws().lambda.invoke().function_name("f");
        let answer = invoke(call, Duration::from_secs(600), repetition).await;
        (answer.map(drop).map_err(|none| none.ran), script.calls().len())
    }

    #[tokio::test(start_paused = true)]
    async fn invocation_is_waited_for_up_to_the_function_timeout() {
        let nine_minutes = late(Duration::from_secs(540), body(json!({})));
        assert_eq!(called(Repetition::Harmful, &[nine_minutes]).await, (Ok(()), 1));
        let forever = late(Duration::from_secs(6000), body(json!({})));
        assert_eq!(called(Repetition::Harmful, &[forever]).await, (Err(Ran::Unknown), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn invocation_whose_answer_is_lost_is_not_repeated() {
        for answer in [lost(), fault(500, "ServiceException", "no"), fault(502, "EFSIOException", "no")] {
            let found = called(Repetition::Harmful, std::slice::from_ref(&answer)).await;
            assert_eq!(found, (Err(Ran::Unknown), 1), "{answer:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn invocation_that_did_not_run_is_repeated() {
        let throttled = || fault(429, "TooManyRequestsException", "Rate Exceeded.");
        let answers = [throttled(), throttled(), body(json!({}))];
        assert_eq!(called(Repetition::Harmful, &answers).await, (Ok(()), 3));
        assert_eq!(called(Repetition::Harmful, &[throttled()]).await, (Err(Ran::No), 4));
    }

    #[tokio::test]
    async fn invocation_without_a_connection_did_not_run() {
        // No server listens on the discard port.
        let endpoint = Some("http://127.0.0.1:9".to_owned());
        let credentials = Credentials::Fixed("test", "test");
        let target = Target { endpoint, credentials, call_log: None, read_only: None };
        let aws = Aws::connect(scope(), &target).await;
        let call = aws.lambda.invoke().function_name("f");
        let none =
            invoke(call, Duration::from_secs(3), Repetition::Harmful).await.expect_err("no server answers");
        assert_eq!(none.ran, Ran::No, "{}", none.error);
    }

    #[tokio::test(start_paused = true)]
    async fn invocation_that_is_refused_did_not_run() {
        for code in ["ResourceNotFoundException", "AccessDeniedException", "InvalidRequestContentException"] {
            let found = called(Repetition::Harmful, &[fault(400, code, "no")]).await;
            assert_eq!(found, (Err(Ran::No), 1), "{code}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn harmless_invocation_is_repeated_after_lost_answer() {
        assert_eq!(called(Repetition::Harmless, &[lost(), body(json!({}))]).await, (Ok(()), 2));
    }
}
