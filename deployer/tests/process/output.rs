//! The output of the program: complete, or an error.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::symlink;

use crate::place::{Place, said};

#[test]
fn full_disk_is_an_error() {
    // Output that cannot be written is an error, even if the command has another exit code.
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
    let place = Place::new();
    for arguments in commands {
        let full = OpenOptions::new().write(true).open("/dev/full").expect("Linux has `/dev/full`");
        let output = place.command(arguments).stdout(full).output().expect("the deployer can be run");
        let (code, said) = said(&output);
        assert_eq!(code, Some(1), "{arguments:?}: {said}");
        assert!(said.contains("error: cannot write standard output: No space left"), "{arguments:?}: {said}");
    }
}

#[test]
fn closed_pipe_ends_quietly() {
    let (reader, writer) = std::io::pipe().expect("a pipe can be created");
    drop(reader);
    let output =
        Place::new().command(&["outputs", "dev"]).stdout(writer).output().expect("the deployer can be run");
    assert_eq!(said(&output), (Some(0), String::new()));
}

#[test]
fn piped_output_has_no_colours() {
    let output = Place::new().command(&["outputs", "dev"]).output().expect("the deployer can be run");
    assert!(output.status.success() && !output.stdout.is_empty());
    assert!(!output.stdout.contains(&0x1b), "{output:?}");
}

#[test]
fn bundle_that_cannot_be_written_is_not_built() {
    let place = Place::new();
    symlink("/dev/full", place.path("full")).expect("the folder can be written");
    for (path, problem) in
        [("full", "it is a device, not a regular file"), ("no/such/x", "cannot write no/such/x")]
    {
        let (code, said) =
            said(&place.command(&["bundle", "dev", "-o", path]).output().expect("the deployer can be run"));
        assert!(matches!(code, Some(1 | 64)), "{said}");
        assert!(said.contains(problem) && !said.contains("building"), "{said}");
    }
    assert!(fs::symlink_metadata(place.path("full")).expect("the link still exists").is_symlink());
}

/// Otherwise a program that reads standard output finds nothing there, and has to parse text.
#[test]
fn error_is_json_where_json_was_asked_for() {
    let place = Place::new();
    let output = place.command(&["outputs", "nope", "--format", "json"]).output();
    let output = output.expect("the deployer can be run");
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("the error is JSON");
    assert_eq!(found["schema"], 1);
    let error = &found["error"];
    let message = error["message"].as_str().expect("there is a message");
    assert!(message.starts_with("there is no environment file"), "{error}");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.starts_with("environments:")), "{error}");
    assert_eq!((output.status.code(), error["exit_code"].as_i64()), (Some(64), Some(64)));
    let text = place.command(&["outputs", "nope"]).output().expect("the deployer can be run");
    assert!(text.stdout.is_empty(), "text goes to standard error only: {text:?}");
    assert_eq!(text.stderr, output.stderr);
}
