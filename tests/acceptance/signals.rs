//! Ctrl-C, SIGTERM and SIGHUP while no request is answered: the run ends within seconds, reports how far it
//! came and how to continue, and the next run continues.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use acceptance::{Cloud, Hollow, Inventory, Moment, Place, Run, Signal, Trapped, differences};

use crate::Test;

pub(crate) const TESTS: &[Test] = &[
    ("signal_ends_an_unanswered_run_with_a_report", signal_ends_an_unanswered_run_with_a_report),
    ("second_signal_ends_a_run_at_once", second_signal_ends_a_run_at_once),
];

/// The time in which a run must have ended, with its report.
const WITHIN: Duration = Duration::from_secs(7);
/// "At once", on a machine that is busy with other tests.
const AT_ONCE: Duration = Duration::from_secs(2);
/// The exit code of a shell after SIGINT (128 + 2).
const INTERRUPTED: i32 = 130;

const SIGNALS: [Signal; 3] = [Signal::INT, Signal::TERM, Signal::HUP];

/// The activity during which requests are no longer answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum During {
    /// `up` changes resources.
    Up,
    /// `up` verifies its changes.
    Settling,
    /// `down` deletes resources.
    Down,
}

const MOMENTS: [During; 3] = [During::Up, During::Settling, During::Down];

/// How many changes a run makes without a signal before it completes its release record.
struct Undisturbed {
    up: usize,
    down: usize,
}

/// Each signal at each moment: exit code 1 in time, a report, and a hint.
fn signal_ends_an_unanswered_run_with_a_report(cloud: &Cloud) {
    let hollow = Hollow::of(cloud).expect("a temporary folder can be created");
    let undisturbed = Undisturbed::look(cloud, &hollow);
    everywhere(|during, signal| {
        let place = cloud.place();
        let trapped = undisturbed.stopped(&place, &hollow, during, &[signal]);
        let when = format!("{signal:?} during {during:?}: {trapped:#?}");
        assert!(trapped.after.is_some_and(|after| after < WITHIN), "{when}");
        assert_eq!(trapped.run.code, Some(1), "{when}");
        let verb = if during == During::Down { "down" } else { "up" };
        let said =
            |what: &str| assert!(trapped.run.stderr.contains(what), "the output lacks `{what}`: {when}");
        said("stopping: ");
        said(&format!("{verb} local` "));
        said(if during == During::Down { "✓ deleted " } else { "✓ created " });
        if during == During::Settling {
            said("but not verified");
        } else {
            said("in progress when the run was stopped; the result is not known");
            said("not started when the run was stopped");
        }
        goes_on(&place, &hollow, during);
    });
}

/// A second signal ends the run at once, without a report; the next run continues all the same.
fn second_signal_ends_a_run_at_once(cloud: &Cloud) {
    let hollow = Hollow::of(cloud).expect("a temporary folder can be created");
    let undisturbed = Undisturbed::look(cloud, &hollow);
    everywhere(|during, second| {
        let place = cloud.place();
        let trapped = undisturbed.stopped(&place, &hollow, during, &[Signal::INT, second]);
        let when = format!("{second:?} again during {during:?}: {trapped:#?}");
        assert!(trapped.after.is_some_and(|after| after < AT_ONCE), "{when}");
        assert_eq!(trapped.run.code, Some(INTERRUPTED), "{when}");
        goes_on(&place, &hollow, during);
    });
}

/// Runs a test for each moment and signal, the moments concurrently.
fn everywhere(work: impl Fn(During, Signal) + Sync) {
    let work = &work;
    thread::scope(|scope| {
        for during in MOMENTS {
            scope.spawn(move || SIGNALS.into_iter().for_each(|signal| work(during, signal)));
        }
    });
}

impl Undisturbed {
    fn look(cloud: &Cloud, hollow: &Hollow) -> Self {
        let place = cloud.place();
        let [up, down] = ["up", "down"].map(|verb| {
            let trapped = place.trapped(hollow.command(&place, &[verb, "local"]), None, &[]);
            assert_eq!(trapped.run.code, Some(0), "{verb}: {trapped:#?}");
            let record = |change: &String| change.contains("-deployment-");
            let changes: Vec<String> = trapped.changes.iter().map(ToString::to_string).collect();
            changes.iter().rposition(|change| !record(change)).expect("a run changes resources") + 1
        });
        Self { up, down }
    }

    /// Runs a verb, and stops it with signals at this moment.
    fn stopped(&self, place: &Place<'_>, hollow: &Hollow, during: During, signals: &[Signal]) -> Trapped {
        let (verb, at) = match during {
            During::Up => ("up", Moment::Changing(self.up / 2)),
            During::Settling => ("up", Moment::Reading(self.up)),
            During::Down => ("down", Moment::Changing(self.down / 4)),
        };
        if during == During::Down {
            insist(place, hollow, "up");
        }
        let command = hearing_signals(&hollow.command(place, &[verb, "local"]));
        place.trapped(command, Some(at), signals)
    }
}

/// Returns a command that receives signals, even if `nohup` or a shell's `&` started these tests: child
/// processes inherit ignored signals.
fn hearing_signals(command: &Command) -> Command {
    let mut hearing = Command::new("env");
    // An option of GNU `env`, which Linux has.
    if cfg!(target_os = "linux") {
        hearing.arg("--default-signal=HUP,INT,TERM");
    }
    hearing.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => hearing.env(name, value),
            None => hearing.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        hearing.current_dir(folder);
    }
    hearing
}

/// Checks that the next run completes the work, and that everything can be deleted in the end.
fn goes_on(place: &Place<'_>, hollow: &Hollow, during: During) {
    if during != During::Down {
        insist(place, hollow, "up");
        insist(place, hollow, "drift");
    }
    insist(place, hollow, "down");
    assert_eq!(differences(&Inventory::new(), &place.inventory()), [""; 0], "after {during:?}");
}

fn insist(place: &Place<'_>, hollow: &Hollow, verb: &str) {
    let run = Run::of(&mut hollow.command(place, &[verb, "local"]));
    assert_eq!(run.code, Some(0), "{verb}: {run:#?}");
}
