//! `local`: the local cloud by itself, and what happens when something else is in its place.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::process::Command;

use acceptance::{Cloud, Place, Run};
use aws::{Aws, Credentials, Target};

use crate::Test;

pub(crate) const TESTS: &[Test] = &[
    ("local_cloud_starts_is_found_emptied_and_stopped", local_cloud_starts_is_found_emptied_and_stopped),
    ("port_held_by_another_program_is_left_alone", port_held_by_another_program_is_left_alone),
];

/// Started once and found again, also by `up`'s own look for it; emptied; gone with its
/// process when stopped, and stopped again without complaint.
fn local_cloud_starts_is_found_emptied_and_stopped(cloud: &Cloud) {
    let place = cloud.place();
    let port = free_port();
    configure(&place, port);
    let absent = local(&place, &["plan", "local"]);
    assert_eq!(absent.code, Some(1), "{absent:#?}");
    assert!(absent.stderr.contains("not running") && absent.stderr.contains("up local"), "{absent:#?}");
    says(&place, "status", "not running");

    let started = says(&place, "start", "started");
    let pid = pid(&started);
    assert_eq!(pid, self::pid(&says(&place, "start", "runs already")));
    assert_eq!(pid, self::pid(&says(&place, "status", "runs")));
    assert!(started.stdout.contains(&format!("127.0.0.1:{port}")), "{started:#?}");
    assert!(alive(pid), "the test asks the wrong way whether a process lives");

    // Whether there is something in it shows in what there is to do.
    let make = root_of(&place, port).kinesis.create_stream().stream_name("cart-local-events").shard_count(1);
    cloud.wait(make.send()).expect("a new cloud is empty");
    assert_eq!(local(&place, &["plan", "local"]).code, Some(5));
    says(&place, "reset", "empty");
    assert_eq!(local(&place, &["plan", "local"]).code, Some(2));
    assert_eq!(pid, self::pid(&says(&place, "status", "runs")));

    says(&place, "stop", &format!("pid {pid}"));
    assert!(!alive(pid), "process {pid} is still there");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "somebody still listens on {port}");
    says(&place, "stop", "not running");
    says(&place, "status", "not running");
    let reset = local(&place, &["local", "reset"]);
    assert_eq!(reset.code, Some(1), "{reset:#?}");
}

/// A port of somebody else is not used, and whoever holds it is not ended.
fn port_held_by_another_program_is_left_alone(cloud: &Cloud) {
    let place = cloud.place();
    let theirs = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let port = theirs.local_addr().expect("it is bound").port();
    configure(&place, port);
    let up = local(&place, &["up", "local"]);
    assert_eq!(up.code, Some(1), "{up:#?}");
    assert!(up.stderr.contains(&format!("port {port} is held by")), "{up:#?}");
    assert!(up.stderr.contains("hint:"), "{up:#?}");
    says(&place, "status", "held by something else");
    says(&place, "stop", "not running");
    // Connections that the deployer made wait here to be accepted; nobody else closed the port.
    theirs.set_nonblocking(true).expect("it is a socket");
    theirs.accept().expect("the deployer asked who is there");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok(), "the listener is gone");
}

/// Gives the place a local cloud of its own, without installing another MiniStack.
fn configure(place: &Place<'_>, port: u16) {
    // The account of the local cloud's root, which a place otherwise has one of its own for.
    let text = format!("region = \"us-east-1\"\naccount = \"000000000000\"\n[local]\nport = {port}\n");
    fs::write(place.environments().join("local.toml"), text).expect("a new folder can be written");
    let folder = place.folder().join(".deployer");
    fs::create_dir_all(&folder).expect("a new folder can be written");
    let shared = place.cloud.root().join(".deployer");
    for entry in fs::read_dir(shared).expect("the tests' own cloud was installed there") {
        let entry = entry.expect("the folder can be read");
        if entry.file_name().to_string_lossy().starts_with("ministack-") {
            symlink(entry.path(), folder.join(entry.file_name())).expect("a new folder can be written");
        }
    }
}

/// Returns the deployer as a person has it, who knows nothing of the tests' cloud.
fn command(place: &Place<'_>, arguments: &[&str]) -> Command {
    let mut command = place.command(arguments);
    command.env_remove("AWS_ENDPOINT_URL").env_remove("AWS_ACCESS_KEY_ID");
    command.env_remove("AWS_SECRET_ACCESS_KEY");
    command
}

fn local(place: &Place<'_>, arguments: &[&str]) -> Run {
    Run::of(&mut command(place, arguments))
}

/// Does something with the local cloud that has to succeed and to say this.
fn says(place: &Place<'_>, verb: &str, what: &str) -> Run {
    let run = local(place, &["local", verb]);
    assert_eq!(run.code, Some(0), "local {verb}: {run:#?}");
    assert!(run.stdout.contains(what), "local {verb} does not say `{what}`: {run:#?}");
    run
}

/// Returns clients of the root of the place's own cloud.
fn root_of(place: &Place<'_>, port: u16) -> Aws {
    let endpoint = Some(format!("http://127.0.0.1:{port}"));
    let target =
        Target { endpoint, credentials: Credentials::Fixed("test", "test"), call_log: None, read_only: None };
    place.cloud.wait(Aws::connect(place.scope("local"), &target))
}

fn pid(run: &Run) -> u32 {
    let after = run.stdout.split("pid ").nth(1).unwrap_or_default();
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("no process is named: {run:#?}"))
}

/// Tells whether there is a process of this number; one that ended and was not yet waited for
/// is none.
fn alive(pid: u32) -> bool {
    let ps = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output();
    let status = String::from_utf8_lossy(&ps.expect("every Unix has ps").stdout).trim().to_owned();
    !status.is_empty() && !status.starts_with('Z')
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("it is bound").port()
}
