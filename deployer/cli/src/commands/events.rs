//! `deployer events`: shows the events of one aggregate, or its state at a version or a time.

mod at;

use eventsourcing::{AggregateId, Commit, Envelope, EventStore};
use futures::TryStreamExt;

use self::at::At;
use super::never_deployed;
use crate::app::App;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::pipeline::Pipeline;
use crate::render::{Moment, ReportFormat, TimeLine, Ui};
use crate::session::Session;
use crate::storage_errors::Classify;

/// Show the events of one aggregate, or its state at an earlier version or time (read-only)
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// The aggregate: a UUID, or type and UUID as stored, such as cart#<uuid>
    aggregate: String,
    /// Show the state after this version, such as 3, or at this time, such as 2026-11-21T19:02:03Z
    #[arg(long, value_name = "VERSION|TIME")]
    at: Option<At>,
    /// Set the output format
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    let pipeline = app.pipeline()?;
    let id = id(&args.aggregate, &pipeline)?;
    let name = &args.environment;
    let session = Session::reading(name, app, global, ui).await?;
    let table = pipeline.table_name(&session.scope);
    let commits = {
        let _busy = ui.busy(&format!("reading {id}"));
        let store = pipeline.event_store(&session.aws);
        let read = async { store.read(&id).map_err(Classify::classify).try_collect::<Vec<Commit>>().await };
        let unread = |error| Problem::of_call(error, || never_deployed(&ui.program(), name));
        futures::try_join!(session.aws.guard(), read).map_err(unread)?.1
    };
    if commits.is_empty() {
        return Err(Problem::new(format!(
            "aggregate {id} does not exist: table {table} has no events of it"
        ))
        .hint("check the environment and the aggregate type (type#uuid)"));
    }
    if let Some(at) = args.at {
        return show_state(&args, at, commits, &pipeline, &id, ui);
    }
    let events: Vec<Envelope> = commits.into_iter().flat_map(Commit::into_envelopes).collect();
    let time_line =
        TimeLine { schema: 1, environment: name, table: &table, aggregate: id.to_string(), events };
    match args.format {
        ReportFormat::Human => {
            ui.result(&time_line.text(ui.width()));
            for gap in time_line.gaps() {
                ui.warn(&format!("{gap}: commands on {id} fail until the gap is repaired (see `audit`)"));
            }
        }
        ReportFormat::Json => ui.json(&time_line),
    }
    Ok(Exit::DONE)
}

/// Shows the state of an aggregate after the commits up to a version or time.
fn show_state(
    args: &Args,
    at: At,
    commits: Vec<Commit>,
    pipeline: &Pipeline,
    id: &AggregateId,
    ui: &Ui,
) -> Result<Exit, Problem> {
    let known = pipeline.aggregate.type_name;
    if id.aggregate_type() != known {
        return Err(Problem::usage(format!("cannot show the state of {id}: its type is not `{known}`"))
            .hint("omit --at to show its events"));
    }
    let of_versions = commits.last().map_or(0, |last| last.next_version() - 1);
    let cut = at.cut(commits).map_err(|message| Problem::new(format!("{id}: {message}")))?;
    let state = (pipeline.aggregate.state)(&cut)
        .map_err(|message| Problem::new(format!("cannot compute the state of {id}: {message}")))?;
    let last = cut.last().expect("an empty history is an error above");
    let moment = Moment {
        schema: 1,
        environment: &args.environment,
        aggregate: id.to_string(),
        version: last.next_version() - 1,
        of_versions,
        occurred_at: last.context.occurred_at,
        state,
    };
    match args.format {
        ReportFormat::Human => {
            ui.say(&moment.heading());
            ui.json(&moment.state);
        }
        ReportFormat::Json => ui.json(&moment),
    }
    Ok(Exit::DONE)
}

/// Parses `<uuid>`, which gets the stack's own type, or `<type>#<uuid>`.
fn id(text: &str, pipeline: &Pipeline) -> Result<AggregateId, Problem> {
    let of_type = || format!("{}#{}", pipeline.aggregate.type_name, text.to_ascii_lowercase());
    let whole = if text.contains('#') { text.to_owned() } else { of_type() };
    whole.parse().map_err(|_| {
        let type_name = pipeline.aggregate.type_name;
        let like = "01997d2e-8a3b-7c11-9f0e-6b1d5a2c4e70";
        Problem::usage(format!("`{text}` is not an aggregate id"))
            .hint(format!("pass a UUID, such as {like}, or type and UUID, such as '{type_name}#{like}'"))
    })
}
