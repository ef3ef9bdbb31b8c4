//! Compiles the functions with one call of cargo and reports its progress as events. It must not know how the
//! binaries are used.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Instant;

use cargo_metadata::Message;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::Command;

use super::cargo_command::{command, missing, program};
use super::error::BuildError;
use super::event::BuildEvent;
use super::failure;
use super::group::Group;
use super::settings::{BuildSettings, Method};
use super::workspace::Workspace;

/// Wide enough for several crate names in cargo's progress line, which is parsed here.
const PROGRESS_WIDTH: &str = "120";

impl Workspace {
    /// Compiles the binaries `names` in one call of cargo and returns the path of each.
    ///
    /// Dropping the future ends cargo and the compilers. Before an exit that drops nothing, call
    /// [`end_all`](super::end_all).
    ///
    /// # Errors
    /// Returns an error if cargo is not installed or the build fails.
    pub async fn compile(
        &self,
        names: &[String],
        settings: &BuildSettings,
        on_event: &(dyn Fn(BuildEvent) + Sync),
    ) -> Result<BTreeMap<String, PathBuf>, BuildError> {
        on_event(BuildEvent::Started { functions: names.len() });
        let started = Instant::now();
        let mut cargo =
            Group::spawn(self.build_command(names, settings)).map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => missing(),
                _ => BuildError::io("start", program())(error),
            })?;
        let stdout = cargo.leader.stdout.take().expect("standard output is piped");
        let stderr = cargo.leader.stderr.take().expect("standard error is piped");
        let (binaries, said) = tokio::join!(executables(stdout), listen(stderr, on_event));
        let status = cargo.wait().await.map_err(BuildError::io("wait for", program()))?;
        if !status.success() {
            return Err(BuildError::Compile {
                status: status.to_string(),
                hint: failure::hint(&said, settings),
                output: said,
            });
        }
        on_event(BuildEvent::Compiled { took: started.elapsed() });
        Ok(binaries)
    }

    fn build_command(&self, names: &[String], settings: &BuildSettings) -> Command {
        let mut command = command();
        command.current_dir(&self.root);
        command.arg(match settings.method {
            Method::Zig => "zigbuild",
            Method::Host | Method::Cargo | Method::Musl => "build",
        });
        // Cargo must not change the lock file, because the fingerprint covers it.
        command.args(["--locked", "--message-format", "json-render-diagnostics"]);
        command.args(["--profile", &settings.profile]);
        let packages: BTreeSet<&str> =
            names.iter().filter_map(|name| Some(self.functions.get(name)?.package.as_str())).collect();
        for package in packages {
            command.args(["--package", package]);
        }
        for name in names {
            command.args(["--bin", name]);
        }
        if let Some(target) = settings.target() {
            command.args(["--target", &target]);
        }
        command
            .env("CARGO_TERM_PROGRESS_WHEN", "always")
            .env("CARGO_TERM_PROGRESS_WIDTH", PROGRESS_WIDTH)
            .env("CARGO_TERM_QUIET", "false")
            .env("CARGO_TERM_COLOR", "never")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// Returns the executables in cargo's messages. Lines that cannot be read are skipped: cargo reports failures
/// on standard error, and the caller notices a missing binary.
async fn executables(stdout: impl AsyncRead + Unpin) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Ok(Message::CompilerArtifact(artifact)) = serde_json::from_str(&line)
            && let Some(executable) = artifact.executable
        {
            found.insert(artifact.target.name, executable.into());
        }
    }
    found
}

/// Reports cargo's messages on standard error as events, and returns them without the progress lines.
async fn listen(mut stderr: impl AsyncRead + Unpin, on_event: &(dyn Fn(BuildEvent) + Sync)) -> String {
    let mut said = String::new();
    let mut pending = Vec::new();
    let mut buffer = vec![0; 8192];
    loop {
        let read = stderr.read(&mut buffer).await.unwrap_or(0);
        pending.extend_from_slice(&buffer[..read]);
        if read == 0 && !pending.is_empty() {
            pending.push(b'\n');
        }
        while let Some(end) = pending.iter().position(|byte| b"\n\r".contains(byte)) {
            let line: Vec<u8> = pending.drain(..=end).collect();
            let Some(event) = event(&String::from_utf8_lossy(&line)) else {
                continue;
            };
            if let BuildEvent::Message(text) = &event {
                said.push_str(text);
                said.push('\n');
            }
            on_event(event);
        }
        if read == 0 {
            return said.trim_matches('\n').to_owned();
        }
    }
}

/// Returns the event for a line of cargo with its line end, or `None` if another event reports it.
fn event(line: &str) -> Option<BuildEvent> {
    let redrawn = line.ends_with('\r');
    // Where cargo overwrites its progress line, it clears the rest of the line.
    let line = line.trim_end().trim_end_matches("\u{1b}[K").trim_end();
    let text = line.trim_start();
    if let Some(progress) = text.strip_prefix("Building [") {
        return progress_event(progress);
    }
    let status_lines = ["Compiling ", "Finished ", "Fresh "];
    if redrawn || status_lines.iter().any(|start| text.starts_with(start)) {
        return None;
    }
    Some(BuildEvent::Message(line.to_owned()))
}

/// Reads the rest of `Building [=====>   ] 45/130: tokio, zip`.
fn progress_event(progress: &str) -> Option<BuildEvent> {
    let (_, counts) = progress.split_once("] ")?;
    let (counts, current) = counts.split_once(": ").unwrap_or((counts, ""));
    let (done, total) = counts.trim_end_matches(':').split_once('/')?;
    Some(BuildEvent::Compiling {
        done: done.trim().parse().ok()?,
        total: total.trim().parse().ok()?,
        current: current.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn progress_becomes_counts_and_the_rest_is_kept_whole() {
        let stderr = "   Compiling itoa v1.0.18\n\
            \x20   Building [====>       ] 1/5: itoa, a(bin)      \r   Compiling probe v0.1.0\n\
            \x20   Downloading 3 crates, remaining bytes: 1 MiB\r\
            warning: unused variable\n --> src/lib.rs:1:17\n\n\
            \x20   Finished `dev` profile in 0.77s\n";
        let events = Mutex::new(Vec::new());
        let said = listen(stderr.as_bytes(), &|event| events.lock().unwrap().push(event)).await;
        assert_eq!(said, "warning: unused variable\n --> src/lib.rs:1:17");
        let events = events.into_inner().unwrap();
        let expected = BuildEvent::Compiling { done: 1, total: 5, current: "itoa, a(bin)".into() };
        assert_eq!(events[0], expected);
        let text = BuildEvent::Message("warning: unused variable".into());
        assert_eq!(events[1], text);
    }
}
