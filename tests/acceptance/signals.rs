//! Ctrl-C, SIGTERM and SIGHUP while nothing answers: the run is over within seconds, says how far it came
//! and how to go on, and the next one does.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use acceptance::{Cloud, Hollow, Inventory, Moment, Place, Run, Signal, Trapped, differences};

use crate::Test;

pub(crate) const TESTS: &[Test] = &[
    ("signal_ends_an_unanswered_run_with_a_report", signal_ends_an_unanswered_run_with_a_report),
    ("second_signal_ends_a_run_at_once", second_signal_ends_a_run_at_once),
];

/// In what time a run has to be over, with what it has to say.
const WITHIN: Duration = Duration::from_secs(7);
/// "At once", on a machine that is busy with other tests.
const AT_ONCE: Duration = Duration::from_secs(2);
/// What a shell makes of SIGINT (128 + 2).
const INTERRUPTED: i32 = 130;

const SIGNALS: [Signal; 3] = [Signal::INT, Signal::TERM, Signal::HUP];

/// While what was no longer answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum During {
    /// `up` changes things.
    Up,
    /// `up` reads again what it changed.
    Settling,
    /// `down` deletes things.
    Down,
}

const MOMENTS: [During; 3] = [During::Up, During::Settling, During::Down];

/// How many changes an undisturbed run makes before the last words of its record.
struct Undisturbed {
    up: usize,
    down: usize,
}

/// Each signal at each moment: exit code 1 in time, a report, and a way on.
fn signal_ends_an_unanswered_run_with_a_report(cloud: &Cloud) {
    let hollow = Hollow::of(cloud).expect("a temporary folder can be made");
    let undisturbed = Undisturbed::look(cloud, &hollow);
    everywhere(|during, signal| {
        let place = cloud.place();
        let trapped = undisturbed.stopped(&place, &hollow, during, &[signal]);
        let when = format!("{signal:?} during {during:?}: {trapped:#?}");
        assert!(trapped.after.is_some_and(|after| after < WITHIN), "{when}");
        assert_eq!(trapped.run.code, Some(1), "{when}");
        let verb = if during == During::Down { "down" } else { "up" };
        let said = |what: &str| assert!(trapped.run.stderr.contains(what), "`{what}` is not said: {when}");
        said("stopping: ");
        said(&format!("{verb} local` "));
        said(if during == During::Down { "✓ deleted " } else { "✓ created " });
        if during == During::Settling {
            said("and not read again");
        } else {
            said("at work when the run was stopped: how far it came is not known");
            said("not begun when the run was stopped");
        }
        goes_on(&place, &hollow, during);
    });
}

/// Whoever asks twice has the shell back, and no report; and the next run goes on all the same.
fn second_signal_ends_a_run_at_once(cloud: &Cloud) {
    let hollow = Hollow::of(cloud).expect("a temporary folder can be made");
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

/// Does something for each moment and signal, one moment beside the other.
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
            changes.iter().rposition(|change| !record(change)).expect("it changes things") + 1
        });
        Self { up, down }
    }

    /// Has a run stopped at this moment.
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

/// Returns the command as one that signals reach, although `nohup` or a shell's `&` may have started
/// these tests: what they have ignored is ignored by all that is started, and rightly so.
fn hearing_signals(command: &Command) -> Command {
    let mut hearing = Command::new("env");
    // Of GNU's `env`, which is that of Linux.
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

/// Insists that the next run ends what was begun, and that everything goes in the end.
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
