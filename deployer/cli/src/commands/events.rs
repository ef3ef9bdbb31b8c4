//! `deployer events`: what happened to one aggregate, and how it stood at a version or a time.

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

/// Show what happened to one aggregate, or how it stood back then; only reads
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// The aggregate: a UUID, or type and UUID as they are stored, as in cart#<uuid>
    aggregate: String,
    /// Show the state after this version, as in 3, or at this time, as in 2026-11-21T19:02:03Z
    #[arg(long, value_name = "VERSION|TIME")]
    at: Option<At>,
    /// How to show it
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
        return Err(Problem::new(format!("nothing has happened to {id}: table {table} has no event of it"))
            .hint("is it another environment's, or is its type another one (type#uuid)?"));
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
                ui.warn(&format!("{gap}: commands on {id} fail until it is back (`audit` tells more)"));
            }
        }
        ReportFormat::Json => ui.json(&time_line),
    }
    Ok(Exit::DONE)
}

/// Shows what the commits up to a point fold to.
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
        return Err(Problem::usage(format!("the state of {id} is not known here, only that of a {known}"))
            .hint("leave out --at: its events are shown all the same"));
    }
    let of_versions = commits.last().map_or(0, |last| last.next_version() - 1);
    let cut = at.cut(commits).map_err(|message| Problem::new(format!("{id}: {message}")))?;
    let state = (pipeline.aggregate.state)(&cut)
        .map_err(|message| Problem::new(format!("the events make no {known}: {message}")))?;
    let last = cut.last().expect("nothing at all was refused above");
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

/// Understands `<uuid>`, of the stack's own type, and `<type>#<uuid>`.
fn id(text: &str, pipeline: &Pipeline) -> Result<AggregateId, Problem> {
    let of_type = || format!("{}#{}", pipeline.aggregate.type_name, text.to_ascii_lowercase());
    let whole = if text.contains('#') { text.to_owned() } else { of_type() };
    whole.parse().map_err(|_| {
        let type_name = pipeline.aggregate.type_name;
        let like = "01997d2e-8a3b-7c11-9f0e-6b1d5a2c4e70";
        Problem::usage(format!("`{text}` names no aggregate"))
            .hint(format!("give a UUID, as in {like}, or type and UUID, as in '{type_name}#{like}'"))
    })
}
