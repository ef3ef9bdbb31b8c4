//! Calling functions by name, either synchronously or asynchronously.
//!
//! The called function runs independently of its caller: it continues when the caller dies. An asynchronous
//! request is delivered at least once, and is repeated twice if the function fails ("How Lambda handles
//! errors and retries with asynchronous invocation", Lambda developer guide).

use std::time::Duration;

use eventsourcing::contract::REPLAY;
use runtime::{
    Fault,
    handler::Input,
    invoke::{Invoke, Reply},
};
use serde_json::Value;
use tokio::{task::spawn_local, time::sleep};

use crate::{
    consumers::{self, MAILER, PROJECTION},
    replaying,
    world::{
        lambda,
        process::{OutOfReach, Process},
    },
};

/// How long Lambda waits before it repeats an asynchronous request, the first and the second time.
const BEFORE_REPEATING: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(120)];

/// All functions, as one process sees them.
#[derive(Debug, Clone)]
pub(crate) struct Functions(pub(crate) Process);

impl Invoke for Functions {
    type Error = OutOfReach;

    async fn call(&self, function: &str, payload: Vec<u8>) -> Result<Reply, OutOfReach> {
        let function = known(function);
        let begin = {
            let world = self.0.world.clone();
            move |_: &_| spawn_local(invoke(Process::mortal(&world, function), payload.clone()))
        };
        // Each late or repeated request is a further invocation.
        let invoked = self.0.call(|| format!("Invoke {function}"), begin).await?;
        let ended = invoked.await.expect("an invocation catches its failures");
        self.0.step().await;
        Ok(match ended {
            Ok(answer) => Reply::Answer(answer),
            Err(failed) => Reply::Failed(failed),
        })
    }

    async fn send(&self, function: &str, payload: Vec<u8>) -> Result<(), OutOfReach> {
        let function = known(function);
        let leave = {
            let process = self.0.clone();
            move |_: &_| {
                let copies = 1 + usize::from(process.world.chance.happens(process.weather().twice));
                for _ in 0..copies {
                    spawn_local(work_off(process.clone(), function, payload.clone()));
                }
            }
        };
        self.0.call(|| format!("Invoke {function} asynchronously"), leave).await
    }
}

/// Executes an asynchronous request.
async fn work_off(by: Process, function: &'static str, payload: Vec<u8>) {
    let world = by.world.clone();
    world.pause().await;
    for wait in BEFORE_REPEATING.into_iter().map(Some).chain([None]) {
        if invoke(Process::mortal(&world, function), payload.clone()).await.is_ok() {
            return;
        }
        if let Some(wait) = wait {
            sleep(wait).await;
        }
    }
    world.trace.note(function, || "a request was dropped".to_owned());
}

/// Invokes a function. Returns its answer, or how it failed.
async fn invoke(process: Process, payload: Vec<u8>) -> Result<Vec<u8>, String> {
    process.note(|| format!("is invoked with {}", shown(&payload)));
    let function = known(&process.name);
    let limit = if function == REPLAY { replaying::time_limit(&process) } else { lambda::TIME_LIMIT };
    let answer = lambda::run(&process, limit, |process| async move {
        let answer = if function == REPLAY {
            let request: Value = serde_json::from_slice(&payload)?;
            serde_json::to_vec(&replaying::replay(&process).answer(request, process.time_left(limit)).await?)?
        } else {
            let input: Input = serde_json::from_slice(&payload)?;
            serde_json::to_vec(&consumers::handle(process, function, input).await?)?
        };
        Ok::<_, Fault>(answer)
    });
    answer.await.map_err(|ended| ended.to_string())
}

/// Returns the function with this name, to which a process adds a number.
fn known(name: &str) -> &'static str {
    let functions = [REPLAY, PROJECTION, MAILER];
    functions.into_iter().find(|function| name.starts_with(function)).expect("the function exists")
}

/// Returns the beginning of a payload; the rest is events.
fn shown(payload: &[u8]) -> String {
    String::from_utf8_lossy(payload).chars().take(160).collect()
}
