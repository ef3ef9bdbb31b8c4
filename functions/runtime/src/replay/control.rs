//! Starting a replay, asking how it stands, stopping it.

use std::time::Duration;

use eventsourcing::{
    Surroundings,
    contract::REPLAY,
    replay::{ControlAnswer, Does, Order, Reason, ReplayBatch, ReplayState, Replayed, Request, Which},
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

/// How long something is tried again for somebody who waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

impl<B: Bucket, T: Scan, I: Invoke, S: Surroundings> Replay<B, T, I, S> {
    /// Starts a replay. An order that was taken already is answered alike once more, so that a
    /// call can be repeated whose answer got lost.
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
        let does = match self.consent_of_handler(&order).await? {
            Err(refusal) => return Ok(refusal),
            Ok(does) => does,
        };
        let mut progress = Progress::begin(order, self.surroundings.now());
        progress.does = Some(does);
        progress.writer = self.surroundings.new_id();
        progress.reading.total = Reader::new(&self.bucket, &self.table).count(&progress).await?;
        let mut patience = Patience::lasting(PATIENCE);
        loop {
            let expected = found.as_ref().map_or(Expected::Nothing, |(_, expected)| expected.clone());
            if ledger.write(&mut progress, &expected).await?.is_some() {
                break;
            }
            // Somebody else started one in this very moment; or a dry run was saved, which this
            // one takes the place of.
            found = ledger.standing().await?;
            if let Some(found) = comes_first(&progress.order, found.as_ref()) {
                return self.already(&progress.order, found).await;
            }
            if !patience.wait().await {
                return Err(Fault::new("the replay before was saved again and again meanwhile; try again"));
            }
        }
        self.leave(&progress).await?;
        tracing::info!(handler = which.handler, id = %progress.order.id, "started");
        Ok(ControlAnswer::of(progress.status(self.surroundings.now())))
    }

    /// Tells how the last replay of a handler stands.
    pub(super) async fn status(&self, which: &Which) -> Result<ControlAnswer, Fault> {
        let found = Ledger::of(&self.bucket, which).standing().await?;
        Ok(match found {
            Some((progress, _)) => ControlAnswer::of(progress.status(self.surroundings.now())),
            None if self.handlers.contains(&which.handler) => {
                ControlAnswer::refused(Reason::NoReplay, format!("{} was never replayed", which.handler))
            }
            None => self.unknown(&which.handler),
        })
    }

    /// Stops the replay of a handler for good. Its runner is told by its next save, and delivers
    /// nothing after that.
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
                // Nobody can go on with it, and without this nobody could begin anew.
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

    /// Leaves a request for another runner. It begins with what was saved last.
    pub(super) async fn leave(&self, progress: &Progress) -> Result<(), I::Error> {
        let request = Request::Continue(progress.order.runner());
        let request = serde_json::to_vec(&request).expect("a request holds nothing that JSON cannot");
        self.invoke.send(REPLAY.name, request).await
    }

    /// Answers an order that finds a replay in its place: it is that replay, or comes too late.
    async fn already(&self, order: &Order, found: &Progress) -> Result<ControlAnswer, Fault> {
        let status = found.status(self.surroundings.now());
        if found.order.id == order.id {
            if found.state == ReplayState::Running {
                // It may have been saved without anybody being asked to run it.
                self.leave(found).await?;
            }
            return Ok(ControlAnswer::of(status));
        }
        let Order { handler, by, .. } = &found.order;
        let message =
            format!("a replay of {handler} runs already, started by {by} at {:.0}", found.started_at);
        Ok(ControlAnswer::refused(Reason::AlreadyRunning, message).because_of(status))
    }

    fn unknown(&self, handler: &str) -> ControlAnswer {
        let known = self.handlers.join(", ");
        let message = format!("{handler} is no handler that can be replayed (handlers: {known})");
        ControlAnswer::refused(Reason::UnknownHandler, message)
    }

    /// Asks the handler what it does, and returns that, or why it is not to be replayed.
    async fn consent_of_handler(&self, order: &Order) -> Result<Result<Does, ControlAnswer>, Fault> {
        let Order { handler, .. } = order;
        Ok(match self.ask(order).await? {
            Err(trouble) => {
                let message = format!("{handler} does not say what it does: {trouble}");
                Err(ControlAnswer::refused(Reason::HandlerFailed, message))
            }
            Ok(Does::Acts) if !order.even_if_it_acts && !order.dry_run => {
                let message = format!("{handler} acts on the outside, and would do once more what it did");
                Err(ControlAnswer::refused(Reason::HandlerActs, message))
            }
            Ok(does) => Ok(does),
        })
    }

    /// Calls the handler without events. It says what it does, or how it fails.
    async fn ask(&self, order: &Order) -> Result<Result<Does, String>, I::Error> {
        let replay = Replayed { id: order.id, even_if_it_acts: order.even_if_it_acts };
        let batch = serde_json::to_vec(&ReplayBatch { replay, events: Vec::new() });
        let batch = batch.expect("a batch holds nothing that JSON cannot");
        let mut patience = Patience::lasting(PATIENCE);
        loop {
            let failed = match self.invoke.call(&order.handler, batch.clone()).await? {
                Reply::Answer(answer) => return Ok(answer_of(&answer).map(|answer| answer.does)),
                Reply::Failed(trouble) => trouble,
            };
            if !patience.wait().await {
                return Ok(Err(failed));
            }
        }
    }
}

/// Tells whether nothing else may begin before this replay has ended. A dry run delivers
/// nothing, so a new one may take the place of another.
fn in_the_way(found: &Progress) -> bool {
    found.state == ReplayState::Running && !found.order.dry_run
}

/// Returns the replay that is there, if an order has to stand back: it is that replay already, or
/// that one has to end first.
fn comes_first<'a>(order: &Order, found: Option<&'a (Progress, Expected)>) -> Option<&'a Progress> {
    let (found, _) = found?;
    (found.order.id == order.id || in_the_way(found)).then_some(found)
}
