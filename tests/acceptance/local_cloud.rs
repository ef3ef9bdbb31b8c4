//! `local`: the local cloud, and another program that uses its port.

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

/// The local cloud is started once and then found, by `up` too; it is emptied; its process ends when it is
/// stopped, and stopping it again succeeds.
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
    assert_eq!(pid, self::pid(&says(&place, "start", "is already running")));
    assert_eq!(pid, self::pid(&says(&place, "status", "is running")));
    assert!(started.stdout.contains(&format!("127.0.0.1:{port}")), "{started:#?}");
    assert!(alive(pid), "`alive` finds a running process");

    // The plan shows whether the cloud is empty.
    let make = root_of(&place, port).kinesis.create_stream().stream_name("cart-local-events").shard_count(1);
    cloud.wait(make.send()).expect("a new cloud is empty");
    assert_eq!(local(&place, &["plan", "local"]).code, Some(5));
    says(&place, "reset", "empty");
    assert_eq!(local(&place, &["plan", "local"]).code, Some(2));
    assert_eq!(pid, self::pid(&says(&place, "status", "is running")));

    says(&place, "stop", &format!("pid {pid}"));
    assert!(!alive(pid), "process {pid} is still running");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "a process still listens on {port}");
    says(&place, "stop", "not running");
    says(&place, "status", "not running");
    let reset = local(&place, &["local", "reset"]);
    assert_eq!(reset.code, Some(1), "{reset:#?}");
}

/// A port that another program holds is not used, and that program is not ended.
fn port_held_by_another_program_is_left_alone(cloud: &Cloud) {
    let place = cloud.place();
    let theirs = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let port = theirs.local_addr().expect("the listener is bound").port();
    configure(&place, port);
    let up = local(&place, &["up", "local"]);
    assert_eq!(up.code, Some(1), "{up:#?}");
    assert!(up.stderr.contains(&format!("port {port} is in use by")), "{up:#?}");
    assert!(up.stderr.contains("hint:"), "{up:#?}");
    says(&place, "status", "is in use by");
    says(&place, "stop", "not running");
    // Connections of the deployer wait here to be accepted; no other process opened any.
    theirs.set_nonblocking(true).expect("the listener is a socket");
    theirs.accept().expect("the deployer connected");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok(), "the listener is gone");
}

/// Configures another local cloud for the place, without installing MiniStack again.
fn configure(place: &Place<'_>, port: u16) {
    // The account of the local cloud's root; usually a place has its own account.
    let text = format!("region = \"us-east-1\"\naccount = \"000000000000\"\n[local]\nport = {port}\n");
    fs::write(place.environments().join("local.toml"), text).expect("a new folder is writable");
    let folder = place.folder().join(".deployer");
    fs::create_dir_all(&folder).expect("a new folder is writable");
    let shared = place.cloud.root().join(".deployer");
    for entry in fs::read_dir(shared).expect("the tests' cloud is installed there") {
        let entry = entry.expect("the folder can be read");
        if entry.file_name().to_string_lossy().starts_with("ministack-") {
            symlink(entry.path(), folder.join(entry.file_name())).expect("a new folder is writable");
        }
    }
}

/// Returns a command of the deployer as a user runs it, without the tests' endpoint.
fn command(place: &Place<'_>, arguments: &[&str]) -> Command {
    let mut command = place.command(arguments);
    command.env_remove("AWS_ENDPOINT_URL").env_remove("AWS_ACCESS_KEY_ID");
    command.env_remove("AWS_SECRET_ACCESS_KEY");
    command
}

fn local(place: &Place<'_>, arguments: &[&str]) -> Run {
    Run::of(&mut command(place, arguments))
}

/// Runs a verb of `local`, and checks that it succeeds and prints this.
fn says(place: &Place<'_>, verb: &str, what: &str) -> Run {
    let run = local(place, &["local", verb]);
    assert_eq!(run.code, Some(0), "local {verb}: {run:#?}");
    assert!(run.stdout.contains(what), "local {verb} does not print `{what}`: {run:#?}");
    run
}

/// Returns clients of the root of the place's local cloud.
fn root_of(place: &Place<'_>, port: u16) -> Aws {
    let endpoint = Some(format!("http://127.0.0.1:{port}"));
    let target =
        Target { endpoint, credentials: Credentials::Fixed("test", "test"), call_log: None, read_only: None };
    place.cloud.wait(Aws::connect(place.scope("local"), &target))
}

fn pid(run: &Run) -> u32 {
    let after = run.stdout.split("pid ").nth(1).unwrap_or_default();
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("the output has no process id: {run:#?}"))
}

/// Returns whether a process with this number runs. A process that has ended, but was not waited for, does
/// not count.
fn alive(pid: u32) -> bool {
    let ps = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output();
    let status = String::from_utf8_lossy(&ps.expect("`ps` is installed").stdout).trim().to_owned();
    !status.is_empty() && !status.starts_with('Z')
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("the listener is bound").port()
}
