//! What a caller is told: how an aggregate stands, or which rule forbade the command.
//!
//! A broken rule is an answer like any other. Faults are not answers; they never come here.

use serde::{Serialize, Serializer, ser::SerializeMap};
use uuid::Uuid;

use crate::{
    aggregate::Aggregate,
    history::{Decision, History, Refused},
    id::InvalidId,
    transaction::TransactionOutcome,
};

/// An aggregate that callers can be told about.
pub trait Answering: Aggregate {
    /// The field that holds the aggregate's id, in requests and in answers: `tally_id`.
    const ID_FIELD: &'static str;

    /// How an aggregate stands at one version, as callers see it.
    type View: Serialize;

    /// Returns how the aggregate stands.
    ///
    /// # Errors
    /// There is nothing to show: no such aggregate came to be.
    fn view(&self, id: Uuid, version: u64) -> Result<Self::View, Self::Error>;

    /// Returns the name by which callers tell broken rules apart: `Closed`.
    fn rule(error: &Self::Error) -> &'static str;
}

/// The answer to a command or a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer<V> {
    /// How the aggregate stands.
    View(V),
    /// Why nothing was done.
    Refusal(Refusal),
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A name to tell reasons apart by, such as `Closed`.
    pub error: &'static str,
    /// A sentence for people.
    pub message: String,
    /// The aggregate it was about, if one was named, behind the field that holds it.
    pub about: Option<(&'static str, Uuid)>,
}

impl<V> Answer<V> {
    /// Returns the answer to a caller who asks how an aggregate stands.
    pub fn of<A: Answering<View = V>>(history: &History<A>) -> Self {
        view(history.id().uuid(), history.version(), history.state())
    }

    /// Returns the answer to a command about this aggregate that ended like this.
    pub fn to_command<A: Answering<View = V>>(id: Uuid, outcome: TransactionOutcome<A>) -> Self {
        match outcome {
            TransactionOutcome::Stored(Decision { version, state, .. }) => view(id, version, &state),
            TransactionOutcome::Refused(Refused::Rule(error)) => {
                Refusal::rule::<A>(&error).about::<A>(id).into()
            }
            TransactionOutcome::Refused(full @ Refused::TooManyEvents { .. }) => {
                Refusal::new("TooManyEvents", full.to_string()).about::<A>(id).into()
            }
            TransactionOutcome::Refused(reused @ Refused::CommandReused { .. }) => {
                Refusal::new("CommandReused", reused.to_string()).about::<A>(id).into()
            }
            TransactionOutcome::Conflict => Refusal::conflict::<A>().about::<A>(id).into(),
        }
    }
}

impl Refusal {
    /// Returns the refusal of a request that says something other than it may.
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new("InvalidRequest", message)
    }

    /// Returns the refusal of a command that would break a rule.
    pub fn rule<A: Answering>(error: &A::Error) -> Self {
        Self::new(A::rule(error), error.to_string())
    }

    /// Returns the refusal of a command that lost the race too many times.
    fn conflict<A: Answering>() -> Self {
        let message = format!(
            "the {} is being changed by too many at once: repeat the command, with the same command_id",
            A::TYPE
        );
        Self::new("Conflict", message)
    }

    /// Returns the same refusal, saying which aggregate it is about.
    #[must_use]
    pub fn about<A: Answering>(mut self, id: Uuid) -> Self {
        self.about = Some((A::ID_FIELD, id));
        self
    }

    fn new(error: &'static str, message: impl Into<String>) -> Self {
        Self { error, message: message.into(), about: None }
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
        Self::new("InvalidId", error.to_string())
    }
}
