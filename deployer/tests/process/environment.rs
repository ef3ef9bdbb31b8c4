//! Environment variables and arguments: any bytes, or empty.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;

use crate::place::{Place, said};

/// "B¥R" in Latin-1.
const LATIN: &[u8] = b"B\xa5R";

#[test]
fn variable_that_is_not_utf8_does_not_panic() {
    let place = Place::new();
    place.end_build();
    let mut command = place.command(&["build", "dev"]);
    let output = command.env("FOO", OsStr::from_bytes(LATIN)).env(OsStr::from_bytes(LATIN), "x").output();
    let (code, stderr) = said(&output.expect("the deployer can be run"));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("this cargo builds nothing"), "{stderr}");
}

#[test]
fn program_name_that_is_not_utf8_does_not_panic() {
    let place = Place::new();
    place.write(
        "environments/local.toml",
        "region = \"us-east-1\"\naccount = \"000000000000\"\n[local]\nport = 1\n",
    );
    let mut command = place.command(&["history", "local"]);
    let output = command.arg0(OsStr::from_bytes(LATIN)).env_remove("CARGO").output();
    let (code, stderr) = said(&output.expect("the deployer can be run"));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("hint: `B\u{fffd}R up local` starts it"), "{stderr}");
}

#[test]
fn empty_variable_of_an_option_is_unset() {
    let place = Place::new();
    place.end_build();
    let output = place.command(&["build", "dev"]).env("DEPLOYER_ENVIRONMENTS", "").output();
    let (code, stderr) = said(&output.expect("the deployer can be run"));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("this cargo builds nothing"), "{stderr}");
}
