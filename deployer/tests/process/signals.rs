//! Signals end the program, and cargo with its compilers, in every state of the terminal.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::place::{DEPLOYER, Place, Running, ends};
use crate::terminal::Terminal;

/// The time limit of a run.
const WITHIN: Duration = Duration::from_secs(7);
/// The limit for an immediate end, on a machine that runs other tests.
const AT_ONCE: Duration = Duration::from_secs(3);
/// The exit code of a shell after SIGINT (128 + 2).
const INTERRUPTED: Option<i32> = Some(130);

const SIGNALS: [Signal; 3] = [Signal::INT, Signal::TERM, Signal::HUP];

#[test]
fn signal_ends_a_build_and_its_compilers() {
    for signal in SIGNALS {
        let place = Place::new();
        let mut running = Running::of(&mut place.command_hearing_signals(&["build", "dev"]));
        let compiler = place.compiler();
        running.signal(signal);
        let (code, after) = running.end();
        assert_eq!(code, INTERRUPTED, "{signal:?}");
        assert!(after < AT_ONCE, "{signal:?} after {after:?}");
        ends(compiler);
    }
}

#[test]
fn signal_during_new_leaves_no_folder_behind() {
    let place = Place::new();
    fs::create_dir(place.path("systems")).expect("the folder can be written");
    let mut running = Running::of(&mut place.command_hearing_signals(&["new", "systems/bank"]));
    let formatter = place.compiler();
    running.signal(Signal::TERM);
    assert_eq!(running.end().0, INTERRUPTED);
    ends(formatter);
    let left = fs::read_dir(place.path("systems")).expect("the folder exists");
    assert_eq!(left.count(), 0);
}

#[test]
fn unread_terminal_does_not_outlast_a_signal() {
    for signal in SIGNALS {
        let (place, terminal) = (Place::new(), Terminal::new());
        let mut command = place.command_hearing_signals(&["build", "dev"]);
        let mut running = Running::of(command.stdout(terminal.stdio()).stderr(terminal.stdio()));
        let compiler = place.compiler();
        terminal.fill();
        running.signal(signal);
        let (code, after) = running.end();
        assert_eq!(code, INTERRUPTED, "{signal:?}");
        assert!(after < WITHIN, "{signal:?} after {after:?}");
        ends(compiler);
    }
}

#[test]
fn second_signal_ends_a_build_on_an_unread_terminal() {
    let (place, terminal) = (Place::new(), Terminal::new());
    let mut command = place.command_hearing_signals(&["build", "dev"]);
    let mut running = Running::of(command.stdout(terminal.stdio()).stderr(terminal.stdio()));
    let compiler = place.compiler();
    terminal.fill();
    running.signal(Signal::INT);
    // The kernel merges two pending signals of the same kind.
    running.signal(Signal::TERM);
    let (code, after) = running.end();
    assert_eq!(code, INTERRUPTED);
    assert!(after < AT_ONCE, "after {after:?}");
    ends(compiler);
}

#[test]
fn ignored_hangup_does_not_end_a_build() {
    let place = Place::new();
    let deployer = place.command(&["build", "dev"]);
    let mut nohup = Command::new("sh");
    nohup.args(["-c", "trap '' HUP; exec \"$0\" build dev"]).arg(DEPLOYER);
    nohup
        .stderr(Stdio::null())
        .current_dir(place.path(""))
        .envs(deployer.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut running = Running::of(&mut nohup);
    let compiler = place.compiler();
    running.signal(Signal::HUP);
    place.end_build();
    assert_eq!(running.end().0, Some(1), "the deployer ends with the build");
    ends(compiler);
}

/// Where a terminal shows `^C` on the line after the progress, the progress is not cleared.
#[test]
fn progress_leaves_room_for_the_echo_of_ctrl_c() {
    const WIDTH: usize = 80;
    let (place, terminal) = (Place::new(), Terminal::new());
    let mut command = place.command_hearing_signals(&["build", "dev"]);
    command.env("NO_COLOR", "1").env("TERM", "xterm");
    let mut running = Running::of(command.stdout(Stdio::null()).stderr(terminal.stdio()));
    let compiler = place.compiler();
    running.signal(Signal::INT);
    assert_eq!(running.end().0, INTERRUPTED);
    ends(compiler);
    drop(command);
    let written = terminal.read();
    let lines: Vec<&str> =
        written.split(['\r', '\n']).map(|line| line.trim_start_matches("\u{1b}[2K")).collect();
    let progress: Vec<&&str> = lines.iter().filter(|line| line.contains("building functions")).collect();
    assert!(!progress.is_empty(), "{written:?}");
    for line in progress {
        assert!(line.chars().count() <= WIDTH - "^C".len(), "{line:?}");
    }
    assert_eq!(lines.last(), Some(&""), "the last line is complete: {written:?}");
    assert!(written.ends_with("error: interrupted while building\r\n"), "{written:?}");
}

/// Without a signal handler, the kernel ends the process.
#[test]
fn signal_ends_a_command_that_waits_for_an_answer() {
    for verb in ["plan", "logs"] {
        for signal in SIGNALS {
            let (place, terminal) = (Place::new(), Terminal::new());
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
            let address = listener.local_addr().expect("it listens");
            let mut command = place.command_hearing_signals(&[verb, "dev"]);
            command.env("AWS_ENDPOINT_URL", format!("http://{address}"));
            let mut running = Running::of(command.stdout(terminal.stdio()).stderr(terminal.stdio()));
            let _never_answered = listener.accept().expect("the deployer connects");
            terminal.fill();
            running.signal(signal);
            let (_, after) = running.end();
            assert!(after < AT_ONCE, "{verb}: {signal:?} after {after:?}");
        }
    }
}
