//! The binaries of every pipeline's functions: each names its missing environment variables.

use std::process::Command;

use eventsourcing::contract::PIPELINE;

#[test]
fn pipeline_binaries_name_the_variables_they_are_missing() {
    let binaries = [
        ("capture", env!("CARGO_BIN_EXE_capture")),
        ("archive", env!("CARGO_BIN_EXE_archive")),
        ("replay", env!("CARGO_BIN_EXE_replay")),
    ];
    assert_eq!(binaries.map(|(name, _)| name), PIPELINE.map(|function| function.name));
    for (function, (name, binary)) in PIPELINE.iter().zip(binaries) {
        let output = Command::new(binary).env_clear().output().expect("the binary can be run");
        assert!(!output.status.success(), "{name}");
        let printed = String::from_utf8_lossy(&output.stderr);
        let missing: Vec<_> = function.reads.iter().map(|variable| variable.name()).collect();
        assert_eq!(printed, format!("Error: {name} needs {} to be set\n", missing.join(" and ")));
    }
}
