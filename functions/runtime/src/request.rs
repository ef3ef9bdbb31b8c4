//! What callers may send: the fields of a request, and clear words for everything else.
//!
//! A request with a field that is not known is refused as a whole. It is most likely a misspelt
//! one, and ignoring `quantiy` would add one of something.

use eventsourcing::{Answering, Refusal, Request, RequestHash, id};
use serde_json::{Map, Value};
use uuid::Uuid;

/// The longest name of an actor, in characters.
const MAX_ACTOR_LENGTH: usize = 200;

/// The fields that each command may have, beside its own.
const OF_EACH_COMMAND: [&str; 4] = ["command_id", "correlation_id", "causation_id", "actor"];

/// Those of them that say nothing about what is wanted: a repeat may differ in them.
const ABOUT_THE_MESSAGE: [&str; 3] = ["command_id", "correlation_id", "causation_id"];

/// Reads a request; the id is for a command that came without one.
pub type Parse<C> = fn(Value, Uuid) -> Result<Request<C>, Refusal>;

/// Reads a question, which has the id of an aggregate and nothing else.
///
/// # Errors
/// It is not an object, has another field, or its id is missing or not a UUID.
pub fn question<A: Answering>(payload: Value) -> Result<Uuid, Refusal> {
    Fields::of_question(payload, &[A::ID_FIELD])?.required_id(A::ID_FIELD)
}

/// The fields of a request. One that is null counts as not given.
#[derive(Debug)]
pub struct Fields {
    given: Map<String, Value>,
    hash: RequestHash,
}

impl Fields {
    /// Returns the fields of a question, which may have these.
    ///
    /// # Errors
    /// It is not an object, or has a field that is not known.
    pub fn of_question(payload: Value, allowed: &[&str]) -> Result<Self, Refusal> {
        let Value::Object(mut fields) = payload else {
            return Err(Refusal::invalid_request(format!(
                "the request must be a JSON object; allowed are {}",
                allowed.join(", ")
            )));
        };
        if let Some(unknown) = fields.keys().find(|name| !allowed.contains(&name.as_str())) {
            return Err(Refusal::invalid_request(format!(
                "unknown field {unknown:?}; allowed are {}",
                allowed.join(", ")
            )));
        }
        fields.retain(|_, value| !value.is_null());
        Ok(Self { given: fields, hash: RequestHash::default() })
    }

    /// Returns the fields of the command of this name, which may have these beside those of each command.
    /// The name is part of what is stored of a request, and can never change.
    ///
    /// # Errors
    /// It is not an object, or has a field that is not known.
    pub fn of_command(name: &str, payload: Value, own: &[&str]) -> Result<Self, Refusal> {
        let fields = Self::of_question(payload, &[own, &OF_EACH_COMMAND].concat())?;
        let mut wanted = fields.given.clone();
        wanted.retain(|field, _| !ABOUT_THE_MESSAGE.contains(&field.as_str()));
        Ok(Self { hash: RequestHash::of(name, &wanted), ..fields })
    }

    /// Returns the request of a command about this aggregate.
    ///
    /// # Errors
    /// The actor is not a text of 1 to 200 characters, or the correlation or causation id is not a UUID.
    pub fn request<C>(self, aggregate_id: Uuid, command: C, command_id: Uuid) -> Result<Request<C>, Refusal> {
        let actor = self.text("actor")?;
        let length = actor.map_or(1, |actor| actor.chars().count());
        if !(1..=MAX_ACTOR_LENGTH).contains(&length) {
            return Err(Refusal::invalid_request(format!(
                "actor must have 1 to {MAX_ACTOR_LENGTH} characters, not {length}"
            )));
        }
        Ok(Request {
            aggregate_id,
            command,
            command_id,
            hash: self.hash,
            correlation_id: self.id("correlation_id")?.unwrap_or(command_id),
            causation_id: self.id("causation_id")?,
            actor: actor.map(str::to_owned),
        })
    }

    /// Returns the id of the command, or this one when it has none.
    ///
    /// # Errors
    /// It is not a UUID.
    pub fn command_id(&self, default_id: Uuid) -> Result<Uuid, Refusal> {
        Ok(self.id("command_id")?.unwrap_or(default_id))
    }

    /// Returns an id that has to be there.
    ///
    /// # Errors
    /// It is missing, or is not a UUID.
    pub fn required_id(&self, field: &'static str) -> Result<Uuid, Refusal> {
        self.id(field)?.ok_or_else(|| missing(field))
    }

    /// Returns an id, if it is there.
    ///
    /// # Errors
    /// It is not a UUID.
    pub fn id(&self, field: &'static str) -> Result<Option<Uuid>, Refusal> {
        // A number is no more a UUID than a wrong text is: both are told in the same words.
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let given = self.given.get(field).map(text);
        Ok(given.map(|text| id::parse(field, &text)).transpose()?)
    }

    /// Returns a text, if it is there.
    ///
    /// # Errors
    /// It is something else.
    pub fn text(&self, field: &str) -> Result<Option<&str>, Refusal> {
        self.typed(field, "a string", Value::as_str)
    }

    /// Returns a whole number, if it is there.
    ///
    /// # Errors
    /// It is something else.
    pub fn integer(&self, field: &str) -> Result<Option<i64>, Refusal> {
        self.typed(field, "a whole number", Value::as_i64)
    }

    fn typed<'a, T>(
        &'a self,
        field: &str,
        kind: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let wrong = || Refusal::invalid_request(format!("{field} must be {kind}"));
        let given = self.given.get(field);
        given.map(|value| read(value).ok_or_else(wrong)).transpose()
    }
}

/// Returns the refusal of a request without a field that has to be there.
pub fn missing(field: &str) -> Refusal {
    Refusal::invalid_request(format!("{field} is missing"))
}
