//! A proxy that ends the deployer at one call: before the cloud hears of it, or after the
//! cloud did it and before the deployer hears so.

use std::fmt;
use std::io;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, RwLock};

use crate::likeness::impersonal;
use crate::place::{Place, Run};
use crate::request::Request;

/// A call that may change something, as no other of one run does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it asks for, and of what.
    what: String,
    /// How often the same was asked before: a thing may be tagged twice.
    before: usize,
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

/// On which side of a call the deployer ends.
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

impl Place<'_> {
    /// Runs the deployer, which ends at this call by SIGKILL when it comes to it, and returns
    /// when the cloud has done everything that it was told. Returns the calls that may have
    /// changed something as well, in the order in which they came.
    ///
    /// # Panics
    /// The deployer cannot be started.
    pub fn trapped(&self, mut command: Command, at: Option<(Change, Side)>) -> (Run, Vec<Change>) {
        let cloud = self.cloud;
        let trap = Arc::new(Trap {
            target: cloud.endpoint().trim_start_matches("http://").to_owned(),
            prefix: self.scope("local").prefix(),
            account: self.account.clone(),
            at,
            state: Mutex::default(),
            sprung: Notify::new(),
            under_way: RwLock::new(()),
        });
        let output = cloud.wait(async {
            // A port for each run: what a dead one had sent must not be taken for the next one's.
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            command.env("AWS_ENDPOINT_URL", format!("http://{}", listener.local_addr()?));
            let accepting = tokio::spawn(accept(listener, trap.clone()));
            let output = end_at(command, &trap.sprung).await;
            accepting.abort();
            drop(trap.under_way.write().await);
            output
        });
        let seen = std::mem::take(&mut trap.state().seen);
        (Run::from(output.expect("what is run was just built")), seen)
    }
}

/// Runs a command to its end, or kills it when told so.
async fn end_at(command: Command, sprung: &Notify) -> io::Result<Output> {
    let mut command = tokio::process::Command::from(command);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
    let pid = child.id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
    let mut output = Box::pin(child.wait_with_output());
    tokio::select! {
        output = &mut output => output,
        () = sprung.notified() => {
            kill_process(pid.expect("it was not waited for"), Signal::KILL)?;
            output.await
        }
    }
}

async fn accept(listener: TcpListener, trap: Arc<Trap>) {
    while let Ok((near, _)) = listener.accept().await {
        let trap = trap.clone();
        // What fails here fails in the deployer, which tells.
        tokio::spawn(async move { trap.serve(near).await });
    }
}

/// What stands between one run of the deployer and the cloud.
struct Trap {
    /// Where the cloud is.
    target: String,
    /// What all names begin with.
    prefix: String,
    account: String,
    at: Option<(Change, Side)>,
    state: Mutex<State>,
    /// Told when the deployer has to end.
    sprung: Notify,
    /// Held while the cloud does something.
    under_way: RwLock<()>,
}

#[derive(Default)]
struct State {
    seen: Vec<Change>,
    /// Nothing reaches the cloud any more.
    shut: bool,
}

/// What is to be done with a request.
enum Verdict {
    Pass,
    /// It gets neither to the cloud nor an answer.
    Hold,
    /// The deployer ends on this side of it.
    End(Side),
}

impl Trap {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding it")
    }

    /// Serves one connection, which ends with its first answer.
    async fn serve(&self, mut near: TcpStream) -> io::Result<()> {
        let Some(request) = Request::read(&mut near).await? else {
            return Ok(());
        };
        let under_way = self.under_way.read().await;
        match self.judge(&request) {
            Verdict::Pass => {
                let answer = request.send(&self.target).await?;
                drop(under_way);
                return near.write_all(&answer).await;
            }
            Verdict::Hold => {}
            Verdict::End(Side::Before) => self.sprung.notify_one(),
            Verdict::End(Side::After) => {
                request.send(&self.target).await?;
                self.sprung.notify_one();
            }
        }
        drop(under_way);
        // The connection stays open for as long as the deployer lives.
        near.read(&mut [0]).await.map(drop)
    }

    fn judge(&self, request: &Request) -> Verdict {
        let mut state = self.state();
        if state.shut {
            return Verdict::Hold;
        }
        if !request.mutates() {
            return Verdict::Pass;
        }
        let what = impersonal(&request.describe(&self.prefix), &self.account);
        let before = state.seen.iter().filter(|seen| seen.what == what).count();
        let change = Change { what, before };
        let side = self.at.as_ref().filter(|(at, _)| *at == change).map(|(_, side)| *side);
        state.seen.push(change);
        state.shut = side.is_some();
        side.map_or(Verdict::Pass, Verdict::End)
    }
}
