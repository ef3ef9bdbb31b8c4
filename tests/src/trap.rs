//! A proxy that answers nothing any more from one call on: before the cloud hears of it, or
//! after the cloud did it and before the deployer hears so.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, RwLock};

use crate::likeness::impersonal;
use crate::place::Place;
use crate::request::Request;

/// A call that may change something, as no other of one run does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it asks for, and of what.
    what: String,
    /// How often the same was asked before: a thing may be tagged twice.
    before: usize,
    /// What it asks for, of no resource in particular.
    operation: String,
}

impl Change {
    /// Returns the operation, the same for all resources of a kind.
    pub fn operation(&self) -> &str {
        &self.operation
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        if self.before > 0 {
            write!(f, " (no. {})", self.before + 1)?;
        }
        Ok(())
    }
}

/// On which side of a call the answers end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The call was sent and never arrived.
    Before,
    /// The call was done and its answer never arrived.
    After,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Before => "before",
            Side::After => "after",
        })
    }
}

/// From when on nothing is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// On this side of this call.
    Change(Change, Side),
    /// When so many calls that may change something were answered, before the next of them.
    Changing(usize),
    /// When so many calls that may change something were answered, before the next that reads.
    Reading(usize),
}

/// Takes what the deployer sends, for as long as it is polled.
pub(crate) async fn accept(listener: TcpListener, trap: Arc<Trap>) {
    while let Ok((near, _)) = listener.accept().await {
        let trap = trap.clone();
        // What fails here fails in the deployer, which tells.
        tokio::spawn(async move { trap.serve(near).await });
    }
}

/// What stands between one run of the deployer and the cloud.
pub(crate) struct Trap {
    /// Where the cloud is.
    target: String,
    /// What all names begin with.
    prefix: String,
    account: String,
    at: Option<Moment>,
    state: Mutex<State>,
    /// Told when nothing is answered any more.
    sprung: Notify,
    /// Held while the cloud does something.
    under_way: RwLock<()>,
}

#[derive(Default)]
struct State {
    seen: Vec<Change>,
    /// How many of them were answered.
    answered: usize,
    /// Nothing reaches the cloud any more.
    shut: bool,
}

/// What is to be done with a request.
enum Verdict {
    Pass,
    /// It gets neither to the cloud nor an answer.
    Hold,
    /// It is done, and gets no answer.
    Do,
}

impl Trap {
    pub(crate) fn new(endpoint: String, place: &Place<'_>, at: Option<Moment>) -> Self {
        Self {
            target: endpoint.trim_start_matches("http://").to_owned(),
            prefix: place.scope("local").prefix(),
            account: place.account.clone(),
            at,
            state: Mutex::default(),
            sprung: Notify::new(),
            under_way: RwLock::new(()),
        }
    }

    /// Returns when nothing is answered any more.
    pub(crate) async fn sprung(&self) {
        self.sprung.notified().await;
    }

    /// Returns when the cloud has done everything that it was told.
    pub(crate) async fn nothing_under_way(&self) {
        drop(self.under_way.write().await);
    }

    /// Returns the calls that may have changed something, in the order in which they came.
    pub(crate) fn seen(&self) -> Vec<Change> {
        self.state().seen.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding it")
    }

    /// Serves one connection, which ends with its first answer.
    async fn serve(&self, mut near: TcpStream) -> io::Result<()> {
        let Some(request) = Request::read(&mut near).await? else {
            return Ok(());
        };
        let under_way = self.under_way.read().await;
        let (verdict, springs) = self.judge(&request);
        if !matches!(verdict, Verdict::Hold) {
            let answer = request.send(&self.target).await?;
            if matches!(verdict, Verdict::Pass) {
                near.write_all(&answer).await?;
                self.state().answered += usize::from(request.mutates());
                return Ok(());
            }
        }
        drop(under_way);
        if springs {
            self.sprung.notify_one();
        }
        // The connection stays open for as long as the deployer lives.
        near.read(&mut [0]).await.map(drop)
    }

    /// Decides about a request, and tells whether it is the first that is not answered.
    fn judge(&self, request: &Request) -> (Verdict, bool) {
        let mut state = self.state();
        if state.shut {
            return (Verdict::Hold, false);
        }
        let mutates = request.mutates();
        let change = mutates.then(|| {
            let what = impersonal(&request.describe(&self.prefix), &self.account);
            let before = state.seen.iter().filter(|seen| seen.what == what).count();
            let operation = impersonal(&request.operation(&self.prefix), &self.account);
            Change { what, before, operation }
        });
        let verdict = match &self.at {
            Some(Moment::Change(at, Side::Before)) if change.as_ref() == Some(at) => Verdict::Hold,
            Some(Moment::Change(at, Side::After)) if change.as_ref() == Some(at) => Verdict::Do,
            Some(Moment::Changing(answered)) if mutates && state.answered >= *answered => Verdict::Hold,
            Some(Moment::Reading(answered)) if !mutates && state.answered >= *answered => Verdict::Hold,
            _ => Verdict::Pass,
        };
        state.seen.extend(change);
        state.shut = !matches!(verdict, Verdict::Pass);
        (verdict, state.shut)
    }
}
