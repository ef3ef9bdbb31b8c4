//! Each binary names a missing environment variable when it starts.

use std::{fs, path::Path, process::Command};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin");

#[test]
fn binaries_name_a_missing_variable() {
    let folder = Path::new(env!("CARGO_BIN_EXE_log-events"));
    for file in fs::read_dir(SOURCES).expect("the folder of the binaries exists") {
        let path = file.expect("the folder can be read").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a file has a name");
        let variable = if name == "log-events" { "ARCHIVE_BUCKET" } else { "EVENTS_TABLE" };
        let output = Command::new(folder.with_file_name(name)).env_clear().output();
        let output = output.expect("the binary can be run");
        assert!(!output.status.success(), "{name}");
        let printed = String::from_utf8_lossy(&output.stderr);
        assert_eq!(printed, format!("Error: {name} needs {variable} to be set\n"));
    }
}
