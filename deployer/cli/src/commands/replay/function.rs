//! The function that replays: what it is asked, and what its refusals mean here.

use std::time::Duration;

use aws_sdk_lambda::operation::invoke::InvokeOutput;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use engine::error::{Class, Error};
use eventsourcing::replay::{ControlAnswer, Reason, ReplayRefusal, ReplayStatus, Request};

use crate::exit::Problem;
use crate::render::Ui;
use crate::session::Session;
use aws::{Aws, NoAnswer, Ran, Repetition};

/// The function of an environment.
pub(super) struct ReplayFunction<'a> {
    aws: &'a Aws,
    name: String,
    thing: &'static str,
    runs_at_most: Duration,
    environment: &'a str,
    program: String,
}

/// Why it was asked in vain.
#[derive(Debug)]
pub(super) struct InVain {
    /// What went wrong.
    pub(super) problem: Problem,
    /// Whether it may answer when it is asked again.
    pub(super) passes: bool,
}

impl From<InVain> for Problem {
    fn from(in_vain: InVain) -> Self {
        in_vain.problem
    }
}

impl<'a> ReplayFunction<'a> {
    /// Returns the function of this session.
    pub(super) fn new(session: &'a Session, thing: &'static str, environment: &'a str, ui: &Ui) -> Self {
        let name = session.scope.name(thing);
        let runs_at_most = session.runs_at_most(&name);
        Self { aws: &session.aws, name, thing, runs_at_most, environment, program: ui.program() }
    }

    /// Asks it for something, and returns how the replay stands.
    pub(super) async fn agreed(&self, request: Request) -> Result<ReplayStatus, InVain> {
        let answer = self.ask(&request).await?;
        let problem = match (answer.refused, answer.status) {
            (None, Some(status)) => return Ok(status),
            (Some(refused), _) => self.problem(refused),
            (None, None) => self.odd("an answer without a status"),
        };
        Err(InVain { problem, passes: false })
    }

    /// Asks it for something, and waits for the answer.
    pub(super) async fn ask(&self, request: &Request) -> Result<ControlAnswer, InVain> {
        let answer = self.invoke(request, InvocationType::RequestResponse).await?;
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        if let Some(kind) = answer.function_error {
            let logs = format!("`{} logs {} {}` shows more", self.program, self.environment, self.thing);
            let told = String::from_utf8_lossy(&payload).into_owned();
            let problem = Problem::new(format!("{} failed ({kind})", self.name)).details([told]).hint(logs);
            return Err(InVain { problem, passes: true });
        }
        let odd = |error: serde_json::Error| InVain { problem: self.odd(&error.to_string()), passes: false };
        serde_json::from_slice(&payload).map_err(odd)
    }

    /// Leaves a request with it.
    pub(super) async fn leave(&self, request: &Request) -> Result<(), Problem> {
        Ok(self.invoke(request, InvocationType::Event).await.map(drop)?)
    }

    /// Returns what a refusal means for whoever typed the command.
    pub(super) fn problem(&self, refused: ReplayRefusal) -> Problem {
        let ReplayRefusal { error, message } = refused;
        match error {
            Reason::InvalidRequest | Reason::UnknownHandler => Problem::usage(message),
            Reason::HandlerActs => Problem::new(format!("{message}: nothing was delivered"))
                .hint("add --even-if-it-acts when that is meant"),
            Reason::HandlerFailed => Problem::new(message)
                .hint(format!("`{} logs {}` shows what it wrote", self.program, self.environment)),
            Reason::AlreadyRunning | Reason::NoReplay => Problem::new(message),
        }
    }

    /// Returns the problem that the answer is not the one of this release.
    pub(super) fn odd(&self, what: &str) -> Problem {
        let up = format!(
            "`{} up {}` deploys the one that belongs to this program",
            self.program, self.environment
        );
        Problem::new(format!("{} does not answer as it should: {what}", self.name)).hint(up)
    }

    async fn invoke(&self, request: &Request, kind: InvocationType) -> Result<InvokeOutput, InVain> {
        let payload = serde_json::to_vec(request).expect("a request holds nothing that JSON cannot");
        let call = self.aws.lambda.invoke().function_name(&self.name).payload(Blob::new(payload));
        let repetition = match (&kind, request) {
            // A second order would find the first one's replay in its way.
            (InvocationType::RequestResponse, Request::Start(_)) => Repetition::Harmful,
            _ => Repetition::Harmless,
        };
        let answer = aws::invoke(call.invocation_type(kind), self.runs_at_most, repetition).await;
        answer.map_err(|NoAnswer { error, ran }| {
            if repetition == Repetition::Harmful && ran == Ran::Unknown {
                return InVain { problem: self.unknown(&error), passes: false };
            }
            // What nobody knows can be a line that comes back, and credentials are renewed meanwhile.
            let passes = !matches!(error.class, Class::Denied | Class::Gone);
            let up = || format!("`{} up {}` deploys it", self.program, self.environment);
            InVain { problem: Problem::of_call(error, up), passes }
        })
    }

    /// Returns the problem that a replay may have started.
    fn unknown(&self, error: &Error) -> Problem {
        Problem::new(format!("the replay may have started, the answer of {} is lost: {error}", self.name))
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

    /// Asks for a status, and returns whether it is worth asking again.
    async fn passes(answer: ScriptedAnswer) -> bool {
        let aws = Script::new().on("Invoke", answer).aws();
        let function = ReplayFunction {
            aws: &aws,
            name: "demo-dev-replay".into(),
            thing: "replay",
            runs_at_most: Duration::from_secs(900),
            environment: "dev",
            program: "d".into(),
        };
        let which = Which { handler: "log-events".into(), dry_run: false };
        function.agreed(Request::Status(which)).await.expect_err("it answers nothing of use").passes
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
