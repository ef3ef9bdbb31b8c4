//! Waiting with polling and a deadline, never with a fixed sleep.

use std::time::{Duration, Instant};

/// Longer than anything takes on a busy machine with two cores.
const DEADLINE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(200);

/// Calls `ask` until it returns a value.
///
/// # Panics
/// Panics after a deadline; `what` says what was awaited.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < DEADLINE, "waited {DEADLINE:?} for {what}");
        std::thread::sleep(PAUSE);
    }
}
