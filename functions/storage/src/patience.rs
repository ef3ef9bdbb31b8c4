//! The backoff between retries: a random time with a growing limit, which ends before the invocation does.
//!
//! The clock is tokio's, which can be paused, and the random numbers are fastrand's, which can be seeded. So
//! the simulator can repeat a run exactly.

use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep};

/// The limit of the first wait: about the time of one fetch and one append.
const FIRST: Duration = Duration::from_millis(20);
/// The limit of every wait.
///
/// Writers that lost a conflict wait between zero and this limit ("full jitter"). With 32 writers on one
/// aggregate and about 20 ms for fetch and append, 400 ms hold about 20 attempts, so about one writer
/// succeeds per round and all 32 within a few seconds. A longer limit would waste time; with a shorter one,
/// all would conflict again.
const LONGEST: Duration = Duration::from_millis(400);
/// The limit of all retries together, even if the invocation has more time.
///
/// A caller should not wait longer for a conflict, and Lambda delivers the batch of a stream again.
const ENOUGH: Duration = Duration::from_secs(20);
/// The time that is left for the invocation when its patience ends.
///
/// The last attempt may have just started and must finish: a timed-out invocation fails and is still billed.
const RESERVE: Duration = Duration::from_secs(2);

/// The time that can be spent on retries.
#[derive(Debug, Clone)]
pub struct Patience {
    /// The duration from each start.
    time: Duration,
    /// The final end, even if it is renewed.
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
    /// Tests call this function: `SystemTime` continues while tokio's clock is paused.
    fn of_invocation(time: Duration) -> Self {
        let left = time.saturating_sub(RESERVE);
        Self { last: Some(Instant::now() + left), ..Self::lasting(left.min(ENOUGH)) }
    }

    /// Returns a patience that ends after this time.
    pub fn lasting(time: Duration) -> Self {
        Self { time, last: None, end: Instant::now() + time, next: FIRST }
    }

    /// Restarts the time after a success. It never exceeds the invocation's time.
    pub fn renew(&mut self) {
        let Self { time, last, .. } = *self;
        let fresh = Self::lasting(time);
        *self = Self { end: last.map_or(fresh.end, |last| last.min(fresh.end)), last, ..fresh };
    }

    /// Waits before another attempt. Returns false at once if no time is left for one.
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
