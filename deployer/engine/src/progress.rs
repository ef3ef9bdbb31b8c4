//! What a step in progress is waiting for, told upwards without every call carrying a handle.
//!
//! The executor wraps each step; whatever waits inside it says so here. Nothing is printed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task_local;

type Listener = Arc<dyn Fn(&str) + Send + Sync>;

task_local! {
    static LISTENER: Listener;
    static SENT: SentCalls;
}

/// How many calls a step has sent that may have changed something.
#[derive(Debug, Clone, Default)]
pub struct SentCalls(Arc<AtomicUsize>);

impl SentCalls {
    /// Tells whether there is any.
    pub fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    /// Runs a future; what it sends is noted here.
    pub async fn noting<T>(&self, work: impl Future<Output = T>) -> T {
        SENT.scope(self.clone(), work).await
    }
}

/// Says that the running step sends something that may change something.
pub fn sending() {
    // What no step sends, such as an entry of the release record, is nobody's.
    let _ = SENT.try_with(|sent| sent.0.fetch_add(1, Ordering::Relaxed));
}

/// Says that the cloud refused what the running step sent, so that it has changed nothing. Not so where
/// no answer came, or one that blames the cloud.
pub fn refused() {
    let _ = SENT.try_with(|sent| sent.0.fetch_sub(1, Ordering::Relaxed));
}

/// Runs a future; `listener` hears what it waits for.
pub async fn heard<T>(listener: impl Fn(&str) + Send + Sync + 'static, work: impl Future<Output = T>) -> T {
    LISTENER.scope(Arc::new(listener), work).await
}

/// Says what the running step waits for: "the table to be ACTIVE".
pub fn waiting_for(what: &str) {
    // Reads outside a step, such as a survey's, have nobody to tell.
    let _ = LISTENER.try_with(|listener| listener(what));
}
