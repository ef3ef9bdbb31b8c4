//! The two streams: results on standard output, everything else on standard error.
//!
//! Colour and animation are for terminals; `NO_COLOR` is honoured (anstream decides).

use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::style::{BAD, DIM, duration};
use super::terminal::Destination;
use crate::build::BuildEvent;
use crate::exit::Problem;
use crate::local::LocalEvent;

/// Where everything is written.
#[derive(Debug, Clone)]
pub struct Ui {
    bars: MultiProgress,
    /// Why results can no longer be written.
    ended: Arc<Mutex<Option<std::io::Error>>>,
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
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self { bars: MultiProgress::with_draw_target(target), ended: Arc::default() }
    }

    /// Returns how the program is called here, for hints that can be typed as they are.
    pub fn program(&self) -> String {
        // Cargo sets this for what it runs.
        if std::env::var_os("CARGO").is_some_and(|cargo| !cargo.is_empty()) {
            return "cargo deployer".into();
        }
        let program = std::env::args_os().next();
        program.map_or_else(|| "deployer".into(), |program| program.to_string_lossy().into_owned())
    }

    /// Writes a result for reading, and ends the line. What cannot be written fails the command
    /// in the end: see [`Ui::lost`].
    pub fn result(&self, text: &str) {
        let text = stdout_destination().text(text);
        self.write(format!("{text}\n").as_bytes());
    }

    /// Writes data of others or for programs, byte for byte. A terminal gets what it would obey
    /// written out.
    pub fn data(&self, data: &[u8]) {
        self.write(&stdout_destination().data(data));
    }

    /// Writes a value as JSON, and ends the line.
    pub fn json(&self, value: &impl serde::Serialize) {
        self.data(format!("{}\n", super::json(value)).as_bytes());
    }

    fn write(&self, bytes: &[u8]) {
        let mut ended = self.ended.lock().expect("nothing panics while it writes");
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

    /// Tells whether results can no longer be written: whatever goes on writing can end.
    pub fn output_ended(&self) -> bool {
        let mut stdout = [PollFd::from_borrowed_fd(rustix::stdio::stdout(), PollFlags::empty())];
        // A reader that is gone is told without asking for it (poll(2)).
        let gone = poll(&mut stdout, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|found| found > 0);
        gone || self.ended.lock().expect("nothing panics while it writes").is_some()
    }

    /// Returns the problem that results could not be written. A reader that left, as `head`
    /// does, has got what it wanted.
    pub fn lost(&self) -> Option<Problem> {
        let ended = self.ended.lock().expect("nothing panics while it writes");
        let error = ended.as_ref().filter(|error| error.kind() != std::io::ErrorKind::BrokenPipe)?;
        Some(Problem::new(format!("cannot write standard output: {error}")))
    }

    /// Says something about the work.
    pub fn say(&self, text: &str) {
        let text = stderr_destination().text(text);
        // If even that cannot be written there is nobody to tell.
        self.bars.suspend(|| drop(writeln!(std::io::stderr().lock(), "{text}")));
    }

    /// Says something that others wrote, or that was typed.
    pub fn say_foreign(&self, text: &str) {
        self.say(&stderr_destination().foreign(text));
    }

    /// Says what went wrong, and what to do about it.
    pub fn error(&self, problem: &Problem) {
        let to = stderr_destination();
        let mut text = format!("{BAD}error{BAD:#}: {}", to.foreign(&problem.message));
        for detail in &problem.details {
            text.push_str(&format!("\n  {}", to.foreign(detail)));
        }
        if let Some(hint) = &problem.hint {
            text.push_str(&format!("\n{DIM}hint:{DIM:#} {}", to.foreign(hint)));
        }
        self.say(&text);
    }

    /// Warns.
    pub fn warn(&self, text: &str) {
        let text = stderr_destination().foreign(text);
        self.say(&format!("{style}warning{style:#}: {text}", style = super::style::CHANGE));
    }

    /// Shows that something is going on, until the value is dropped.
    pub fn busy(&self, what: &str) -> Busy {
        let style = ProgressStyle::with_template("{spinner} {msg}, {took}");
        let style = style.expect("the template is right");
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

    /// Tells whether what is going on is shown as it goes on.
    pub fn moves(&self) -> bool {
        !self.bars.is_hidden()
    }

    /// Returns how wide the terminal is that results go to, if they go to one.
    pub fn width(&self) -> Option<usize> {
        std::io::stdout().is_terminal().then(textwrap::termwidth)
    }

    /// Tells whether there is somebody to ask.
    pub fn can_ask(&self) -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Asks, and returns the line typed.
    pub fn ask(&self, question: &str) -> String {
        let _ = write!(anstream::stderr(), "{question} ");
        let mut line = String::new();
        let _ = std::io::stdin().read_line(&mut line);
        line.trim().to_owned()
    }
}

/// Something going on.
#[derive(Debug)]
pub struct Busy {
    bar: ProgressBar,
    ui: Ui,
}

impl Busy {
    /// Says what is going on now.
    pub fn now(&self, what: &str) {
        // Bars know nothing of `NO_COLOR`.
        let to = Destination { terminal: true, colours: colours(&std::io::stderr()) };
        self.bar.set_message(to.text(what).into_owned());
    }

    /// Says what is waited for from now on, and counts the time anew.
    pub fn waiting(&self, what: &str) {
        self.bar.reset_elapsed();
        self.now(what);
    }

    /// Tells of the local cloud coming up.
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
                    "the local cloud is MiniStack {running}, this program is made for {pinned}"
                ));
            }
        }
    }

    /// Tells of a build going on.
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
