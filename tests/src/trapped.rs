//! Runs of the deployer that get a signal at a moment of their own, which no clock chooses.

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

/// What the deployer says when it has heard a signal.
const HEARD: &str = "stopping: ";

/// A run that had to do with a trap.
#[derive(Debug)]
pub struct Trapped {
    /// How it ended.
    pub run: Run,
    /// The calls that may have changed something, in the order in which they came.
    pub changes: Vec<Change>,
    /// How long it went on after the last signal; nothing when it got none.
    pub after: Option<Duration>,
}

impl Place<'_> {
    /// Runs the deployer and sends it these signals when it comes to this moment, each when it
    /// has heard the one before. Returns when the cloud has done everything that it was told.
    ///
    /// # Panics
    /// The deployer cannot be started.
    pub fn trapped(&self, mut command: Command, at: Option<Moment>, signals: &[Signal]) -> Trapped {
        let cloud = self.cloud;
        let trap = Arc::new(Trap::new(cloud.endpoint(), self, at));
        let run = cloud.wait(async {
            // A port for each run: what a dead one had sent must not be taken for the next one's.
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            command.env("AWS_ENDPOINT_URL", format!("http://{}", listener.local_addr()?));
            let accepting = tokio::spawn(trap::accept(listener, trap.clone()));
            let run = run(command, &trap, signals).await;
            accepting.abort();
            trap.nothing_under_way().await;
            run
        });
        let (run, after) = run.expect("what is run was just built");
        Trapped { run, changes: trap.seen(), after }
    }
}

/// Runs a command to its end, with signals on the way once the trap has sprung.
async fn run(command: Command, trap: &Trap, signals: &[Signal]) -> io::Result<(Run, Option<Duration>)> {
    let mut command = tokio::process::Command::from(command);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
    let pid = child.id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?)).expect("it was not waited for");
    let (mut stdout, stderr) = (child.stdout.take().expect("it is piped"), child.stderr.take());
    let (told, mut hearing) = watch::channel(String::new());
    let mut result = String::new();
    let send = async {
        trap.sprung().await;
        for (number, signal) in signals.iter().enumerate() {
            if number > 0 && hearing.wait_for(|told| told.contains(HEARD)).await.is_err() {
                break;
            }
            kill_process(pid, *signal)?;
        }
        io::Result::Ok(Instant::now())
    };
    let mut ended = Box::pin(async {
        let stderr = listen(stderr.expect("it is piped"), &told);
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
    Ok((Run { code: status.code(), stdout: result, stderr: told.borrow().clone() }, after))
}

/// Hands on what is said, line by line.
async fn listen(stderr: impl AsyncRead + Unpin, told: &watch::Sender<String>) -> io::Result<()> {
    let mut lines = BufReader::new(stderr);
    let mut line = String::new();
    while lines.read_line(&mut line).await? > 0 {
        told.send_modify(|told| told.push_str(&line));
        line.clear();
    }
    Ok(())
}
