//! Delivering: the batches of all lanes at once, each until the handler has answered.

use std::time::Duration;

use eventsourcing::Surroundings;
use eventsourcing::replay::{Does, Order, ReplayAnswer, ReplayBatch, ReplayState, Replayed};
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

/// How long a batch is tried again, after what the handler has tried itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// What became of a batch.
enum Went {
    Answered(ReplayAnswer),
    OutOfTime,
    Trouble(String),
}

impl<B: Bucket, T: Scan, I: Invoke, S: Surroundings> Replay<B, T, I, S> {
    /// Delivers what may go, all lanes at once.
    pub(super) async fn deliver(
        &self,
        hold: &mut Hold<'_, B>,
        pace: &Pace,
        times: Times,
    ) -> Result<RunOutcome, Fault> {
        let order = hold.progress.order.clone();
        // No batch is more than a second's worth of events.
        let most = hold.progress.most.min(order.rate.try_into().unwrap_or(usize::MAX));
        let mut lanes = lanes(&hold.progress.lineup, most);
        let send = |lane: usize, batch: Batch| {
            let order = &order;
            async move { (lane, self.deliver_batch(order, &batch, pace, times).await, batch) }
        };
        let mut under_way = FuturesUnordered::new();
        for (lane, batches) in lanes.iter_mut().enumerate() {
            under_way.extend(batches.pop_front().map(|batch| send(lane, batch)));
        }
        let mut outcome = RunOutcome::Done;
        while !under_way.is_empty() {
            tokio::select! {
                // In this order, so that the same events always lead to the same.
                biased;
                Some((lane, went, batch)) = under_way.next() => {
                    match went {
                        Went::Answered(answer) if answer.refused => {
                            let refused = format!("{} acts on the outside, and refused", order.handler);
                            hold.progress.trouble = Some(refused);
                            hold.progress.stop(ReplayState::Failed);
                            return Ok(RunOutcome::Done);
                        }
                        Went::Answered(answer) => {
                            hold.progress.gone(&batch);
                            if !batch.events.is_empty() && !order.dry_run {
                                hold.progress.answered(answer);
                            }
                            if outcome == RunOutcome::Done {
                                under_way.extend(lanes[lane].pop_front().map(|batch| send(lane, batch)));
                            }
                        }
                        Went::OutOfTime if outcome == RunOutcome::Done => outcome = RunOutcome::OutOfTime,
                        Went::OutOfTime => {}
                        // The other lanes come to the end of what is under way.
                        Went::Trouble(trouble) => outcome = RunOutcome::Trouble(trouble),
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

    /// Delivers a batch, and tries again for a while.
    async fn deliver_batch(&self, order: &Order, batch: &Batch, pace: &Pace, times: Times) -> Went {
        if batch.events.is_empty() || order.dry_run {
            return Went::Answered(nothing(order));
        }
        if !pace.wait(batch.events.len(), times.stop).await {
            return Went::OutOfTime;
        }
        let replay = Replayed { id: order.id, even_if_it_acts: order.even_if_it_acts };
        let events = batch.events.iter().map(|event| event.as_ref().clone()).collect();
        let payload = serde_json::to_vec(&ReplayBatch { replay, events });
        let payload = payload.expect("a batch holds nothing that JSON cannot");
        let left = times.stop.saturating_duration_since(Instant::now());
        let mut patience = Patience::lasting(left.min(PATIENCE));
        loop {
            let trouble = match self.invoke.call(&order.handler, payload.clone()).await {
                Ok(Reply::Answer(answer)) => match answer_of(&answer) {
                    Ok(answer) => return Went::Answered(answer),
                    Err(trouble) => trouble,
                },
                Ok(Reply::Failed(trouble)) => trouble,
                Err(error) => chain(&error),
            };
            tracing::warn!(trouble, handler = order.handler, "a batch could not be delivered");
            if !patience.wait().await {
                return Went::Trouble(trouble);
            }
        }
    }
}

/// Returns what a handler answered.
pub(super) fn answer_of(answer: &[u8]) -> Result<ReplayAnswer, String> {
    serde_json::from_slice(answer).map_err(|error| {
        let answer: String = String::from_utf8_lossy(answer).chars().take(200).collect();
        format!("it does not answer as a handler: {error} in {answer}")
    })
}

/// Returns the answer to nothing.
fn nothing(order: &Order) -> ReplayAnswer {
    ReplayAnswer {
        handler: order.handler.clone(),
        does: Does::BuildsState,
        handled: 0,
        kept_aside: Vec::new(),
        refused: false,
    }
}
