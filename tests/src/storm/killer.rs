//! Kills functions at random moments, because AWS does not promise that this never happens.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::running::running;

/// The longest pause between two kills. In this time, every function completes some of its work, and none
/// completes all of it.
const PAUSE: Duration = Duration::from_millis(800);

/// Kills one function of this cloud after another until `until` is true. Returns how often each was killed.
pub(super) async fn kill(cloud: i32, mut until: watch::Receiver<bool>) -> BTreeMap<String, u64> {
    let mut killed = BTreeMap::new();
    while timeout(PAUSE.mul_f64(fastrand::f64()), until.wait_for(|done| *done)).await.is_err() {
        let running = running(cloud);
        // Chooses the function first, because some have many processes.
        let functions: BTreeSet<&String> = running.iter().map(|running| &running.function).collect();
        let chosen = fastrand::choice(functions);
        let victims = running.iter().filter(|running| Some(&running.function) == chosen);
        let Some(victim) = fastrand::choice(victims.collect::<Vec<_>>()) else { continue };
        if victim.kill() {
            *killed.entry(victim.function.clone()).or_default() += 1;
        }
    }
    killed
}
