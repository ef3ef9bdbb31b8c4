//! A rate limit for calls with a small, fixed quota. It must not know which calls.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A rate limit that all clones share.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    between: Duration,
    next: Arc<Mutex<Option<Instant>>>,
}

impl Pace {
    /// Returns a limit of this many calls per second, evenly spread.
    pub(crate) fn per_second(calls: u32) -> Self {
        Self { between: Duration::from_secs(1) / calls, next: Arc::default() }
    }

    /// Waits until the next call is allowed.
    pub(crate) async fn turn(&self) {
        sleep_until(self.take()).await;
    }

    /// Returns the time of the next call, and reserves it.
    fn take(&self) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let turn = next.map_or(now, |next| next.max(now));
        *next = Some(turn + self.between);
        turn
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pace_is_shared_and_even() {
        let (pace, start) = (Pace::per_second(4), Instant::now());
        let call = |pace: Pace| async move {
            pace.turn().await;
            start.elapsed().as_millis()
        };
        let calls = join_all((0..5).map(|_| call(pace.clone()))).await;
        // Tokio's clock has whole milliseconds.
        let late = |(at, call): (usize, u128)| call - 250 * at as u128;
        assert!(calls.iter().copied().enumerate().map(late).all(|late| late < 3), "{calls:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn pace_does_not_save_up_calls() {
        let pace = Pace::per_second(4);
        pace.turn().await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        let start = Instant::now();
        pace.turn().await;
        pace.turn().await;
        assert!(start.elapsed() >= Duration::from_millis(250), "{:?}", start.elapsed());
    }
}
