//! One error of one call to the cloud, sorted into what the engine can do about it.
//!
//! The sorting itself is the cloud's business; the engine only looks at the class. Messages are
//! lowercase fragments that compose.

use std::fmt;
use std::time::Duration;

/// What an error means for the work, whatever service it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Too many calls; the same call will do later.
    Throttled,
    /// Something made a moment ago is not known everywhere yet.
    Propagating,
    /// The thing is busy with an earlier change.
    InProgress,
    /// There is no such thing.
    Gone,
    /// There is such a thing already.
    Exists,
    /// The caller may not do that.
    Denied,
    /// A quota is used up.
    Quota,
    /// The caller's credentials are missing, wrong or expired.
    Credentials,
    /// What is there is not what it should be, and will not become so by itself.
    Broken,
    /// Nothing the engine knows how to handle.
    Other,
}

impl Class {
    /// Tells whether the same call can succeed by itself a little later.
    pub fn passes(self) -> bool {
        matches!(self, Self::Throttled | Self::Propagating | Self::InProgress)
    }
}

/// A failed call: what was being done, what the cloud said, and a hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What the engine can do about it.
    pub class: Class,
    /// The operation as the cloud names it, such as `CreateTable`.
    pub operation: String,
    /// The cloud's error code, where it gave one.
    pub code: Option<String>,
    /// What the cloud said, or what went wrong on the way to it.
    pub message: String,
    /// The cloud's id of the request, for its support.
    pub request_id: Option<String>,
    /// What has to happen before the same call can succeed, in words that follow "waiting for", where
    /// the cloud knows better than its class says.
    pub awaited: Option<&'static str>,
    /// For how long the same call is worth repeating, where the cloud knows better than its class says.
    pub patience: Option<Duration>,
    /// How long it was tried again before it was believed; nothing for a first answer.
    pub tried_for: Option<Duration>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Error {
    /// Returns an error that no call to the cloud reported.
    pub fn other(operation: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Class::Other, operation, message)
    }

    /// Returns an error of this class without a code.
    pub fn new(class: Class, operation: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            class,
            operation: operation.into(),
            code: None,
            message: message.into(),
            request_id: None,
            awaited: None,
            patience: None,
            tried_for: None,
            hint: None,
        }
    }

    /// Returns the error of a call about what was made a moment ago: "there is no such thing" passes
    /// by itself there, since not every copy of the cloud's data knows the thing yet.
    pub fn of_newborn(self) -> Self {
        match self.class {
            Class::Gone => Self { class: Class::Propagating, ..self },
            _ => self,
        }
    }

    /// Returns the error with a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.operation)?;
        match &self.code {
            Some(code) if self.message.is_empty() => write!(f, "{code}")?,
            Some(code) => write!(f, "{code}: {}", self.message)?,
            None => write!(f, "{}", self.message)?,
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        if let Some(time) = self.tried_for.filter(|time| time.as_secs() > 0) {
            write!(f, " (tried again for {} s)", time.as_secs())?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// Tells "there is no such thing" from every other failure: what reading wants to know.
pub trait GoneIsNone<T> {
    /// Turns [`Class::Gone`] into `None`.
    ///
    /// # Errors
    /// Every other error stays one: a failed read is unknown, never absent.
    fn gone_is_none(self) -> Result<Option<T>, Error>;
}

impl<T> GoneIsNone<T> for Result<T, Error> {
    fn gone_is_none(self) -> Result<Option<T>, Error> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.class == Class::Gone => Ok(None),
            Err(error) => Err(error),
        }
    }
}
