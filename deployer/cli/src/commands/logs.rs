//! `deployer logs`: shows the log lines of functions, merged in order of time, once or continuously.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::Duration;

use engine::error::Error;
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};

use crate::app::App;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::render::{Ui, count, duration};
use crate::session::Session;
use aws::{Aws, Clock, LogQuery};

/// The pause between two reads while following. CloudWatch Logs shows lines only after seconds anyway.
const PAUSE: Duration = Duration::from_secs(2);

/// How far each read goes back before the start of the previous one. A line that CloudWatch Logs shows later
/// than this after its own time is missed.
const LATEST: SignedDuration = SignedDuration::from_mins(2);

/// Show the logs of functions
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// The functions, without the environment's prefix; all if none is named
    functions: Vec<String>,
    /// Start this long ago: 90s, 10m, 24h, 7d
    #[arg(long, default_value = "10m", value_parser = super::time::duration)]
    since: SignedDuration,
    /// Show only lines that match this CloudWatch Logs filter pattern
    #[arg(long, value_name = "PATTERN")]
    filter: Option<String>,
    /// Keep showing new lines until stopped
    #[arg(long, short)]
    follow: bool,
}

/// One line of one function.
#[derive(Debug)]
struct LogLine {
    at: i64,
    identity: Identity,
    text: String,
}

/// Identifies a line when the next read returns it again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Identity {
    function: String,
    event: String,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    app.functions()?;
    let session = Session::reading(&args.environment, app, global, ui).await?;
    let functions: Vec<String> = match args.functions.as_slice() {
        [] => session.functions(),
        named => named.iter().map(|name| session.function(name)).collect::<Result<_, Problem>>()?,
    };
    let prefix = session.scope.prefix();
    // Late lines are recognised by AWS's clock: the clock of this machine may be minutes ahead.
    let clock = if args.follow { session.aws.guard().await?.clock } else { Clock::default() };
    let from = clock.now().checked_sub(args.since);
    let from = from.map_err(|_| Problem::usage("the time of `--since` is out of range"))?;
    let logs = Logs {
        functions: super::each_once(functions),
        filter: args.filter.as_deref(),
        aws: &session.aws,
        now: &|| clock.now(),
    };
    // Log lines are untrusted: a terminal must not obey their control characters. A file gets them unchanged.
    let show = |lines: &[LogLine]| {
        for LogLine { at, identity, text } in lines {
            let name = identity.function.strip_prefix(&prefix).unwrap_or(&identity.function);
            ui.data(format!("{} {name} {}\n", time(*at), text.trim_end_matches('\n')).as_bytes());
        }
        // A reader that closes the pipe is not an error.
        if ui.output_ended() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    if session.environment.local.is_some() && args.filter.as_deref().is_some_and(is_structured) {
        ui.warn("the local cloud matches words only, and shows every line for other patterns");
    }
    let functions = count(logs.functions.len(), "function");
    if args.follow {
        ui.say(&format!("following {functions}; press Ctrl-C to stop"));
        logs.follow(from, show).await?;
        return Ok(Exit::DONE);
    }
    let lines = logs.lines(from.as_millisecond()).await?;
    if lines.is_empty() {
        let since = duration(args.since.unsigned_abs());
        let matching = if args.filter.is_some() { " that match" } else { "" };
        ui.say(&format!("no lines{matching} in the last {since} ({functions})"));
    }
    let _ = show(&lines);
    Ok(Exit::DONE)
}

/// Returns whether a filter pattern is more than words: JSON, columns, a phrase, an alternative or an exclusion
/// ("Filter pattern syntax", CloudWatch Logs user guide).
fn is_structured(pattern: &str) -> bool {
    pattern.split_whitespace().any(|word| word.starts_with(['{', '[', '"', '?', '-', '%']))
}

/// The logs to read.
struct Logs<'a> {
    functions: Vec<String>,
    filter: Option<&'a str>,
    aws: &'a Aws,
    now: &'a (dyn Fn() -> Timestamp + Sync),
}

impl Logs<'_> {
    /// Shows lines from this time on as they arrive, until `show` returns `Break`. It is called after each
    /// read, also if there are no new lines.
    async fn follow(
        &self,
        from: Timestamp,
        mut show: impl FnMut(&[LogLine]) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let mut shown = Shown { from: from.as_millisecond(), lines: HashMap::new() };
        loop {
            let began = (self.now)();
            let lines = self.lines(shown.from).await?;
            if show(&shown.news(lines)).is_break() {
                return Ok(());
            }
            shown.forget_before(began.checked_sub(LATEST).unwrap_or(Timestamp::MIN));
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Returns the lines of all functions from this time on, in milliseconds since 1970, in order of time.
    async fn lines(&self, from: i64) -> Result<Vec<LogLine>, Error> {
        let reads = self.functions.iter().map(|function| self.lines_of(function, from));
        let mut lines: Vec<LogLine> = try_join_all(reads).await?.into_iter().flatten().collect();
        // Stable: lines of one millisecond keep the order in which they were written.
        lines.sort_by_key(|line| line.at);
        Ok(lines)
    }

    async fn lines_of(&self, function: &str, from: i64) -> Result<Vec<LogLine>, Error> {
        let events = self.aws.log_lines(LogQuery { function, from, filter: self.filter }).await?;
        let lines = events.into_iter().map(|event| {
            let (at, text) = (event.timestamp.unwrap_or_default(), event.message.unwrap_or_default());
            let stream = event.log_stream_name.unwrap_or_default();
            let event = event.event_id.unwrap_or_else(|| format!("{stream} {at} {text}"));
            LogLine { at, identity: Identity { function: function.to_owned(), event }, text }
        });
        Ok(lines.collect())
    }
}

/// The lines already shown that the next read can return again.
///
/// A read starts at a time of the clock, never at the time of a line: lines arrive late, and a line may have
/// a time that is two hours ahead ("PutLogEvents", CloudWatch Logs API reference).
struct Shown {
    /// The time from which the next read returns lines.
    from: i64,
    lines: HashMap<Identity, i64>,
}

impl Shown {
    /// Returns the lines that were not shown yet, and records them as shown.
    fn news(&mut self, mut lines: Vec<LogLine>) -> Vec<LogLine> {
        lines.retain(|line| self.lines.insert(line.identity.clone(), line.at).is_none());
        lines
    }

    /// Lets the next read start at this time, and forgets older lines.
    fn forget_before(&mut self, time: Timestamp) {
        self.from = self.from.max(time.as_millisecond());
        self.lines.retain(|_, at| *at >= self.from);
    }
}

fn time(millisecond: i64) -> String {
    Timestamp::from_millisecond(millisecond).map_or_else(|_| millisecond.to_string(), |at| format!("{at:.3}"))
}

#[cfg(test)]
mod tests;
