//! Reports what a step in progress waits for, through a task-local instead of a handle in every call.
//!
//! The executor wraps each step in a listener; a call that waits inside the step reports it here. Nothing is
//! printed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task_local;

type Listener = Arc<dyn Fn(&str) + Send + Sync>;

task_local! {
    static LISTENER: Listener;
    static SENT: SentCalls;
}

/// Counts the calls of a step that may have changed something.
#[derive(Debug, Clone, Default)]
pub struct SentCalls(Arc<AtomicUsize>);

impl SentCalls {
    /// Returns whether there is any such call.
    pub fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    /// Runs a future and counts its calls here.
    pub async fn noting<T>(&self, work: impl Future<Output = T>) -> T {
        SENT.scope(self.clone(), work).await
    }
}

/// Counts a call that may change something for the running step.
pub fn sending() {
    // Calls outside a step, such as the writes of the release record, are not counted.
    let _ = SENT.try_with(|sent| sent.0.fetch_add(1, Ordering::Relaxed));
}

/// Takes back the count of a call that the cloud refused, so that it changed nothing. Not for a call without
/// an answer, or with an error of the cloud itself.
pub fn refused() {
    let _ = SENT.try_with(|sent| sent.0.fetch_sub(1, Ordering::Relaxed));
}

/// Runs a future; `listener` is called with what it waits for.
pub async fn heard<T>(listener: impl Fn(&str) + Send + Sync + 'static, work: impl Future<Output = T>) -> T {
    LISTENER.scope(Arc::new(listener), work).await
}

/// Reports what the running step waits for: "the table to be ACTIVE".
pub fn waiting_for(what: &str) {
    // Reads outside a step, such as a survey's, have no listener.
    let _ = LISTENER.try_with(|listener| listener(what));
}
