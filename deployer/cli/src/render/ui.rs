//! The two streams: results on standard output, everything else on standard error.
//!
//! Colour and animation are for terminals; `NO_COLOR` is honoured (anstream decides).

use std::borrow::Cow;
use std::fmt;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::json;

use super::bar_target::bar_target;
use super::style::{BAD, DIM, duration};
use super::terminal::Destination;
use crate::build::BuildEvent;
use crate::exit::Problem;
use crate::local::LocalEvent;

/// The output of the program.
#[derive(Debug, Clone)]
pub struct Ui {
    bars: MultiProgress,
    /// Whether a result was written.
    written: Arc<AtomicBool>,
    /// Why results can no longer be written.
    ended: Arc<Mutex<Option<std::io::Error>>>,
    /// The folder of `--environments`, if it is on the command line.
    environments: Option<PathBuf>,
}

fn stdout_destination() -> Destination {
    let stdout = std::io::stdout();
    Destination { terminal: stdout.is_terminal(), colours: colours(&stdout) }
}

fn stderr_destination() -> Destination {
    let stderr = std::io::stderr();
    Destination { terminal: stderr.is_terminal(), colours: colours(&stderr) }
}

fn colours(stream: &impl anstream::stream::RawStream) -> bool {
    anstream::AutoStream::choice(stream) != anstream::ColorChoice::Never
}

impl Default for Ui {
    fn default() -> Self {
        Self::new()
    }
}

impl Ui {
    /// Returns the process's own streams.
    pub fn new() -> Self {
        // A bar that is written to a file is noise.
        let target =
            if std::io::stderr().is_terminal() { bar_target() } else { ProgressDrawTarget::hidden() };
        Self {
            bars: MultiProgress::with_draw_target(target),
            written: Arc::default(),
            ended: Arc::default(),
            environments: None,
        }
    }

    /// Returns the output whose commands for the user have the option `--environments` with this folder.
    #[must_use]
    pub fn with_environments(self, folder: Option<PathBuf>) -> Self {
        Self { environments: folder, ..self }
    }

    /// Returns the beginning of commands that hints and `next:` suggest: the program that runs, and the option
    /// `--environments` as it was given.
    pub fn program(&self) -> String {
        let program = Self::program_alone();
        match &self.environments {
            Some(folder) => format!("{program} --environments {}", shell_word(&folder.to_string_lossy())),
            None => program,
        }
    }

    fn program_alone() -> String {
        let program = std::env::args_os().next().unwrap_or_else(|| "deployer".into());
        // Cargo sets this for what it runs. The alias is for the program of this name only.
        let by_cargo = std::env::var_os("CARGO").is_some_and(|cargo| !cargo.is_empty());
        if by_cargo && Path::new(&program).file_stem().is_some_and(|name| name == "deployer") {
            return "cargo deployer".into();
        }
        program.to_string_lossy().into_owned()
    }

    /// Writes a result as text, and ends the line. A failed write fails the command at its end: see
    /// [`Ui::lost`].
    pub fn result(&self, text: &str) {
        let text = stdout_destination().text(text);
        self.write(format!("{text}\n").as_bytes());
    }

    /// Writes untrusted data, or data for programs, byte for byte. On a terminal, control characters are
    /// escaped.
    pub fn data(&self, data: &[u8]) {
        self.write(&stdout_destination().data(data));
    }

    /// Writes a value as JSON, and ends the line.
    pub fn json(&self, value: &impl serde::Serialize) {
        self.data(format!("{}\n", super::json(value)).as_bytes());
    }

    fn write(&self, bytes: &[u8]) {
        self.written.store(true, Ordering::Relaxed);
        let mut ended = self.ended.lock().expect("the lock is never poisoned");
        if ended.is_some() {
            return;
        }
        let write = || {
            let mut stdout = std::io::stdout().lock();
            stdout.write_all(bytes)?;
            stdout.flush()
        };
        *ended = self.bars.suspend(write).err();
    }

    /// Returns whether results can no longer be written, so that a command can stop writing.
    pub fn output_ended(&self) -> bool {
        let mut stdout = [PollFd::from_borrowed_fd(rustix::stdio::stdout(), PollFlags::empty())];
        // A closed reader is reported even without requested events (poll(2)).
        let gone = poll(&mut stdout, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|found| found > 0);
        gone || self.ended.lock().expect("the lock is never poisoned").is_some()
    }

    /// Returns the error if results could not be written. A reader that closed the pipe, as `head` does, is
    /// not an error.
    pub fn lost(&self) -> Option<Problem> {
        let ended = self.ended.lock().expect("the lock is never poisoned");
        let error = ended.as_ref().filter(|error| error.kind() != std::io::ErrorKind::BrokenPipe)?;
        Some(Problem::new(format!("cannot write standard output: {error}")))
    }

    /// Writes a message.
    pub fn say(&self, text: &str) {
        let text = stderr_destination().text(text);
        // If this write fails, the error cannot be reported either.
        self.bars.suspend(|| drop(writeln!(std::io::stderr().lock(), "{text}")));
    }

    /// Writes untrusted text as a message.
    pub fn say_untrusted(&self, text: &str) {
        self.say(&stderr_destination().untrusted(text));
    }

