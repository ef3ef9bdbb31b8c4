//! The settings of a function: environment variables, which the stack sets.

use eventsourcing::contract::Variable;
use thiserror::Error;

/// The reason why a function cannot start: a variable that it reads is not set, or empty.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{function} needs {variable} to be set")]
pub struct MissingVariable {
    /// The function.
    function: &'static str,
    /// The variable.
    variable: Variable,
}

/// Returns the value of a variable that a function needs.
///
/// # Errors
/// Fails if the variable is not set, or empty.
pub(crate) fn required(
    function: &'static str,
    variable: Variable,
    value: Option<String>,
) -> Result<String, MissingVariable> {
    value.filter(|value| !value.is_empty()).ok_or(MissingVariable { function, variable })
}

#[cfg(test)]
mod tests {
    use eventsourcing::contract::{ARCHIVE, ARCHIVE_BUCKET};

    use super::*;

    #[test]
    fn empty_variable_counts_as_missing() {
        let read = |value: Option<&str>| required(ARCHIVE, ARCHIVE_BUCKET, value.map(str::to_owned));
        assert_eq!(read(Some("demo-dev-archive")), Ok("demo-dev-archive".to_owned()));
        for missing in [None, Some("")] {
            let error = read(missing).expect_err("the variable has no value");
            assert_eq!(error.to_string(), "archive needs ARCHIVE_BUCKET to be set");
        }
    }
}
