//! A fault: a technical failure that a retry may fix. It is not an answer to the caller.
//!
//! Lambda counts a fault as an error, which raises alarms, and delivers stream batches again. A violated
//! business rule is never a fault.

use std::{error::Error, fmt};

use lambda_runtime::Diagnostic;
use storage::fault::chain;

/// Any error, displayed with all of its causes.
pub struct Fault(Box<dyn Error + Send + Sync>);

impl Fault {
    /// Returns the fault with this error as its cause.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", chain(self.0.as_ref()))
    }
}

/// Formats as `Display` handler_kind: `main` and the Lambda runtime print this.
impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

impl From<Fault> for Diagnostic {
    fn from(fault: Fault) -> Self {
        Self { error_type: "Fault".to_owned(), error_message: fault.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use eventsourcing::contract::{ARCHIVE, ARCHIVE_BUCKET};

    use super::*;
    use crate::settings::{MissingVariable, required};

    #[derive(Debug, thiserror::Error)]
    #[error("starting failed")]
    struct Outer(#[source] MissingVariable);

    #[test]
    fn fault_message_contains_its_causes() {
        let error = required(ARCHIVE, ARCHIVE_BUCKET, None);
        let fault = Fault::from(Outer(error.expect_err("nothing is set")));
        let message = "starting failed: archive needs ARCHIVE_BUCKET to be set";
        assert_eq!(format!("{fault:?}"), message);
        assert_eq!(Diagnostic::from(fault).error_message, message);
    }
}
