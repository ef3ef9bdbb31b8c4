//! `deployer logs`: what functions wrote, merged and in order, once or as it comes.

use std::collections::HashSet;
use std::time::Duration;

use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};

use crate::app::App;
use crate::aws::Aws;
use crate::error::Error;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::render::Ui;
use crate::session::Session;

/// Between two looks while following. CloudWatch Logs shows lines after seconds anyway.
const PAUSE: Duration = Duration::from_secs(2);

/// How far each look goes back behind the youngest line of the last.
const OVERLAP_MS: i64 = 10_000;

/// Show what functions wrote to their logs
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// The functions, without the environment's prefix; all when none is named
    functions: Vec<String>,
    /// How far back to look: 90s, 10m, 24h, 7d
    #[arg(long, default_value = "10m", value_parser = super::time::duration)]
    since: SignedDuration,
    /// Only lines that match this CloudWatch Logs filter pattern
    #[arg(long, value_name = "PATTERN")]
    filter: Option<String>,
    /// Go on until stopped
    #[arg(long, short)]
    follow: bool,
}

/// One line of one function.
struct Line {
    at: i64,
    /// Tells it from others when the next look shows it again.
    identity: String,
    function: String,
    text: String,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    let session = Session::reading(&args.environment, app, global, ui).await?;
    let functions: Vec<String> = match args.functions.as_slice() {
        [] => session.functions(app),
        named => named.iter().map(|name| session.function(app, name)).collect::<Result<_, Problem>>()?,
    };
    let prefix = session.scope.prefix();
    let from = Timestamp::now().checked_sub(args.since);
    let from = from.map_err(|_| Problem::usage("--since is before there were clocks"))?;
    let mut from = from.as_millisecond();
    let mut shown: HashSet<String> = HashSet::new();
    loop {
        let reads =
            functions.iter().map(|function| lines(function, from, args.filter.as_deref(), &session.aws));
        let mut lines: Vec<Line> = try_join_all(reads).await?.into_iter().flatten().collect();
        // Stable: lines of one millisecond keep the order in which they were written.
        lines.sort_by_key(|line| line.at);
        for line in lines.iter().filter(|line| !shown.contains(&line.identity)) {
            let name = line.function.strip_prefix(&prefix).unwrap_or(&line.function);
            // What others wrote: a terminal must not obey it, and a file gets it as it is.
            ui.data(format!("{} {name} {}\n", time(line.at), line.text.trim_end_matches('\n')).as_bytes());
        }
        if !args.follow || ui.output_ended() {
            return Ok(Exit::DONE);
        }
        // A line can be shown to us later than a younger one of another stream.
        from = lines.last().map_or(from, |line| from.max(line.at - OVERLAP_MS));
        shown = lines.into_iter().map(|line| line.identity).collect();
        tokio::time::sleep(PAUSE).await;
    }
}

/// Reads a function's lines from a moment on.
async fn lines(function: &str, from: i64, filter: Option<&str>, aws: &Aws) -> Result<Vec<Line>, Error> {
    let events = aws.log_lines(function, from, filter.map(str::to_owned)).await?;
    Ok(events
        .into_iter()
        .map(|event| {
            let (at, text) = (event.timestamp.unwrap_or_default(), event.message.unwrap_or_default());
            let stream = event.log_stream_name.unwrap_or_default();
            let identity = event.event_id.unwrap_or_else(|| format!("{stream} {at} {text}"));
            Line { at, identity, function: function.to_owned(), text }
        })
        .collect())
}

fn time(millisecond: i64) -> String {
    Timestamp::from_millisecond(millisecond).map_or_else(|_| millisecond.to_string(), |at| format!("{at:.3}"))
}
