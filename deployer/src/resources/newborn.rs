//! What was made a moment ago, and is not known everywhere yet.

use crate::error::{Class, Error};

/// Turns "there is no such thing" into what passes by itself: a thing that was just made can be
/// missing for a moment in any answer.
pub(super) fn not_known_yet(error: Error) -> Error {
    match error.class {
        Class::Gone => Error { class: Class::Propagating, ..error },
        _ => error,
    }
}
