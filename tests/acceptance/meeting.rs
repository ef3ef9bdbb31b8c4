//! Two `up`s of one environment at once: they end in one of the two states, or say so.

use std::fs;
use std::process::{Child, Stdio};

use acceptance::{Call, Cloud, Place, Run, until};

use crate::Test;

pub(crate) const TESTS: &[Test] =
    &[("two_runs_at_once_never_mix_in_silence", two_runs_at_once_never_mix_in_silence)];

/// After how many calls of the first run the second begins: while it looks, as it begins to
/// write, while it writes.
const BEGINS_AFTER: [usize; 4] = [1, 60, 90, 150];

/// Whenever the second begins, of two runs that want different things: a run that ends with
/// success either left the world as it wants it, or was followed by one that did.
fn two_runs_at_once_never_mix_in_silence(cloud: &Cloud) {
    for after in BEGINS_AFTER {
        let place = cloud.place();
        configure(&place, 256);
        let record = place.folder().join("first.jsonl");
        let first = begin(&place, &["up", "local", "--record-calls", &record.display().to_string()]);
        let mut first = Some(first);
        until("the first run to have come so far", || {
            let ended = first.as_mut().is_some_and(|run| run.try_wait().is_ok_and(|code| code.is_some()));
            (ended || Call::recorded(&record).len() >= after).then_some(())
        });
        configure(&place, 512);
        let second = begin(&place, &["up", "local"]);
        let second = end(second);
        let first = end(first.expect("it was begun"));
        insist(&place, after, &first, &second);

        let repaired = place.deploys(&["up", "local"]);
        let clean = place.deployer(&["drift", "local"]);
        assert_eq!(clean.code, Some(0), "{repaired:#?} {clean:#?}");
    }
}

/// Insists that the world is as one of the runs that succeeded wanted it, or none succeeded.
fn insist(place: &Place<'_>, after: usize, first: &Run, second: &Run) {
    let clean_for = |memory_mb: u32| {
        configure(place, memory_mb);
        place.deployer(&["drift", "local"]).code == Some(0)
    };
    let (as_first, as_second) = (clean_for(256), clean_for(512));
    let told = |run: &Run| run.stderr.contains("another run");
    let said = first.code != Some(0) || second.code != Some(0) || told(first) || told(second);
    assert!(
        as_first || as_second || said,
        "after {after} calls, a mixture in silence: {first:#?} {second:#?}"
    );
    for (run, clean) in [(first, as_first), (second, as_second)] {
        let stopped = run.code == Some(1) && told(run);
        // Who did not fail and sees another state now was followed by the other run.
        let followed = run.code == Some(0) && (as_first || as_second || said);
        assert!(clean || stopped || followed, "after {after} calls: {run:#?}");
    }
}

fn configure(place: &Place<'_>, memory_mb: u32) {
    place.environment("local", &format!("[local]\nport = 4566\n[functions]\nmemory_mb = {memory_mb}\n"));
    let written = fs::read_to_string(place.environments().join("local.toml"));
    assert!(written.is_ok_and(|text| text.contains(&memory_mb.to_string())));
}

fn begin(place: &Place<'_>, arguments: &[&str]) -> Child {
    let mut command = place.command(arguments);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the deployer was just built")
}

fn end(run: Child) -> Run {
    Run::from(run.wait_with_output().expect("it was begun"))
}
