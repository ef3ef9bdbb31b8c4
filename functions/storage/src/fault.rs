//! An error together with its causes.

use std::error::Error;

/// Returns an error and its causes in one line.
///
/// The message of an SDK error is only "service error"; the details are in its causes.
pub fn chain(error: &dyn Error) -> String {
    std::iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
