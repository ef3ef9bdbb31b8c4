//! The function `replay`: sends requests to it, and turns its refusals into errors with hints.

use std::time::Duration;

use aws_sdk_lambda::operation::invoke::InvokeOutput;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use engine::error::{Class, Error};
use eventsourcing::contract::REPLAY;
use eventsourcing::replay::{ControlAnswer, Reason, ReplayRefusal, ReplayStatus, Request};

use crate::exit::Problem;
use crate::render::Ui;
use crate::session::Session;
use aws::{Aws, NoAnswer, Ran, Repetition};

/// The function `replay` of an environment.
pub(super) struct ReplayFunction<'a> {
    aws: &'a Aws,
    name: String,
    runs_at_most: Duration,
    environment: &'a str,
    program: String,
}

/// A failed request.
#[derive(Debug)]
pub(super) struct InVain {
    /// What went wrong.
    pub(super) problem: Problem,
    /// Whether the same request may succeed later.
    pub(super) passes: bool,
}

impl From<InVain> for Problem {
    fn from(in_vain: InVain) -> Self {
        in_vain.problem
    }
}

impl<'a> ReplayFunction<'a> {
    /// Returns the function `replay` of this session's environment.
    pub(super) fn new(session: &'a Session, environment: &'a str, ui: &Ui) -> Self {
        let name = session.scope.name(REPLAY);
        let runs_at_most = session.runs_at_most(&name);
        Self { aws: &session.aws, name, runs_at_most, environment, program: ui.program() }
    }

    /// Sends a request, and returns the status of the replay.
    pub(super) async fn agreed(&self, request: Request) -> Result<ReplayStatus, InVain> {
        let answer = self.ask(&request).await?;
        let problem = match (answer.refused, answer.status) {
            (None, Some(status)) => return Ok(status),
            (Some(refused), _) => self.problem(refused),
            (None, None) => self.odd("it has no status"),
        };
        Err(InVain { problem, passes: false })
    }

    /// Sends a request, and waits for the response.
    pub(super) async fn ask(&self, request: &Request) -> Result<ControlAnswer, InVain> {
        let answer = self.invoke(request, InvocationType::RequestResponse).await?;
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        if let Some(kind) = answer.function_error {
            let logs = format!("`{} logs {} {}` shows more", self.program, self.environment, REPLAY);
            let error_text = String::from_utf8_lossy(&payload).into_owned();
            let problem =
                Problem::new(format!("{} failed ({kind})", self.name)).details([error_text]).hint(logs);
            return Err(InVain { problem, passes: true });
        }
        let odd = |error: serde_json::Error| InVain { problem: self.odd(&error.to_string()), passes: false };
        serde_json::from_slice(&payload).map_err(odd)
    }

    /// Sends a request without waiting for the response.
    pub(super) async fn leave(&self, request: &Request) -> Result<(), Problem> {
        Ok(self.invoke(request, InvocationType::Event).await.map(drop)?)
    }

    /// Returns the error for a refusal.
    pub(super) fn problem(&self, refused: ReplayRefusal) -> Problem {
        let ReplayRefusal { error, message } = refused;
        match error {
            Reason::InvalidRequest | Reason::UnknownHandler => Problem::usage(message),
            Reason::HandlerHasSideEffects => Problem::new(format!("{message}; nothing was delivered"))
                .hint("to replay anyway, add --repeat-side-effects"),
            Reason::HandlerFailed => Problem::new(message)
                .hint(format!("`{} logs {}` shows its log", self.program, self.environment)),
            Reason::AlreadyRunning | Reason::NoReplay => Problem::new(message),
        }
    }

    /// Returns the error for a response that this release does not understand.
    pub(super) fn odd(&self, what: &str) -> Problem {
        let up = format!(
            "`{} up {}` deploys the version that matches this program",
            self.program, self.environment
        );
        Problem::new(format!("unexpected response from {}: {what}", self.name)).hint(up)
    }

    async fn invoke(&self, request: &Request, kind: InvocationType) -> Result<InvokeOutput, InVain> {
        let payload = serde_json::to_vec(request).expect("a request can be written as JSON");
        let call = self.aws.lambda.invoke().function_name(&self.name).payload(Blob::new(payload));
        let repetition = match (&kind, request) {
            // If the first call started a replay, a second one is refused.
            (InvocationType::RequestResponse, Request::Start(_)) => Repetition::Harmful,
            _ => Repetition::Harmless,
        };
        let answer = aws::invoke(call.invocation_type(kind), self.runs_at_most, repetition).await;
        answer.map_err(|NoAnswer { error, ran }| {
            if repetition == Repetition::Harmful && ran == Ran::Unknown {
                return InVain { problem: self.unknown(&error), passes: false };
            }
            // Other errors may pass: a network may come back, and credentials may be renewed.
            let passes = !matches!(error.class, Class::Denied | Class::Gone);
            let up = || format!("`{} up {}` deploys it", self.program, self.environment);
            InVain { problem: Problem::of_call(error, up), passes }
        })
    }

    /// Returns the error for a lost response to a start request.
    fn unknown(&self, error: &Error) -> Problem {
        Problem::new(format!("the replay may have started; the response of {} was lost: {error}", self.name))
            .hint(format!(
                "`{} replay {} <handler> --status` shows whether it runs; if not, run the same command again",
                self.program, self.environment
            ))
    }
}

#[cfg(test)]
mod tests {
    use eventsourcing::replay::Which;

    use super::*;
    use aws::testing::{Script, ScriptedAnswer, body, fault};

    /// Requests a status, and returns whether the same request may succeed later.
    async fn passes(answer: ScriptedAnswer) -> bool {
        let aws = Script::new().on("Invoke", answer).aws();
        let function = ReplayFunction {
            aws: &aws,
            name: "demo-dev-replay".into(),
            runs_at_most: Duration::from_secs(900),
            environment: "dev",
            program: "d".into(),
        };
        let which = Which { handler: "log-events".into(), dry_run: false };
        function.agreed(Request::Status(which)).await.expect_err("no response has a status").passes
    }

    #[tokio::test]
    async fn replay_call_retries_lost_answers_but_not_refusals() {
        let failed = body(r#"{"errorType": "Sandbox.Timedout"}"#).header("X-Amz-Function-Error", "Unhandled");
        for lost in
            [fault(500, "ServiceException", "no"), fault(429, "TooManyRequestsException", "no"), failed]
        {
            assert!(passes(lost.clone()).await, "{lost:?}");
        }
        let refused = body(r#"{"refused": {"error": "no_replay", "message": "there is none"}}"#);
        for answer in [
            fault(403, "AccessDeniedException", "no"),
            fault(404, "ResourceNotFoundException", "no"),
            refused,
            body("{}"),
            body("[]"),
        ] {
            assert!(!passes(answer.clone()).await, "{answer:?}");
        }
    }
}
