//! Deployer runs that get a signal at a chosen call instead of a chosen time.

use std::io;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::place::{Place, Run};
use crate::trap::{self, Change, Moment, Trap};

/// The deployer's message after it got a signal.
const HEARD: &str = "stopping: ";

/// A run behind a trap.
#[derive(Debug)]
pub struct Trapped {
    /// The outcome of the run.
    pub run: Run,
    /// The calls that may have changed something, in their order.
    pub changes: Vec<Change>,
    /// How long the run continued after the last signal; `None` if it got no signal.
    pub after: Option<Duration>,
}

impl Place<'_> {
    /// Runs the deployer, and sends it these signals at this moment, each after it has reported the previous
    /// one. Waits until the cloud has executed all forwarded requests.
    ///
    /// # Panics
    /// Panics if the deployer cannot be started.
    pub fn trapped(&self, mut command: Command, at: Option<Moment>, signals: &[Signal]) -> Trapped {
        let cloud = self.cloud;
        let trap = Arc::new(Trap::new(cloud.endpoint(), self, at));
        let run = cloud.wait(async {
            // Each run has its own port, so that requests of a dead run do not reach the next one's trap.
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            command.env("AWS_ENDPOINT_URL", format!("http://{}", listener.local_addr()?));
            let accepting = tokio::spawn(trap::accept(listener, trap.clone()));
            let run = run(command, &trap, signals).await;
            accepting.abort();
            trap.nothing_in_flight().await;
            run
        });
        let (run, after) = run.expect("the binary exists");
        Trapped { run, changes: trap.seen(), after }
    }
}

/// Runs a command to completion, and sends signals once the trap has stopped answering.
async fn run(command: Command, trap: &Trap, signals: &[Signal]) -> io::Result<(Run, Option<Duration>)> {
    let mut command = tokio::process::Command::from(command);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
    let pid = child
        .id()
        .and_then(|pid| Pid::from_raw(pid.try_into().ok()?))
        .expect("the process was not waited for");
    let (mut stdout, stderr) = (child.stdout.take().expect("standard output is piped"), child.stderr.take());
    let (printed, mut hearing) = watch::channel(String::new());
    let mut result = String::new();
    let send = async {
        trap.sprung().await;
        for (number, signal) in signals.iter().enumerate() {
            if number > 0 && hearing.wait_for(|printed| printed.contains(HEARD)).await.is_err() {
                break;
            }
            kill_process(pid, *signal)?;
        }
        io::Result::Ok(Instant::now())
    };
    let mut ended = Box::pin(async {
        let stderr = listen(stderr.expect("standard error is piped"), &printed);
        let (status, _, ()) = tokio::try_join!(child.wait(), stdout.read_to_string(&mut result), stderr)?;
        io::Result::Ok((status, Instant::now()))
    });
    let (status, after): (ExitStatus, _) = tokio::select! {
        ended = &mut ended => (ended?.0, None),
        sent = send => {
            let (sent, (status, at)) = (sent?, ended.as_mut().await?);
            (status, Some(at.duration_since(sent)))
        }
    };
    drop(ended);
    Ok((Run { code: status.code(), stdout: result, stderr: printed.borrow().clone() }, after))
}

/// Forwards standard error line by line.
async fn listen(stderr: impl AsyncRead + Unpin, printed: &watch::Sender<String>) -> io::Result<()> {
    let mut lines = BufReader::new(stderr);
    let mut line = String::new();
    while lines.read_line(&mut line).await? > 0 {
        printed.send_modify(|printed| printed.push_str(&line));
        line.clear();
    }
    Ok(())
}
