//! Starts a replay, returns its status, and cancels it.

use std::time::Duration;

use eventsourcing::{
    Surroundings,
    contract::REPLAY,
    replay::{ControlAnswer, HandlerKind, Order, Reason, ReplayBatch, ReplayState, Replayed, Request, Which},
};
use storage::{
    bucket::{Bucket, Expected},
    patience::Patience,
    scan::Scan,
};

use super::{Replay, delivery::answer_of, ledger::Ledger, progress::Progress, reader::Reader};
use crate::{
    fault::Fault,
    invoke::{Invoke, Reply},
};

/// How long calls are retried while a caller waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

impl<B: Bucket, T: Scan, I: Invoke, S: Surroundings> Replay<B, T, I, S> {
    /// Starts a replay. An order that was already accepted gets the same answer again, so a caller can repeat
    /// a call whose answer was lost.
    pub(super) async fn start(&self, order: Order) -> Result<ControlAnswer, Fault> {
        if let Some(mistake) = order.mistake() {
            return Ok(ControlAnswer::refused(Reason::InvalidRequest, mistake));
        }
        if !self.handlers.contains(&order.handler) {
            return Ok(self.unknown(&order.handler));
        }
        let which = Which { handler: order.handler.clone(), dry_run: order.dry_run };
        let ledger = Ledger::of(&self.bucket, &which);
        let mut found = ledger.standing().await?;
        if let Some(found) = comes_first(&order, found.as_ref()) {
            return self.already(&order, found).await;
        }
        let handler_kind = match self.consent_of_handler(&order).await? {
            Err(refusal) => return Ok(refusal),
            Ok(handler_kind) => handler_kind,
        };
        let mut progress = Progress::begin(order, self.surroundings.now());
        progress.handler_kind = Some(handler_kind);
        progress.writer = self.surroundings.new_id();
        progress.reading.total = Reader::new(&self.bucket, &self.table).count(&progress).await?;
        let mut patience = Patience::lasting(PATIENCE);
        loop {
            let expected = found.as_ref().map_or(Expected::Nothing, |(_, expected)| expected.clone());
            if ledger.write(&mut progress, &expected).await?.is_some() {
                break;
            }
            // Another call started a replay in this moment, or the runner of a dry run, which this one
            // replaces, saved its progress.
            found = ledger.standing().await?;
            if let Some(found) = comes_first(&progress.order, found.as_ref()) {
                return self.already(&progress.order, found).await;
            }
            if !patience.wait().await {
                return Err(Fault::new("the previous replay was saved again and again meanwhile; try again"));
            }
        }
        self.leave(&progress).await?;
        tracing::info!(handler = which.handler, id = %progress.order.id, "started");
        Ok(ControlAnswer::of(progress.status(self.surroundings.now())))
    }

    /// Returns the status of the last replay of a handler.
    pub(super) async fn status(&self, which: &Which) -> Result<ControlAnswer, Fault> {
        let found = Ledger::of(&self.bucket, which).standing().await?;
        Ok(match found {
            Some((progress, _)) => ControlAnswer::of(progress.status(self.surroundings.now())),
            None if self.handlers.contains(&which.handler) => {
                let never = if which.dry_run { "had no dry run" } else { "was never replayed" };
                ControlAnswer::refused(Reason::NoReplay, format!("{} {never}", which.handler))
            }
            None => self.unknown(&which.handler),
        })
    }

    /// Cancels the replay of a handler. Its runner notices at its next save, and delivers nothing after that.
    pub(super) async fn cancel(&self, which: &Which) -> Result<ControlAnswer, Fault> {
        let ledger = Ledger::of(&self.bucket, which);
        let mut patience = Patience::lasting(PATIENCE);
        loop {
            let Some((standing, expected)) = ledger.look().await? else {
                return self.status(which).await;
            };
            let now = self.surroundings.now();
            let mut progress = match standing {
                Ok(progress) if progress.state != ReplayState::Running => {
                    let message = format!("no replay of {} runs", which.handler);
                    return Ok(
                        ControlAnswer::refused(Reason::NoReplay, message).because_of(progress.status(now))
                    );
                }
                Ok(mut progress) => {
                    progress.cancel();
                    progress
                }
                // No runner can continue it, and without this no new replay could start.
                Err(why) => Progress::lost(which, self.surroundings.new_id(), now, &why),
            };
            (progress.writer, progress.saved_at) = (self.surroundings.new_id(), now);
            if ledger.write(&mut progress, &expected).await?.is_some() {
                return Ok(ControlAnswer::of(progress.status(now)));
            }
            // Its runner saves every few seconds, and just did.
            if !patience.wait().await {
                return Err(Fault::new("the replay was saved again and again meanwhile; try again"));
            }
        }
    }

