//! The two streams: results on standard output, everything else on standard error.
//!
//! Colour and animation are for terminals; `NO_COLOR` is honoured (anstream decides).

use std::fmt;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::style::{BAD, DIM, duration};
use crate::build::BuildEvent;
use crate::exit::Problem;
use crate::local::LocalEvent;

/// Where everything is written.
#[derive(Debug, Clone)]
pub struct Ui {
    bars: MultiProgress,
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
        Self { bars: MultiProgress::with_draw_target(target) }
    }

    /// Returns how the program is called here, for hints that can be typed as they are.
    pub fn program(&self) -> String {
        // Cargo sets this for what it runs.
        if std::env::var_os("CARGO").is_some() {
            return "cargo deployer".into();
        }
        std::env::args().next().unwrap_or_else(|| "deployer".into())
    }

    /// Writes a result.
    pub fn result(&self, text: &str) {
        // A reader that left, as `head` does, is nobody's mistake.
        self.bars.suspend(|| drop(writeln!(anstream::stdout(), "{text}")));
    }

    /// Says something about the work.
    pub fn say(&self, text: &str) {
        self.bars.suspend(|| drop(writeln!(anstream::stderr(), "{text}")));
    }

    /// Says what went wrong, and what to do about it.
    pub fn error(&self, problem: &Problem) {
        let mut text = format!("{BAD}error{BAD:#}: {problem}");
        for detail in &problem.details {
            text.push_str(&format!("\n  {detail}"));
        }
        if let Some(hint) = &problem.hint {
            text.push_str(&format!("\n{DIM}hint:{DIM:#} {hint}"));
        }
        self.say(&text);
    }

    /// Warns.
    pub fn warn(&self, text: &str) {
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
        let colours = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
        let plain = || anstream::adapter::strip_str(what).to_string();
        self.bar.set_message(if colours { what.to_owned() } else { plain() });
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
