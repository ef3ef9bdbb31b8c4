//! An error told with all of its causes.

use std::error::Error;

/// Returns an error and its causes in one line.
///
/// The SDK's own errors say next to nothing by themselves ("service error"); what happened
/// is in their causes.
pub fn chain(error: &dyn Error) -> String {
    std::iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
