//! The only retry loop: errors that pass by themselves are retried with jitter, up to a time limit.
//!
//! The cloud's classifier decides which errors pass; this module decides for how long to retry.

use std::time::Duration;

use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::error::{Class, Error};
use crate::progress;

const DELAYS: Backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(4));
/// An attempt that takes at least this long counts as progress: it waited for something, or uploaded it.
const LONG: Duration = Duration::from_secs(20);

/// Returns how long a call is retried after this error.
fn patience(error: &Error) -> Duration {
    error.patience.unwrap_or(match error.class {
        // Roles of AWS usually settle within 15 seconds; Terraform allows two minutes
        // (terraform-provider-aws, internal/service/iam).
        Class::Propagating => Duration::from_secs(120),
        // Mappings and tables finish an earlier change within minutes.
        Class::InProgress => Duration::from_secs(300),
        Class::Throttled => Duration::from_secs(120),
        _ => Duration::ZERO,
    })
}

/// Calls `attempt` until it succeeds, fails with a final error, or has failed for too long.
///
/// # Errors
/// Returns the last error.
pub async fn retried<T>(mut attempt: impl AsyncFnMut() -> Result<T, Error>) -> Result<T, Error> {
    let mut first: Option<Instant> = None;
    let mut failing_since: Option<Instant> = None;
    let mut delays = DELAYS;
    loop {
        let began = Instant::now();
        let error = match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        // A long attempt made progress, so its error starts a new time limit.
        let since = failing_since.filter(|_| began.elapsed() < LONG).unwrap_or_else(Instant::now);
        failing_since = Some(since);
        // The error is that of another call, for which this attempt waited. That call was retried already.
        let tried_there = error.tried_for.is_some();
        let delay = delays.delay();
        if tried_there || !error.class.passes() || since.elapsed() + delay > patience(&error) {
            let tried_for = first.map(|first| first.elapsed()).or(error.tried_for);
            return Err(Error { tried_for, ..error });
        }
        first.get_or_insert_with(Instant::now);
        progress::waiting_for(reason(&error));
        tokio::time::sleep(delay.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
    }
}

fn reason(error: &Error) -> &'static str {
    error.awaited.unwrap_or(match error.class {
        Class::Throttled => "the rate limit to allow more calls",
        Class::Propagating => "an earlier change to propagate",
        _ => "an earlier change to finish",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(class: Class) -> Error {
        Error::new(class, "Call", "no")
    }

    #[tokio::test(start_paused = true)]
    async fn retry_ends_sooner_with_shorter_patience() {
        let began = Instant::now();
        let doubted = Error { patience: Some(Duration::from_secs(20)), ..failing(Class::Propagating) };
        let result: Result<(), _> = retried(async || Err(doubted.clone())).await;
        let tried_for = result.expect_err("the call never succeeds").tried_for.expect("the call was retried");
        assert!(tried_for <= Duration::from_secs(20) && began.elapsed() > Duration::from_secs(15));
    }

    #[tokio::test(start_paused = true)]
    async fn passing_error_is_retried() {
        let mut left = 2;
        let result = retried(async || {
            left -= 1;
            if left == 0 { Ok("done") } else { Err(failing(Class::Propagating)) }
        })
        .await;
        assert_eq!(result, Ok("done"));
    }

    #[tokio::test]
    async fn final_error_is_not_retried() {
        let mut calls = 0;
        let result: Result<(), _> = retried(async || {
            calls += 1;
            Err(failing(Class::Denied))
        })
        .await;
        assert_eq!(result, Err(failing(Class::Denied)));
        assert_eq!(calls, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn patience_begins_with_the_first_failure() {
        let mut attempts = 0;
        let result = retried(async || {
            attempts += 1;
            match attempts {
                // For example the compilation that an upload waits for.
                1 => tokio::time::sleep(Duration::from_secs(600)).await,
                2 => tokio::time::sleep(Duration::from_secs(300)).await,
                _ => return Ok(()),
            }
            Err(failing(Class::Throttled))
        })
        .await;
        assert_eq!(result, Ok(()));
    }

    /// A call that waits for the same work of another call does not repeat its retries.
    #[tokio::test(start_paused = true)]
    async fn error_already_retried_is_final() {
        let mut calls = 0;
        let error = retried::<()>(async || {
            calls += 1;
            tokio::time::sleep(Duration::from_secs(120)).await;
            Err(Error { tried_for: Some(Duration::from_secs(119)), ..failing(Class::Throttled) })
        })
        .await
        .expect_err("the call never succeeds");
        assert_eq!((calls, error.tried_for), (1, Some(Duration::from_secs(119))));
    }

    #[tokio::test(start_paused = true)]
    async fn final_error_states_how_long_it_was_retried() {
        let error = retried::<()>(async || Err(failing(Class::Throttled)))
            .await
            .expect_err("the call never succeeds");
        let tried = error.tried_for.expect("the call was retried");
        assert!(tried > Duration::from_secs(100) && tried <= Duration::from_secs(120), "{tried:?}");
        assert!(error.to_string().contains("retried for 11"), "{error}");
    }

    #[test]
    fn retry_reason_is_taken_from_the_error() {
        let error = failing(Class::Propagating);
        assert_eq!(reason(&error), "an earlier change to propagate");
        let error = Error { awaited: Some("the role to be assumable"), ..error };
        assert_eq!(reason(&error), "the role to be assumable");
    }

    #[tokio::test(start_paused = true)]
    async fn retries_are_reported_to_the_listener() {
        use std::sync::{Arc, Mutex};

        let reported = Arc::new(Mutex::new(Vec::new()));
        let hearing = Arc::clone(&reported);
        let mut left = 3;
        let work = retried(async || {
            left -= 1;
            if left == 0 { Ok(()) } else { Err(failing(Class::Propagating)) }
        });
        let listener =
            move |what: &str| hearing.lock().expect("the lock is never poisoned").push(what.to_owned());
        assert_eq!(progress::heard(listener, work).await, Ok(()));
        let reported = reported.lock().expect("the lock is never poisoned");
        assert_eq!(*reported, ["an earlier change to propagate"; 2]);
    }
}
