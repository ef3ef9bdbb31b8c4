//! A proxy that stops answering at a chosen call, either before the cloud gets the call, or after the cloud
//! executed it and before the deployer gets the answer.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, RwLock};

use crate::likeness::impersonal;
use crate::place::Place;
use crate::request::Request;

/// A call that may change something, identified uniquely within a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The operation and its resources.
    what: String,
    /// How many equal calls came before: a resource may be tagged twice.
    before: usize,
    /// The operation without its resources.
    operation: String,
}

impl Change {
    /// Returns the operation, which is the same for all resources of a kind.
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

/// The side of a call on which the answers end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The call never reaches the cloud.
    Before,
    /// The cloud executes the call, but the answer never reaches the deployer.
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

/// The moment from which on no request is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// On this side of this call.
    Change(Change, Side),
    /// Before the next call that may change something, after this many of them were answered.
    Changing(usize),
    /// Before the next call that only reads, after this many calls that may change something were answered.
    Reading(usize),
}

/// Accepts the deployer's connections for as long as it is polled.
pub(crate) async fn accept(listener: TcpListener, trap: Arc<Trap>) {
    while let Ok((near, _)) = listener.accept().await {
        let trap = trap.clone();
        // An error here also fails the deployer, which reports it.
        tokio::spawn(async move { trap.serve(near).await });
    }
}

/// The proxy between one run of the deployer and the cloud.
pub(crate) struct Trap {
    /// The cloud's address.
    target: String,
    /// The prefix of all resource names.
    prefix: String,
    account: String,
    at: Option<Moment>,
    state: Mutex<State>,
    /// Notified when the proxy has stopped answering.
    sprung: Notify,
    /// Held for reading while the cloud executes a request.
    in_flight: RwLock<()>,
}

#[derive(Default)]
struct State {
    seen: Vec<Change>,
    /// How many calls that may change something were answered.
    answered: usize,
    /// Whether no request reaches the cloud any more.
    shut: bool,
}

/// What the proxy does with a request.
enum Verdict {
    Pass,
    /// The request is neither forwarded nor answered.
    Hold,
    /// The request is forwarded, but not answered.
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
            in_flight: RwLock::new(()),
        }
    }

    /// Waits until the proxy has stopped answering.
    pub(crate) async fn sprung(&self) {
        self.sprung.notified().await;
    }

    /// Waits until the cloud has executed all forwarded requests.
    pub(crate) async fn nothing_in_flight(&self) {
        drop(self.in_flight.write().await);
    }

    /// Returns the calls that may have changed something, in their order.
    pub(crate) fn seen(&self) -> Vec<Change> {
        self.state().seen.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the lock is never poisoned")
    }

    /// Serves one connection, which ends after its first answer.
    async fn serve(&self, mut near: TcpStream) -> io::Result<()> {
        let Some(request) = Request::read(&mut near).await? else {
            return Ok(());
        };
        let in_flight = self.in_flight.read().await;
        let (verdict, springs) = self.judge(&request);
        if !matches!(verdict, Verdict::Hold) {
            let answer = request.send(&self.target).await?;
            if matches!(verdict, Verdict::Pass) {
                near.write_all(&answer).await?;
                self.state().answered += usize::from(request.mutates());
                return Ok(());
            }
        }
        drop(in_flight);
        if springs {
            self.sprung.notify_one();
        }
        // Keeps the connection open for as long as the deployer runs.
        near.read(&mut [0]).await.map(drop)
    }

    /// Decides about a request. Also returns whether it is the first that is not answered.
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
