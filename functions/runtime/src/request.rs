//! What callers may send: the fields of a request. Everything else is refused with a clear message.
//!
//! A request with an unknown field is refused as a whole. The field is most likely misspelt, and ignoring
//! `quantiy` would add one item instead of the requested number.

use eventsourcing::{Answering, Refusal, Request, RequestHash, id};
use serde_json::{Map, Value};
use uuid::Uuid;

/// The longest name of an actor, in characters.
const MAX_ACTOR_LENGTH: usize = 200;

/// The fields that each command may have, in addition to its own.
const OF_EACH_COMMAND: [&str; 4] = ["command_id", "correlation_id", "causation_id", "actor"];

/// The fields in which a repeated command may differ: they identify the message and do not change the
/// command.
const ABOUT_THE_MESSAGE: [&str; 3] = ["command_id", "correlation_id", "causation_id"];

/// Parses a request. The id is for a command that has none.
pub type Parse<C> = fn(Value, Uuid) -> Result<Request<C>, Refusal>;

/// Parses a query, which has the id of an aggregate and nothing else.
///
/// # Errors
/// Fails if the payload is not an object, has another field, or its id is missing or not a UUID.
pub fn question<A: Answering>(payload: Value) -> Result<Uuid, Refusal> {
    Fields::of_question(payload, &[A::ID_FIELD])?.required_id(A::ID_FIELD)
}

/// The fields of a request. A field that is null counts as missing.
#[derive(Debug)]
pub struct Fields {
    given: Map<String, Value>,
    hash: RequestHash,
}

impl Fields {
    /// Returns the fields of a query. Only the `allowed` ones may be given.
    ///
    /// # Errors
    /// Fails if the payload is not an object, or has an unknown field.
    pub fn of_question(payload: Value, allowed: &[&str]) -> Result<Self, Refusal> {
        let Value::Object(mut fields) = payload else {
            return Err(Refusal::invalid_request(format!(
                "the request must be a JSON object; allowed fields: {}",
                allowed.join(", ")
            )));
        };
        if let Some(unknown) = fields.keys().find(|name| !allowed.contains(&name.as_str())) {
            return Err(Refusal::invalid_request(format!(
                "unknown field {unknown:?}; allowed fields: {}",
                allowed.join(", ")
            )));
        }
        fields.retain(|_, value| !value.is_null());
        Ok(Self { given: fields, hash: RequestHash::default() })
    }

    /// Returns the fields of the command with this name. Its `own` fields and those of each command may be
    /// given. The name is part of the stored hash of a request, and can never change.
    ///
    /// # Errors
    /// Fails if the payload is not an object, or has an unknown field.
    pub fn of_command(name: &str, payload: Value, own: &[&str]) -> Result<Self, Refusal> {
        let fields = Self::of_question(payload, &[own, &OF_EACH_COMMAND].concat())?;
        let mut wanted = fields.given.clone();
        wanted.retain(|field, _| !ABOUT_THE_MESSAGE.contains(&field.as_str()));
        Ok(Self { hash: RequestHash::of(name, &wanted), ..fields })
    }

    /// Returns the request for a command to this aggregate.
    ///
    /// # Errors
    /// Fails if the actor is not a text of 1 to 200 characters, or the correlation or causation id is not a
    /// UUID.
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

    /// Returns the id of the command, or `default_id` if none is given.
    ///
    /// # Errors
    /// Fails if the id is not a UUID.
    pub fn command_id(&self, default_id: Uuid) -> Result<Uuid, Refusal> {
        Ok(self.id("command_id")?.unwrap_or(default_id))
    }

    /// Returns the id in a required field.
    ///
    /// # Errors
    /// Fails if the field is missing or not a UUID.
    pub fn required_id(&self, field: &'static str) -> Result<Uuid, Refusal> {
        self.id(field)?.ok_or_else(|| missing(field))
    }

    /// Returns the id in a field, if it is given.
    ///
    /// # Errors
    /// Fails if the field is not a UUID.
    pub fn id(&self, field: &'static str) -> Result<Option<Uuid>, Refusal> {
        // A number gets the same error message as a text that is not a UUID.
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let given = self.given.get(field).map(text);
        Ok(given.map(|text| id::parse(field, &text)).transpose()?)
    }

    /// Returns the text in a field, if it is given.
    ///
    /// # Errors
    /// Fails if the field is not a string.
    pub fn text(&self, field: &str) -> Result<Option<&str>, Refusal> {
        self.typed(field, "a string", Value::as_str)
    }

    /// Returns the whole number in a field, if it is given.
    ///
    /// # Errors
    /// Fails if the field is not a whole number.
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

/// Returns the refusal of a request without a required field.
pub fn missing(field: &str) -> Refusal {
    Refusal::invalid_request(format!("{field} is missing"))
}
