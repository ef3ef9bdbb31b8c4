//! What a step in progress is waiting for, told upwards without every call carrying a handle.
//!
//! The executor wraps each step; whatever waits inside it says so here. Nothing is printed.

use std::sync::Arc;

use tokio::task_local;

type Listener = Arc<dyn Fn(&str) + Send + Sync>;

task_local! {
    static LISTENER: Listener;
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
