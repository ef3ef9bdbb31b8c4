//! Calls of cargo: the program, and the variables that it inherits from this process.

use std::env;
use std::ffi::{OsStr, OsString};
use std::process::Stdio;

use tokio::process::Command;

use super::error::BuildError;

/// Variables that `cargo run` sets for the program it runs. They must not reach a nested cargo: build scripts
/// and `env!` read some of them, so everything would be compiled again.
const SET_BY_CARGO_RUN: [&str; 7] = [
    "CARGO_BIN_",
    "CARGO_CRATE_NAME",
    "CARGO_MANIFEST_",
    "CARGO_PKG_",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_TARGET_TMPDIR",
    "OUT_DIR",
];

/// Returns a call of the cargo that runs this program, otherwise of the one in PATH.
pub(super) fn command() -> Command {
    let mut command = Command::new(program());
    for (name, value) in env::vars_os() {
        if name.to_str().is_some_and(|name| is_withheld(name, &value)) {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Returns whether a variable of this process is not passed to cargo. For cargo, an empty `RUSTFLAGS`
/// replaces the flags of its configuration. CI systems use empty values for "unset", and fingerprints treat
/// them so.
fn is_withheld(name: &str, value: &OsStr) -> bool {
    is_set_by_cargo_run(name) || (value.is_empty() && is_for_compiler(name))
}

/// Returns whether `cargo run` and `cargo test` set this variable for the program that they run.
pub fn is_set_by_cargo_run(name: &str) -> bool {
    SET_BY_CARGO_RUN.iter().any(|set| name.starts_with(set))
}

/// Returns the error for a missing cargo.
pub(super) fn missing() -> BuildError {
    BuildError::CargoMissing { program: program().to_string_lossy().into_owned() }
}

/// Returns the name or path of cargo.
pub(super) fn program() -> OsString {
    env::var_os("CARGO").filter(|program| !program.is_empty()).unwrap_or_else(|| "cargo".into())
}

/// Returns whether a variable changes rustc's output for the same sources.
pub(super) fn is_for_compiler(name: &str) -> bool {
    name.ends_with("RUSTFLAGS") || name.starts_with("CARGO_PROFILE_") || name == "RUSTC_BOOTSTRAP"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_gets_no_empty_compiler_variables() {
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_PROFILE_DEV_DEBUG"] {
            assert!(is_withheld(name, OsStr::new("")), "{name}");
            assert!(!is_withheld(name, OsStr::new("1")), "{name}");
        }
        assert!(!is_withheld("CARGO_HOME", OsStr::new("")));
        assert!(is_withheld("CARGO_PKG_NAME", OsStr::new("deployer")));
    }
}
