//! The binaries of every pipeline's functions: each names a missing environment variable.

use std::process::Command;

use eventsourcing::contract::{ARCHIVE_BUCKET, EVENT_STREAM, HANDLERS, PIPELINE};

#[test]
fn pipeline_binaries_name_a_missing_variable() {
    let binaries = [
        ("capture", env!("CARGO_BIN_EXE_capture"), EVENT_STREAM),
        ("archive", env!("CARGO_BIN_EXE_archive"), ARCHIVE_BUCKET),
        ("replay", env!("CARGO_BIN_EXE_replay"), HANDLERS),
    ];
    assert_eq!(binaries.map(|(name, ..)| name), PIPELINE);
    for (name, binary, variable) in binaries {
        let output = Command::new(binary).env_clear().output().expect("the binary can be run");
        assert!(!output.status.success(), "{name}");
        let printed = String::from_utf8_lossy(&output.stderr);
        assert_eq!(printed, format!("Error: {name} needs {variable} to be set\n"));
    }
}