    /// Sends a request for another runner, which starts with the progress saved last.
    pub(super) async fn leave(&self, progress: &Progress) -> Result<(), I::Error> {
        let request = Request::Continue(progress.order.runner());
        let request = serde_json::to_vec(&request).expect("a request can always be serialized as JSON");
        self.invoke.send(REPLAY, request).await
    }

    /// Answers an order if a replay already exists: it is the same replay, or the order is refused.
    async fn already(&self, order: &Order, found: &Progress) -> Result<ControlAnswer, Fault> {
        let status = found.status(self.surroundings.now());
        if found.order.id == order.id {
            if found.state == ReplayState::Running {
                // It may have been saved without a request for a runner.
                self.leave(found).await?;
            }
            return Ok(ControlAnswer::of(status));
        }
        let Order { handler, by, .. } = &found.order;
        let message =
            format!("a replay of {handler} is already running, started by {by} at {:.0}", found.started_at);
        Ok(ControlAnswer::refused(Reason::AlreadyRunning, message).because_of(status))
    }

    fn unknown(&self, handler: &str) -> ControlAnswer {
        let known = self.handlers.join(", ");
        let message = format!("`{handler}` is not a handler; handlers: {known}");
        ControlAnswer::refused(Reason::UnknownHandler, message)
    }

    /// Asks the handler whether it has side effects. Returns that, or why it must not be replayed.
    async fn consent_of_handler(&self, order: &Order) -> Result<Result<HandlerKind, ControlAnswer>, Fault> {
        let Order { handler, .. } = order;
        Ok(match self.ask(order).await? {
            Err(problem) => {
                let message = format!("{handler} does not report whether it has side effects: {problem}");
                Err(ControlAnswer::refused(Reason::HandlerFailed, message))
            }
            Ok(HandlerKind::Reactor) if !order.repeat_side_effects && !order.dry_run => {
                let message = format!("{handler} has side effects, and a replay would repeat them");
                Err(ControlAnswer::refused(Reason::HandlerHasSideEffects, message))
            }
            Ok(handler_kind) => Ok(handler_kind),
        })
    }

    /// Calls the handler without events. Returns whether it has side effects, or how it fails.
    async fn ask(&self, order: &Order) -> Result<Result<HandlerKind, String>, I::Error> {
        let replay = Replayed { id: order.id, repeat_side_effects: order.repeat_side_effects };
        let batch = serde_json::to_vec(&ReplayBatch { replay, events: Vec::new() });
        let batch = batch.expect("a batch can always be serialized as JSON");
        let mut patience = Patience::lasting(PATIENCE);
        loop {
            let failed = match self.invoke.call(&order.handler, batch.clone()).await? {
                Reply::Answer(answer) => return Ok(answer_of(&answer).map(|answer| answer.handler_kind)),
                Reply::Failed(problem) => problem,
            };
            if !patience.wait().await {
                return Ok(Err(failed));
            }
        }
    }
}

/// Returns whether no other replay may start before this one has ended. A dry run delivers nothing, so a new
/// one may replace it.
fn in_the_way(found: &Progress) -> bool {
    found.state == ReplayState::Running && !found.order.dry_run
}

/// Returns the existing replay if the order cannot start a new one: it is the same replay, or it has to end
/// first.
fn comes_first<'a>(order: &Order, found: Option<&'a (Progress, Expected)>) -> Option<&'a Progress> {
    let (found, _) = found?;
    (found.order.id == order.id || in_the_way(found)).then_some(found)
}
