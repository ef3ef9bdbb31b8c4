//! The binaries: the contract knows each of them, and each says what it is missing.

use std::{collections::BTreeSet, fs, process::Command};

use domain::contract::FUNCTIONS;

#[test]
fn the_contract_names_every_binary_and_no_other() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin");
    let files = fs::read_dir(folder).expect("there are binaries");
    let names = files.map(|file| file.expect("the folder can be read").file_name());
    let binaries: BTreeSet<_> = names.map(|name| name.to_string_lossy().replace(".rs", "")).collect();
    let named: BTreeSet<_> = FUNCTIONS.iter().map(|function| function.name.to_owned()).collect();
    assert_eq!(binaries, named);
}

#[test]
fn each_binary_names_the_variables_it_is_missing() {
    let binaries = [
        env!("CARGO_BIN_EXE_open-cart"),
        env!("CARGO_BIN_EXE_add-item"),
        env!("CARGO_BIN_EXE_close-cart"),
        env!("CARGO_BIN_EXE_get-cart"),
        env!("CARGO_BIN_EXE_capture"),
        env!("CARGO_BIN_EXE_log-events"),
        env!("CARGO_BIN_EXE_archive"),
        env!("CARGO_BIN_EXE_replay"),
    ];
    assert_eq!(binaries.len(), FUNCTIONS.len());
    for (binary, function) in binaries.into_iter().zip(FUNCTIONS) {
        let output = Command::new(binary).env_clear().output().expect("the binary can be run");
        assert!(!output.status.success(), "{binary}");
        let told = String::from_utf8_lossy(&output.stderr);
        let missing: Vec<_> = function.reads.iter().map(|variable| variable.name()).collect();
        let expected = format!("Error: {} needs {} to be set\n", function.name, missing.join(" and "));
        assert_eq!(told, expected);
    }
}