    /// Writes an error as the result of a command for programs, unless there is a result already.
    pub fn json_error(&self, problem: &Problem) {
        if self.written.load(Ordering::Relaxed) {
            return;
        }
        let hint = problem.hint.as_ref().map(|hint| with_program(hint, &self.program()));
        let Problem { message, details, exit, .. } = problem;
        let error = json!({"message": message, "details": details, "hint": hint, "exit_code": exit.code()});
        self.json(&json!({"schema": 1, "error": error}));
    }

    /// Writes an error with its details and its hint.
    pub fn error(&self, problem: &Problem) {
        let (to, program) = (stderr_destination(), self.program());
        let mut text = format!("{BAD}error{BAD:#}: {}", to.untrusted(&problem.message));
        for detail in &problem.details {
            text.push_str(&format!("\n  {}", to.untrusted(detail)));
        }
        if let Some(hint) = &problem.hint {
            text.push_str(&format!("\n{DIM}hint:{DIM:#} {}", to.untrusted(&with_program(hint, &program))));
        }
        self.say(&text);
    }

    /// Writes a warning.
    pub fn warn(&self, text: &str) {
        let text = stderr_destination().untrusted(text);
        self.say(&format!("{style}warning{style:#}: {text}", style = super::style::CHANGE));
    }

    /// Shows a task in progress, until the value is dropped.
    pub fn busy(&self, what: &str) -> Busy {
        let style = ProgressStyle::with_template("{spinner} {msg}, {took}");
        let style = style.expect("the template is valid");
        let took = |state: &ProgressState, to: &mut dyn fmt::Write| {
            let _ = to.write_str(&duration(state.elapsed()));
        };
        let bar = self.bars.add(ProgressBar::new_spinner());
        bar.set_style(style.with_key("took", took));
        let busy = Busy { bar, ui: self.clone() };
        busy.now(what);
        busy.bar.enable_steady_tick(Duration::from_millis(100));
        busy
    }

    /// Returns whether progress is shown as a line that is updated in place.
    pub fn moves(&self) -> bool {
        !self.bars.is_hidden()
    }

    /// Returns the width of the terminal if results go to one.
    pub fn width(&self) -> Option<usize> {
        std::io::stdout().is_terminal().then(textwrap::termwidth)
    }

    /// Returns whether a question can be asked: stdin and stderr are terminals.
    pub fn can_ask(&self) -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Asks a question, and returns the answer.
    pub fn ask(&self, question: &str) -> String {
        let _ = write!(anstream::stderr(), "{question} ");
        let mut line = String::new();
        let _ = std::io::stdin().read_line(&mut line);
        line.trim().to_owned()
    }
}

/// Returns a text as one word for a shell.
fn shell_word(text: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_alphanumeric() || "-_./,:=@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into();
    }
    format!("'{}'", text.replace('\'', r"'\''")).into()
}

/// Returns a hint whose commands can be typed here: crates that do not know the program call it `deployer`.
fn with_program(hint: &str, program: &str) -> String {
    hint.replace("`deployer ", &format!("`{program} "))
}

/// A task in progress.
#[derive(Debug)]
pub struct Busy {
    bar: ProgressBar,
    ui: Ui,
}

impl Busy {
    /// Shows the current activity.
    pub fn now(&self, what: &str) {
        // Bars ignore `NO_COLOR`.
        let to = Destination { terminal: true, colours: colours(&std::io::stderr()) };
        self.bar.set_message(to.text(what).into_owned());
    }

    /// Shows what the task waits for, and counts the time from zero.
    pub fn waiting(&self, what: &str) {
        self.bar.reset_elapsed();
        self.now(what);
    }

    /// Shows the start of the local cloud.
    pub fn local(&self, event: &LocalEvent) {
        match event {
            LocalEvent::Waiting => self.now("waiting for another deployer to start the local cloud"),
            LocalEvent::Installing { version } => {
                self.ui.say(&format!("installing MiniStack {version} (once)"));
                self.now("installing MiniStack");
            }
            LocalEvent::Starting { port } => self.now(&format!("starting the local cloud on port {port}")),
            LocalEvent::Installed { .. } | LocalEvent::Ready { .. } => {}
            LocalEvent::OtherVersion { running, pinned } => {
                self.ui.warn(&format!(
                    "the local cloud runs MiniStack {running}, but this program expects {pinned}"
                ));
            }
        }
    }

    /// Shows the progress of a build.
    pub fn build(&self, event: &BuildEvent) {
        match event {
            BuildEvent::Started { functions } => self.now(&format!("building {functions} functions")),
            BuildEvent::Compiling { done, total, current } => {
                self.now(&format!("building functions {done}/{total} {DIM}{current}{DIM:#}"));
            }
            BuildEvent::Message(line) => self.ui.say(line),
            BuildEvent::Compiled { .. } => self.now("packaging functions"),
            BuildEvent::Packaged { .. } => {}
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hint_commands_begin_with_the_program_that_runs() {
        let hint = "run `deployer local start`, not `cargo run`; the deployer waits";
        assert_eq!(
            with_program(hint, "./bundle"),
            "run `./bundle local start`, not `cargo run`; the deployer waits"
        );
    }

    #[test]
    fn suggested_commands_have_the_folder_of_environments() {
        let (plain, ui) =
            (Ui::new().program(), |folder: &str| Ui::new().with_environments(Some(folder.into())));
        assert_eq!(ui("other/envs").program(), format!("{plain} --environments other/envs"));
        assert_eq!(ui("it's here").program(), format!(r"{plain} --environments 'it'\''s here'"));
    }
}
