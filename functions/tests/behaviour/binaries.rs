//! The binaries: each is in the contract or is a handler, and each names its missing environment variables.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use domain::functions::FUNCTIONS;
use eventsourcing::contract::{ARCHIVE_BUCKET, Function};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin");

/// Returns the names of the binaries.
fn binaries() -> BTreeSet<String> {
    let files = fs::read_dir(SOURCES).expect("the folder of the binaries exists");
    let names = files.map(|file| file.expect("the folder can be read").file_name());
    names.map(|name| name.to_string_lossy().replace(".rs", "")).collect()
}

/// Returns the contract of a binary.
fn function(name: &str) -> Option<Function> {
    FUNCTIONS.iter().copied().find(|function| function.name == name)
}

#[test]
fn binary_is_in_the_contract_or_a_handler() {
    let binaries = binaries();
    for function in FUNCTIONS {
        assert!(binaries.contains(function.name), "{} is in the contract but has no binary", function.name);
    }
    for name in binaries.iter().filter(|name| function(name).is_none()) {
        let source = fs::read_to_string(format!("{SOURCES}/{name}.rs")).expect("sources are text");
        let is_a_handler = source.contains(r#"Function::handler(env!("CARGO_BIN_NAME"))"#);
        assert!(is_a_handler, "{name} is not a handler, and is not in domain::functions::FUNCTIONS");
    }
}

#[test]
fn binaries_name_the_variables_they_are_missing() {
    let folder = Path::new(env!("CARGO_BIN_EXE_log-events"));
    for name in binaries() {
        let reads = function(&name).map_or(&[ARCHIVE_BUCKET][..], |function| function.reads);
        let binary = folder.with_file_name(&name);
        let output = Command::new(binary).env_clear().output().expect("the binary can be run");
        assert!(!output.status.success(), "{name}");
        let printed = String::from_utf8_lossy(&output.stderr);
        let missing: Vec<_> = reads.iter().map(|variable| variable.name()).collect();
        assert_eq!(printed, format!("Error: {name} needs {} to be set\n", missing.join(" and ")));
    }
}
