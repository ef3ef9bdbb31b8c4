//! Lambda: invocations, which end with an answer, a fault, a panic, a timeout, or never.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use runtime::Fault;
use thiserror::Error;
use tokio::time::timeout;

use super::{World, process::Process};

/// The timeout of an invocation.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(60);

/// How a failed invocation ended.
#[derive(Debug, Error)]
pub(crate) enum Ended {
    /// With a fault of the function.
    #[error("fault: {0}")]
    Fault(Fault),
    /// With a panic, which the runtime reports as a fault.
    #[error("panic")]
    Panic,
    /// With a timeout.
    #[error("timeout")]
    TooLate,
    /// The process died.
    #[error("death")]
    Died,
}

/// Runs a function in a process.
pub(crate) async fn run<T, F>(
    process: &Process,
    limit: Duration,
    function: impl FnOnce(Process) -> F,
) -> Result<T, Ended>
where
    F: Future<Output = Result<T, Fault>>,
{
    let running = async {
        let outcome = AssertUnwindSafe(function(process.clone())).catch_unwind().await;
        // A process that dies here has done its work without reporting it.
        process.step().await;
        outcome
    };
    let ended = tokio::select! {
        biased;
        () = process.death() => Err(Ended::Died),
        outcome = timeout(limit, running) => match outcome {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(fault))) => Err(Ended::Fault(fault)),
            Ok(Err(_)) => Err(Ended::Panic),
            Err(_) => Err(Ended::TooLate),
        },
    };
    match &ended {
        Ok(_) => process.note(|| "is done".to_owned()),
        Err(ended) => process.note(|| format!("ended: {ended}")),
    }
    ended
}

/// Returns the process of an invocation; a spared one meets no faults.
pub(crate) fn process(world: &Arc<World>, function: &str, spared: bool) -> Process {
    if spared { Process::spared(world, function) } else { Process::mortal(world, function) }
}
