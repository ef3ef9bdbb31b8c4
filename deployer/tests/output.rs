//! What the program writes: whole, byte for byte, or with an error. The real binary, with commands
//! that need no cloud.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn deployer(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deployer"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is around it");
    command.args(arguments).current_dir(root).env_remove("CARGO").stdin(Stdio::null());
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn full_disk_is_an_error() {
    // What cannot be written fails whatever the command would have ended with.
    let commands: &[&[&str]] = &[
        &["outputs", "dev"],
        &["outputs", "dev", "--format", "json"],
        &["outputs", "dev", "--format", "env"],
        &["policy", "dev"],
        &["policy", "dev", "--read-only"],
        &["--help"],
        &["up", "--help"],
        &["--version"],
    ];
    for arguments in commands {
        let full = OpenOptions::new().write(true).open("/dev/full").expect("Linux has a full disk");
        let output = deployer(arguments).stdout(full).output().expect("it starts");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        let said = stderr(&output);
        assert!(said.contains("error: cannot write standard output: No space left"), "{arguments:?}: {said}");
    }
}

#[test]
fn closed_pipe_ends_quietly() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = deployer(&["outputs", "dev"]).stdout(writer).output().expect("it starts");
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
}

#[test]
fn output_of_a_program_has_no_colours_when_piped() {
    let output = deployer(&["outputs", "dev"]).output().expect("it starts");
    assert!(output.status.success() && !output.stdout.is_empty());
    assert!(!output.stdout.contains(&0x1b), "{output:?}");
}

#[test]
fn bundle_is_not_built_where_it_cannot_be_written() {
    let cases = [("/dev/full", "it is a device, not a file"), ("/no/such/folder/x", "cannot write into")];
    for (path, said) in cases {
        let output = deployer(&["bundle", "dev", "-o", path]).output().expect("it starts");
        assert!(matches!(output.status.code(), Some(1 | 64)), "{output:?}");
        assert!(stderr(&output).contains(said) && !stderr(&output).contains("building"), "{output:?}");
    }
    let metadata = File::open("/dev/full").and_then(|full| full.metadata()).expect("it is still there");
    assert!(!metadata.is_file());
}
