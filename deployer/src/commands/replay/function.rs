//! The function that replays: what it is asked, and what its refusals mean here.

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use domain::replay::{Answer, Reason, Refused, Request, Status};

use crate::aws::{Aws, Called};
use crate::exit::Problem;
use crate::render::Ui;
use crate::session::Session;

/// The function of an environment.
pub(super) struct ReplayFunction<'a> {
    aws: &'a Aws,
    name: String,
    thing: &'static str,
    environment: &'a str,
    program: String,
}

impl<'a> ReplayFunction<'a> {
    /// Returns the function of this session.
    pub(super) fn new(session: &'a Session, thing: &'static str, environment: &'a str, ui: &Ui) -> Self {
        let name = session.scope.name(thing);
        Self { aws: &session.aws, name, thing, environment, program: ui.program() }
    }

    /// Asks it for something, and returns how the replay stands.
    pub(super) async fn agreed(&self, request: Request) -> Result<Status, Problem> {
        let answer = self.ask(&request).await?;
        match (answer.refused, answer.status) {
            (None, Some(status)) => Ok(status),
            (Some(refused), _) => Err(self.problem(refused)),
            (None, None) => Err(self.odd("an answer without a status")),
        }
    }

    /// Asks it for something, and waits for the answer.
    pub(super) async fn ask(&self, request: &Request) -> Result<Answer, Problem> {
        let answer = self.invoke(request, InvocationType::RequestResponse).await?;
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        if let Some(kind) = answer.function_error {
            let logs = format!("`{} logs {} {}` shows more", self.program, self.environment, self.thing);
            let told = String::from_utf8_lossy(&payload).into_owned();
            return Err(Problem::new(format!("{} failed ({kind})", self.name)).details([told]).hint(logs));
        }
        serde_json::from_slice(&payload).map_err(|error| self.odd(&error.to_string()))
    }

    /// Leaves a request with it.
    pub(super) async fn leave(&self, request: &Request) -> Result<(), Problem> {
        self.invoke(request, InvocationType::Event).await.map(drop)
    }

    /// Returns what a refusal means for whoever typed the command.
    pub(super) fn problem(&self, refused: Refused) -> Problem {
        let Refused { error, message } = refused;
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

    async fn invoke(
        &self,
        request: &Request,
        kind: InvocationType,
    ) -> Result<aws_sdk_lambda::operation::invoke::InvokeOutput, Problem> {
        let payload = serde_json::to_vec(request).expect("a request holds nothing that JSON cannot");
        let call = self.aws.lambda.invoke().function_name(&self.name).payload(Blob::new(payload));
        let answer = call.invocation_type(kind).send().await.called("Invoke");
        answer.map_err(|error| {
            Problem::of_call(error, || format!("`{} up {}` deploys it", self.program, self.environment))
        })
    }
}
