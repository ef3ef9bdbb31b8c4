//! The answer to a caller: the state of an aggregate, or the rule that forbids the command.
//!
//! A broken rule is a normal answer. Faults are not answers and are handled elsewhere.

use serde::{Serialize, Serializer, ser::SerializeMap};
use uuid::Uuid;

use crate::{
    aggregate::Aggregate,
    history::{Decision, History, Refused},
    id::InvalidId,
    transaction::TransactionOutcome,
};

/// An aggregate whose state can be returned to callers.
pub trait Answering: Aggregate {
    /// The field that holds the aggregate's id, in requests and in answers: `tally_id`.
    const ID_FIELD: &'static str;

    /// The state of an aggregate at one version, as callers see it.
    type View: Serialize;

    /// Returns the state of the aggregate.
    ///
    /// # Errors
    /// Returns an error if there is no such aggregate.
    fn view(&self, id: Uuid, version: u64) -> Result<Self::View, Self::Error>;

    /// Returns what callers can do about a broken rule, and the name by which they distinguish it: `Closed`. By the
    /// first, a function URL chooses the status of its response.
    fn rule(error: &Self::Error) -> (RefusalKind, &'static str);
}

/// The answer to a command or a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer<V> {
    /// The state of the aggregate.
    View(V),
    /// Why nothing was done.
    Refusal(Refusal),
}

/// What a caller can do about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// Send another request: this one is malformed, or one of its values is never accepted.
    InvalidRequest,
    /// Ask for another aggregate: this one does not exist.
    NotFound,
    /// Look at the aggregate first: its state forbids the command, now or for ever.
    Forbidden,
}

/// The reason why a request had no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What the caller can do about it. It is not part of the answer.
    pub kind: RefusalKind,
    /// The name of the reason, such as `Closed`.
    pub error: &'static str,
    /// A sentence for people.
    pub message: String,
    /// The id of the aggregate that the request was for, with the name of its field. A command without an id was for a
    /// new aggregate.
    pub about: Option<(&'static str, Uuid)>,
}

impl<V> Answer<V> {
    /// Returns the answer to a query for the state of an aggregate.
    pub fn of<A: Answering<View = V>>(history: &History<A>) -> Self {
        view(history.id().uuid(), history.version(), history.state())
    }

    /// Returns the answer to a command on this aggregate with this outcome.
    pub fn to_command<A: Answering<View = V>>(id: Uuid, outcome: TransactionOutcome<A>) -> Self {
        match outcome {
            TransactionOutcome::Stored(Decision { version, state, .. }) => view(id, version, &state),
            TransactionOutcome::Refused(Refused::Rule(error)) => {
                Refusal::rule::<A>(&error).about::<A>(id).into()
            }
            TransactionOutcome::Refused(full @ Refused::TooManyEvents { .. }) => {
                Refusal::new(RefusalKind::Forbidden, "TooManyEvents", full.to_string()).about::<A>(id).into()
            }
            TransactionOutcome::Refused(reused @ Refused::CommandReused { .. }) => {
                Refusal::new(RefusalKind::Forbidden, "CommandReused", reused.to_string())
                    .about::<A>(id)
                    .into()
            }
            TransactionOutcome::Conflict => Refusal::conflict::<A>().about::<A>(id).into(),
        }
    }
}

impl Refusal {
    /// Returns the refusal of a malformed request.
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(RefusalKind::InvalidRequest, "InvalidRequest", message)
    }

    /// Returns the refusal of a command that would break a rule.
    pub fn rule<A: Answering>(error: &A::Error) -> Self {
        let (kind, name) = A::rule(error);
        Self::new(kind, name, error.to_string())
    }

    /// Returns the refusal of a command that lost too many races.
    fn conflict<A: Answering>() -> Self {
        let message = format!(
            "too many commands changed the {} at the same time; repeat the command with the same command_id",
            A::TYPE
        );
        Self::new(RefusalKind::Forbidden, "Conflict", message)
    }

    /// Returns the refusal with the id of its aggregate.
    #[must_use]
    pub fn about<A: Answering>(mut self, id: Uuid) -> Self {
        self.about = Some((A::ID_FIELD, id));
        self
    }

    fn new(kind: RefusalKind, error: &'static str, message: impl Into<String>) -> Self {
        Self { kind, error, message: message.into(), about: None }
    }
}

impl Serialize for Refusal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(Some(2 + usize::from(self.about.is_some())))?;
        fields.serialize_entry("error", self.error)?;
        fields.serialize_entry("message", &self.message)?;
        if let Some((field, id)) = &self.about {
            fields.serialize_entry(field, id)?;
        }
        fields.end()
    }
}

fn view<A: Answering>(id: Uuid, version: u64, state: &A) -> Answer<A::View> {
    match state.view(id, version) {
        Ok(view) => Answer::View(view),
        Err(error) => Refusal::rule::<A>(&error).about::<A>(id).into(),
    }
}

impl<V> From<Refusal> for Answer<V> {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl From<InvalidId> for Refusal {
    fn from(error: InvalidId) -> Self {
        Self::new(RefusalKind::InvalidRequest, "InvalidId", error.to_string())
    }
}
