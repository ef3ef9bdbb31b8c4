//! The error of one call to the cloud, with a class that says what the engine can do about it.
//!
//! The cloud's crate assigns the class; the engine only reads it. Messages are lowercase fragments that can
//! be combined.

use std::fmt;
use std::time::Duration;

/// What an error means for the run, independent of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Too many calls; the same call can succeed later.
    Throttled,
    /// A resource that was just created is not visible everywhere yet.
    Propagating,
    /// The resource is busy with an earlier change.
    InProgress,
    /// The resource does not exist.
    Gone,
    /// The resource exists already.
    Exists,
    /// The caller is not allowed to do this.
    Denied,
    /// A quota is used up.
    Quota,
    /// The caller's credentials are missing, wrong or expired.
    Credentials,
    /// The resource is in a broken state that will not change by itself.
    Broken,
    /// Any other error.
    Other,
}

impl Class {
    /// Returns whether the same call can succeed a little later without other action.
    pub fn passes(self) -> bool {
        matches!(self, Self::Throttled | Self::Propagating | Self::InProgress)
    }
}

/// A failed call: the operation, the cloud's message, and a hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What the engine can do about it.
    pub class: Class,
    /// The operation as the cloud names it, such as `CreateTable`.
    pub operation: String,
    /// The cloud's error code, where it gave one.
    pub code: Option<String>,
    /// The cloud's message, or the transport error.
    pub message: String,
    /// The cloud's id of the request, for its support team.
    pub request_id: Option<String>,
    /// What the retries wait for, as words that follow "waiting for". `None` for the default of the class.
    pub awaited: Option<&'static str>,
    /// How long the call is retried. `None` for the default of the class.
    pub patience: Option<Duration>,
    /// How long the call was retried before it failed; `None` without a retry.
    pub tried_for: Option<Duration>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Error {
    /// Returns an error that does not come from a call to the cloud.
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

    /// Returns the error of a call about a resource that was just created: "not found" passes by itself
    /// there, because not every replica of the cloud's data has the resource yet.
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
            write!(f, " (retried for {} s)", time.as_secs())?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// Distinguishes "not found" from all other errors, for reads.
pub trait GoneIsNone<T> {
    /// Turns [`Class::Gone`] into `None`.
    ///
    /// # Errors
    /// Returns every other error: after a failed read the resource is unknown, never absent.
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
