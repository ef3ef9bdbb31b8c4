//! Killed with SIGKILL before and after every call that may change something, `up` and `down`
//! are finished by being run again.

use std::collections::VecDeque;
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use acceptance::{Change, Cloud, Hollow, Inventory, Place, Run, Side, differences};

use crate::Test;

pub(crate) const TESTS: &[Test] = &[("killed_anywhere_and_run_again", killed_anywhere_and_run_again)];

/// Accounts at a time. More would wait for the cloud, which is one process.
const AT_ONCE: usize = 3;

/// A call, and on which side of it the deployer ends.
type Point = (Change, Side);

/// How things are when nobody is killed, and where one could be.
struct Undisturbed {
    up: Vec<Point>,
    down: Vec<Point>,
    there: Inventory,
    gone: Inventory,
}

/// An undisturbed `up` and `down` tell which calls there are. For each call and each side of it
/// an account of its own, in which the deployer is killed there and run once more.
fn killed_anywhere_and_run_again(cloud: &Cloud) {
    let hollow = Hollow::of(cloud).expect("a temporary folder can be made");
    let undisturbed = Undisturbed::look(cloud, &hollow);
    let downs = undisturbed.down.iter().map(Some).chain(std::iter::repeat(None));
    let waiting: Mutex<VecDeque<_>> = Mutex::new(undisturbed.up.iter().zip(downs).collect());
    assert!(undisturbed.down.len() <= undisturbed.up.len(), "some calls of `down` find no account");
    let failures = Mutex::new(Vec::new());
    let work = || {
        loop {
            let next = waiting.lock().expect("nobody panics while holding it").pop_front();
            let Some((up, down)) = next else { return };
            if let Err(failure) = undisturbed.repeat(cloud, &hollow, up, down) {
                failures.lock().expect("nobody panics while holding it").push(failure);
            }
        }
    };
    thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(work))));
    let failures = failures.into_inner().expect("nobody panics while holding it");
    let (all, up, down) = (failures.len(), undisturbed.up.len(), undisturbed.down.len());
    assert!(failures.is_empty(), "{all} of {up} + {down}:\n{}", failures.join("\n"));
}

impl Undisturbed {
    fn look(cloud: &Cloud, hollow: &Hollow) -> Self {
        let place = cloud.place();
        let calls = |verb: &str| {
            let (run, calls) = place.trapped(command(&place, hollow, verb), None);
            assert_eq!(run.code, Some(0), "{verb}: {run:#?}");
            assert!(!calls.is_empty(), "{verb} changed nothing: {run:#?}");
            let points =
                calls.into_iter().flat_map(|call| [(call.clone(), Side::Before), (call, Side::After)]);
            points.collect::<Vec<_>>()
        };
        let (up, there) = (calls("up"), place.likeness());
        let (down, gone) = (calls("down"), place.likeness());
        Self { up, down, there, gone }
    }

    /// Brings a new account up and down again, killed on the way at these points.
    fn repeat(&self, cloud: &Cloud, hollow: &Hollow, up: &Point, down: Option<&Point>) -> Result<(), String> {
        let place = cloud.place();
        killed(&place, hollow, "up", up)?;
        compare(&place, "up", up, &self.there)?;
        let drift = Run::of(&mut command(&place, hollow, "drift"));
        if drift.code != Some(0) {
            return Err(format!("up killed {} {}, then `drift`: {drift:#?}", up.1, up.0));
        }
        let Some(down) = down else { return Ok(()) };
        killed(&place, hollow, "down", down)?;
        compare(&place, "down", down, &self.gone)
    }
}

/// Runs this verb, which ends at this point, and runs it again.
fn killed(place: &Place<'_>, hollow: &Hollow, verb: &str, point: &Point) -> Result<(), String> {
    let at = format!("{verb} killed {} {}", point.1, point.0);
    let (run, _) = place.trapped(command(place, hollow, verb), Some(point.clone()));
    if run.code.is_some() {
        return Err(format!("{at}: it never came there: {run:#?}"));
    }
    let again = Run::of(&mut command(place, hollow, verb));
    if again.code != Some(0) {
        return Err(format!("{at}, then again: {again:#?}"));
    }
    Ok(())
}

/// Compares a place with one in which nobody was killed.
fn compare(place: &Place<'_>, verb: &str, point: &Point, undisturbed: &Inventory) -> Result<(), String> {
    let differences = differences(undisturbed, &place.likeness());
    if differences.is_empty() {
        return Ok(());
    }
    Err(format!("{verb} killed {} {}, then again: {differences:#?}", point.1, point.0))
}

fn command(place: &Place<'_>, hollow: &Hollow, verb: &str) -> Command {
    let mut command = place.command(&[verb, "local"]);
    command.current_dir(hollow.path());
    command
}
