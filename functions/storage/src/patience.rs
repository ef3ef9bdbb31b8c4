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
/// writers on one aggregate and about 20 ms for fetch and append, 400 ms hold some 20 attempts,
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
    /// How long it lasts from when it begins.
    time: Duration,
    /// When it ends, however often it begins afresh.
    last: Option<Instant>,
    end: Instant,
    next: Duration,
}

impl Patience {
    /// Returns the patience of an invocation that is cut off at `deadline`.
    pub fn until(deadline: SystemTime) -> Self {
        Self::of_invocation(deadline.duration_since(SystemTime::now()).unwrap_or_default())
    }

    /// Returns the patience of an invocation that is cut off after this time.
    ///
    /// Tests begin here: `SystemTime` goes on while tokio's clock is stopped.
    fn of_invocation(time: Duration) -> Self {
        let left = time.saturating_sub(RESERVE);
        Self { last: Some(Instant::now() + left), ..Self::lasting(left.min(ENOUGH)) }
    }

    /// Returns a patience that ends after this time.
    pub fn lasting(time: Duration) -> Self {
        Self { time, last: None, end: Instant::now() + time, next: FIRST }
    }

    /// Begins afresh: something went well. The invocation has no more time for that than it had.
    pub fn renew(&mut self) {
        let Self { time, last, .. } = *self;
        let fresh = Self::lasting(time);
        *self = Self { end: last.map_or(fresh.end, |last| last.min(fresh.end)), last, ..fresh };
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

    #[tokio::test(start_paused = true)]
    async fn patience_ends_in_time() {
        let start = Instant::now();
        let mut patience = Patience::lasting(Duration::from_millis(150));
        let mut waits = 0;
        while patience.wait().await {
            waits += 1;
        }
        assert!(waits > 0);
        assert!(start.elapsed() < Duration::from_millis(200), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn patience_waits_are_determined_by_the_seed() {
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

    #[tokio::test(start_paused = true)]
    async fn renewed_patience_never_outlasts_the_invocation() {
        let soon = Duration::from_secs(9);
        let mut patience = Patience::lasting(soon);
        for _ in 0..5 {
            tokio::time::advance(soon).await;
            patience.renew();
            assert!(patience.wait().await);
        }
        tokio::time::advance(soon).await;
        assert!(!patience.wait().await);

        let mut patience = Patience::of_invocation(soon + RESERVE);
        tokio::time::advance(soon - Duration::from_secs(1)).await;
        patience.renew();
        assert!(patience.wait().await);
        tokio::time::advance(Duration::from_secs(1)).await;
        patience.renew();
        assert!(!patience.wait().await);
    }

    #[tokio::test]
    async fn invocation_without_time_has_no_patience() {
        assert!(!Patience::until(SystemTime::now() + RESERVE).wait().await);
        assert!(!Patience::until(SystemTime::UNIX_EPOCH).wait().await);
    }
}
