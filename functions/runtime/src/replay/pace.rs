//! The rate limit of a replay: events a second, in all lanes together.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// Assigns the times at which events may be sent.
#[derive(Debug)]
pub struct Pace {
    rate: u32,
    free: Mutex<Instant>,
}

impl Pace {
    /// Returns a rate limit of this many events a second.
    pub fn of(rate: u32) -> Self {
        Self { rate: rate.max(1), free: Mutex::new(Instant::now()) }
    }

    /// Waits until this many events may be sent. Returns false at once if that is not before the end.
    pub async fn wait(&self, events: usize, end: Instant) -> bool {
        let Some(slot) = self.slot(events, end) else { return false };
        sleep_until(slot).await;
        true
    }

    fn slot(&self, events: usize, end: Instant) -> Option<Instant> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = (*free).max(Instant::now());
        if slot >= end {
            return None;
        }
        *free = slot + Duration::from_secs_f64(events as f64 / f64::from(self.rate));
        Some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pace_limits_all_senders_together() {
        let (start, pace) = (Instant::now(), Pace::of(50));
        let end = start + Duration::from_secs(3600);
        // Twenty batches of ten: the last is sent when the other 190 events have had their time.
        let sent = futures::future::join_all((0..20).map(|_| pace.wait(10, end))).await;
        assert_eq!((sent, start.elapsed().as_millis()), (vec![true; 20], 3800));
    }

    #[tokio::test(start_paused = true)]
    async fn pace_does_not_wait_beyond_the_end() {
        let (start, pace) = (Instant::now(), Pace::of(1));
        let end = start + Duration::from_secs(5);
        assert!(pace.wait(9, end).await);
        assert!(!pace.wait(1, end).await);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
