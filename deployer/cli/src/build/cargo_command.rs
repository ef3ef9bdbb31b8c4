//! How cargo is called: which one, and with what of this process's environment.

use std::env;
use std::ffi::{OsStr, OsString};
use std::process::Stdio;

use tokio::process::Command;

use super::error::BuildError;

/// Variables that `cargo run` sets for the program it runs. A cargo below must not see them:
/// build scripts and `env!` look at some, and everything would be compiled anew.
const SET_BY_CARGO_RUN: [&str; 7] = [
    "CARGO_BIN_",
    "CARGO_CRATE_NAME",
    "CARGO_MANIFEST_",
    "CARGO_PKG_",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_TARGET_TMPDIR",
    "OUT_DIR",
];

/// Returns a call of the cargo that runs us, else of the one in the path.
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

/// Tells whether a variable of this process is kept from cargo. To cargo an empty `RUSTFLAGS` is
/// a setting that replaces those of its configuration; CI systems mean "unset" by it, and so do
/// fingerprints.
fn is_withheld(name: &str, value: &OsStr) -> bool {
    let leaked = SET_BY_CARGO_RUN.iter().any(|set| name.starts_with(set));
    leaked || (value.is_empty() && is_for_compiler(name))
}

/// Returns the error for a cargo that is not there.
pub(super) fn missing() -> BuildError {
    BuildError::CargoMissing { program: program().to_string_lossy().into_owned() }
}

/// Returns the name of cargo, or the path.
pub(super) fn program() -> OsString {
    env::var_os("CARGO").filter(|program| !program.is_empty()).unwrap_or_else(|| "cargo".into())
}

/// Tells whether a variable changes what rustc makes of the same sources.
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
