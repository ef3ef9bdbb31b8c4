//! The settings of a function: the environment variables that its contract declares, and no others.

use std::collections::BTreeMap;

use eventsourcing::contract::{Function, Variable};
use thiserror::Error;

/// The values of the environment variables that a function reads.
#[derive(Debug, Clone)]
pub struct Settings {
    function: Function,
    values: BTreeMap<Variable, String>,
}

/// The reason why a function cannot start.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// Required variables are not set, or empty.
    #[error("{function} needs {} to be set", names(.missing))]
    Missing {
        /// The function.
        function: &'static str,
        /// The missing variables.
        missing: Vec<Variable>,
    },
    /// The function reads a variable that its contract does not declare.
    #[error("{function} reads {variable}, which its contract does not declare")]
    Undeclared {
        /// The function.
        function: &'static str,
        /// The variable.
        variable: Variable,
    },
}

impl Settings {
    /// Returns the settings of a function from the environment of the process.
    pub fn read(function: Function) -> Result<Self, SettingsError> {
        Self::read_from(function, |name| std::env::var(name).ok())
    }

    /// Returns the settings of a function; `lookup` returns the value of a variable.
    ///
    /// All variables are read at once, so a function with a missing one fails when it starts, and not when it
    /// first needs it.
    pub fn read_from(
        function: Function,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, SettingsError> {
        let mut values = BTreeMap::new();
        let mut missing = Vec::new();
        for &variable in function.reads {
            match lookup(variable.name()).filter(|value| !value.is_empty()) {
                Some(value) => drop(values.insert(variable, value)),
                None => missing.push(variable),
            }
        }
        if missing.is_empty() {
            Ok(Self { function, values })
        } else {
            Err(SettingsError::Missing { function: function.name, missing })
        }
    }

    /// Returns the value of a variable.
    ///
    /// An undeclared variable is refused even if it happens to be set, because the function's environment and
    /// permissions are derived from the contract.
    pub fn get(&self, variable: Variable) -> Result<&str, SettingsError> {
        let function = self.function.name;
        let value = self.values.get(&variable).map(String::as_str);
        value.ok_or(SettingsError::Undeclared { function, variable })
    }

    /// Returns the function that these settings belong to.
    pub fn function(&self) -> Function {
        self.function
    }
}

fn names(variables: &[Variable]) -> String {
    let names: Vec<_> = variables.iter().map(|variable| variable.name()).collect();
    names.join(" and ")
}

#[cfg(test)]
mod tests {
    use eventsourcing::contract::{ARCHIVE_BUCKET, CAPTURE, EVENT_STREAM, EVENTS_TABLE};

    use super::*;

    #[test]
    fn declared_variables_are_read() {
        let settings = Settings::read_from(CAPTURE, |name| Some(format!("the {name}")));
        let settings = settings.expect("everything is set");
        assert_eq!(settings.get(EVENT_STREAM), Ok("the EVENT_STREAM"));
        assert_eq!(settings.get(ARCHIVE_BUCKET), Ok("the ARCHIVE_BUCKET"));
    }

    #[test]
    fn missing_variables_are_all_named() {
        let error = Settings::read_from(CAPTURE, |_| Some(String::new()));
        assert_eq!(
            error.expect_err("nothing is set").to_string(),
            "capture needs EVENT_STREAM and ARCHIVE_BUCKET to be set"
        );
    }

    #[test]
    fn undeclared_variable_is_refused_though_set() {
        let settings = Settings::read_from(CAPTURE, |name| Some(name.to_owned()));
        let error = settings.expect("everything is set").get(EVENTS_TABLE).map(str::to_owned);
        assert_eq!(
            error.expect_err("the variable is not declared").to_string(),
            "capture reads EVENTS_TABLE, which its contract does not declare"
        );
    }
}
