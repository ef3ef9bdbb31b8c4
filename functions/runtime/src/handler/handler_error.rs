//! The reason why a handler could not handle an event.

use std::error::Error;

/// The error, with all of its causes.
pub type Reason = Box<dyn Error + Send + Sync>;

/// The reason why a handler could not handle an event.
///
/// `?` converts any error to `Transient`: when in doubt, an event is retried, for hours if necessary. That
/// delays later events and raises alarms. Batches that Lambda discards in the end are in the bucket, and a
/// replay delivers their events again.
///
/// Panic only for states that cannot occur. Three panics at one event, within moments, make it poison: do not
/// call `expect` on something that may be unreachable.
#[derive(Debug)]
pub enum HandlerError {
    /// Something is unreachable for now. The event is retried, and if that takes too long, the whole batch is
    /// delivered again.
    Transient(Reason),
    /// This code can never handle the event. It is quarantined, and the next event is handled; after a fix, a
    /// replay delivers the quarantined event again.
    Poison(Reason),
}

impl HandlerError {
    /// Returns the error of an event that a retry may handle.
    pub fn transient(reason: impl Into<Reason>) -> Self {
        Self::Transient(reason.into())
    }

    /// Returns the error of an event that no retry can handle.
    pub fn poison(reason: impl Into<Reason>) -> Self {
        Self::Poison(reason.into())
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for HandlerError {
    fn from(error: E) -> Self {
        Self::transient(error)
    }
}
