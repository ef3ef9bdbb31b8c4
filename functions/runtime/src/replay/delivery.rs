//! Delivers the batches of all lanes concurrently, and waits for the handler's answers.

use std::time::Duration;

use eventsourcing::Surroundings;
use eventsourcing::replay::{HandlerKind, Order, ReplayAnswer, ReplayBatch, ReplayState, Replayed};
use futures::{StreamExt, stream::FuturesUnordered};
use storage::{bucket::Bucket, fault::chain, patience::Patience, scan::Scan};
use tokio::time::{Instant, sleep_until};

use super::{
    Replay,
    lanes::{Batch, lanes},
    pace::Pace,
    runner::{Hold, RunOutcome, Times},
};
use crate::{
    fault::Fault,
    invoke::{Invoke, Reply},
};

/// How long a batch is retried, in addition to the handler's own retries.
const PATIENCE: Duration = Duration::from_secs(20);

/// The outcome of a batch.
enum Went {
    Answered(ReplayAnswer),
    OutOfTime,
    Failed(String),
}

impl<B: Bucket, T: Scan, I: Invoke, S: Surroundings> Replay<B, T, I, S> {
    /// Delivers the events that are ready, in all lanes concurrently.
    pub(super) async fn deliver(
        &self,
        hold: &mut Hold<'_, B>,
        pace: &Pace,
        times: Times,
    ) -> Result<RunOutcome, Fault> {
        let order = hold.progress.order.clone();
        // A batch has at most the events of one second.
        let most = hold.progress.most.min(order.rate.try_into().unwrap_or(usize::MAX));
        let mut lanes = lanes(&hold.progress.lineup, most);
        let send = |lane: usize, batch: Batch| {
            let order = &order;
            async move { (lane, self.deliver_batch(order, &batch, pace, times).await, batch) }
        };
        let mut in_flight = FuturesUnordered::new();
        for (lane, batches) in lanes.iter_mut().enumerate() {
            in_flight.extend(batches.pop_front().map(|batch| send(lane, batch)));
        }
        let mut outcome = RunOutcome::Done;
        while !in_flight.is_empty() {
            tokio::select! {
                // Polled in this order, so that a run can be reproduced.
                biased;
                Some((lane, went, batch)) = in_flight.next() => {
                    match went {
                        Went::Answered(answer) if answer.refused => {
                            let refused = format!("{} has side effects, so it refused", order.handler);
                            hold.progress.problem = Some(refused);
                            hold.progress.stop(ReplayState::Failed);
                            return Ok(RunOutcome::Done);
                        }
                        Went::Answered(answer) => {
                            hold.progress.gone(&batch);
                            if !batch.events.is_empty() && !order.dry_run {
                                hold.progress.answered(answer);
                            }
                            if outcome == RunOutcome::Done {
                                in_flight.extend(lanes[lane].pop_front().map(|batch| send(lane, batch)));
                            }
                        }
                        Went::OutOfTime if outcome == RunOutcome::Done => outcome = RunOutcome::OutOfTime,
                        Went::OutOfTime => {}
                        // The other lanes finish their batches in flight.
                        Went::Failed(problem) => outcome = RunOutcome::Failed(problem),
                    }
                }
                () = sleep_until(hold.due) => {
                    if !self.save(hold).await? {
                        return Ok(RunOutcome::TakenOver);
                    }
                }
                () = sleep_until(times.leave) => return Ok(RunOutcome::OutOfTime),
            }
        }
        Ok(outcome)
    }

    /// Delivers a batch, with retries.
    async fn deliver_batch(&self, order: &Order, batch: &Batch, pace: &Pace, times: Times) -> Went {
        if batch.events.is_empty() || order.dry_run {
            return Went::Answered(nothing(order));
        }
        if !pace.wait(batch.events.len(), times.stop).await {
            return Went::OutOfTime;
        }
        let replay = Replayed { id: order.id, repeat_side_effects: order.repeat_side_effects };
        let events = batch.events.iter().map(|event| event.as_ref().clone()).collect();
        let payload = serde_json::to_vec(&ReplayBatch { replay, events });
        let payload = payload.expect("a batch can always be serialized as JSON");
        let left = times.stop.saturating_duration_since(Instant::now());
        let mut patience = Patience::lasting(left.min(PATIENCE));
        loop {
            let problem = match self.invoke.call(&order.handler, payload.clone()).await {
                Ok(Reply::Answer(answer)) => match answer_of(&answer) {
                    Ok(answer) => return Went::Answered(answer),
                    Err(problem) => problem,
                },
                Ok(Reply::Failed(problem)) => problem,
                Err(error) => chain(&error),
            };
            tracing::warn!(problem, handler = order.handler, "cannot deliver a batch");
            if !patience.wait().await {
                return Went::Failed(problem);
            }
        }
    }
}

/// Returns the parsed answer of a handler.
pub(super) fn answer_of(answer: &[u8]) -> Result<ReplayAnswer, String> {
    serde_json::from_slice(answer).map_err(|error| {
        let answer: String = String::from_utf8_lossy(answer).chars().take(200).collect();
        format!("it does not answer like a handler: {error} in {answer}")
    })
}

/// Returns the answer to a batch that is not sent.
fn nothing(order: &Order) -> ReplayAnswer {
    ReplayAnswer {
        handler: order.handler.clone(),
        handler_kind: HandlerKind::Projection,
        handled: 0,
        quarantined: Vec::new(),
        refused: false,
    }
}
