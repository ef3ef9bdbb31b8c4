//! Why a handler is not done with an event.

use std::error::Error;

/// What went wrong, with all of its causes.
pub type Reason = Box<dyn Error + Send + Sync>;

/// Why a handler is not done with an event.
///
/// Any error becomes `Passing` by way of `?`: when in doubt, an event is tried again, for hours
/// if need be. That holds up others and rings alarms; whatever Lambda gives up in the end is in
/// the bucket, and a replay brings it back.
///
/// A panic is for what cannot be. Three of them at one event, within a moment, are poison: do
/// not `expect` what may be out of reach.
#[derive(Debug)]
pub enum Trouble {
    /// Something is out of reach for now. The event is tried again, and if that takes too
    /// long, the whole batch comes again.
    Passing(Reason),
    /// This event can never be handled by this code. It is kept aside, and the next one goes
    /// on; after a fix, a replay brings it back.
    Poison(Reason),
}

impl Trouble {
    /// Returns the trouble that may have passed when the event is tried again.
    pub fn passing(reason: impl Into<Reason>) -> Self {
        Self::Passing(reason.into())
    }

    /// Returns the trouble that trying again will not mend.
    pub fn poison(reason: impl Into<Reason>) -> Self {
        Self::Poison(reason.into())
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::passing(error)
    }
}
