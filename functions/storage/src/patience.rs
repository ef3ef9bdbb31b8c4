//! The one way of waiting before something is tried again: a random time, growing, and
//! never beyond what the invocation has left.
//!
//! Its clock is tokio's, which can be stopped, and its chance is fastrand's, which can be
//! seeded: both are how a simulator makes it do the same thing twice.

use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep};

/// How long the first wait is at most: about one fetch and one append.
const FIRST: Duration = Duration::from_millis(20);
/// How long any wait is at most.
///
/// Writers who lost a race wait anywhere between nothing and this ("full jitter"). With 32
/// writers on one cart and about 20 ms for fetch and append, 400 ms hold some 20 attempts,
/// so every round lets about one writer through; all 32 are done within a few seconds. A
/// longer wait would only idle, a shorter one would have them all collide again.
const LONGEST: Duration = Duration::from_millis(400);
/// How long something is tried at most, however much time the function has.
///
/// Nobody wants to wait longer for a conflict; a stream's batch is delivered again anyway.
const ENOUGH: Duration = Duration::from_secs(20);
/// What is left of the invocation's time when patience ends.
///
/// The last attempt may just have begun and has to end, too; an answer that comes late is a
/// fault, and a bill.
const RESERVE: Duration = Duration::from_secs(2);

/// The time that can be spent on trying again.
#[derive(Debug, Clone)]
pub struct Patience {
    end: Instant,
    next: Duration,
}

impl Patience {
    /// Returns the patience of an invocation that is cut off at `deadline`.
    pub fn until(deadline: SystemTime) -> Self {
        let left = deadline.duration_since(SystemTime::now()).unwrap_or_default();
        Self::lasting(left.saturating_sub(RESERVE).min(ENOUGH))
    }

    /// Returns a patience that ends after this time.
    pub fn lasting(time: Duration) -> Self {
        Self { end: Instant::now() + time, next: FIRST }
    }

    /// Waits before another attempt, or returns false at once when there is no time for one.
    pub async fn wait(&mut self) -> bool {
        let pause = self.next.mul_f64(fastrand::f64());
        self.next = (self.next * 2).min(LONGEST);
        if Instant::now() + pause >= self.end {
            return false;
        }
        sleep(pause).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn patience_ends_in_time() {
        let start = Instant::now();
        let mut patience = Patience::lasting(Duration::from_millis(150));
        let mut waits = 0;
        while patience.wait().await {
            waits += 1;
        }
        assert!(waits > 0);
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_seed_and_a_stopped_clock_repeat_it() {
        let waits = async |seed| {
            fastrand::seed(seed);
            let (start, mut patience) = (Instant::now(), Patience::lasting(Duration::from_secs(9)));
            let mut waits = Vec::new();
            while patience.wait().await {
                waits.push(start.elapsed());
            }
            waits
        };
        assert_eq!(waits(1).await, waits(1).await);
        assert_ne!(waits(1).await, waits(2).await);
    }

    #[tokio::test]
    async fn an_invocation_without_time_has_no_patience() {
        assert!(!Patience::until(SystemTime::now() + RESERVE).wait().await);
        assert!(!Patience::until(SystemTime::UNIX_EPOCH).wait().await);
    }
}
