//! `deployer events`: shows the events of one aggregate, or its state at a version or a time.

mod at;

use eventsourcing::{AggregateId, Commit, Envelope, EventStore};
use futures::TryStreamExt;
use futures::future::try_join_all;

use self::at::At;
use super::never_deployed;
use crate::app::App;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::pipeline::Pipeline;
use crate::render::{Moment, ReportFormat, TimeLine, Ui};
use crate::session::Session;
use crate::storage_errors::Classify;
use crate::suggestion::likely;

/// Show the events of one aggregate, or its state at an earlier version or time (read-only)
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// The aggregate: a UUID of any type, or type and UUID as stored: <type>#<uuid>
    aggregate: String,
    /// Show the state after this version, such as 3, or at this time, such as 2026-11-21T19:02:03Z
    #[arg(long, value_name = "VERSION|TIME")]
    at: Option<At>,
    /// Set the output format
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    let pipeline = app.events()?;
    let ids = ids(&args.aggregate, &pipeline)?;
    let name = &args.environment;
    let session = Session::reading(name, app, global, ui).await?;
    let table = pipeline.table_name(&session.scope);
    let read = {
        let _busy = ui.busy(&format!("reading {}", args.aggregate));
        let store = pipeline.event_store(&session.aws);
        let one = async |id: AggregateId| {
            let commits = store.read(&id).map_err(Classify::classify).try_collect::<Vec<Commit>>().await?;
            Ok((id, commits))
        };
        let unread = |error| Problem::of_call(error, || never_deployed(&ui.program(), name));
        futures::try_join!(session.aws.guard(), try_join_all(ids.into_iter().map(one))).map_err(unread)?.1
    };
    let (id, commits) = only(&args.aggregate, read, &table, &pipeline)?;
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
    let app = pipeline.aggregates.iter().find(|app| app.type_name == id.aggregate_type());
    let Some(app) = app else {
        let message = format!("cannot show the state of {id}: this program does not fold its type");
        return Err(Problem::usage(message).hint("omit --at to show its events"));
    };
    let of_versions = commits.last().map_or(0, |last| last.next_version() - 1);
    let cut = at.cut(commits).map_err(|message| Problem::new(format!("{id}: {message}")))?;
    let state = (app.state)(&cut)
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

/// Parses `<type>#<uuid>`, or `<uuid>`, which may be an aggregate of each of the stack's types.
fn ids(text: &str, pipeline: &Pipeline) -> Result<Vec<AggregateId>, Problem> {
    let types = pipeline.aggregates.iter().map(|app| app.type_name);
    let of_type = |type_name| format!("{type_name}#{}", text.to_ascii_lowercase());
    let texts: Vec<String> =
        if text.contains('#') { vec![text.to_owned()] } else { types.clone().map(of_type).collect() };
    let ids: Result<Vec<AggregateId>, _> = texts.iter().map(|text| text.parse()).collect();
    ids.map_err(|_| {
        let type_name = types.clone().next().unwrap_or("type");
        let like = "01997d2e-8a3b-7c11-9f0e-6b1d5a2c4e70";
        Problem::usage(format!("`{text}` is not an aggregate id"))
            .hint(format!("pass a UUID, such as {like}, or type and UUID, such as '{type_name}#{like}'"))
    })
}

/// Returns the one aggregate that has commits.
fn only<C>(
    text: &str,
    read: Vec<(AggregateId, Vec<C>)>,
    table: &str,
    pipeline: &Pipeline,
) -> Result<(AggregateId, Vec<C>), Problem> {
    let mut found: Vec<_> = read.into_iter().filter(|(_, commits)| !commits.is_empty()).collect();
    if found.len() > 1 {
        let ids: Vec<String> = found.iter().map(|(id, _)| format!("'{id}'")).collect();
        return Err(Problem::usage(format!("`{text}` is the UUID of several aggregates"))
            .hint(format!("pass one of {}", ids.join(", "))));
    }
    found.pop().ok_or_else(|| {
        let types: Vec<&str> = pipeline.aggregate_types().collect();
        let wrong = text.split_once('#').map(|(of, _)| of).filter(|of| !types.contains(of));
        let likely = wrong.map(|of| likely(of, types.iter().copied())).unwrap_or_default();
        Problem::new(format!("aggregate {text} does not exist: table {table} has no events of it"))
            .hint(format!("{likely}check the environment, and the aggregate type: {}", types.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::pipeline::AggregateApp;

    const UUID: &str = "01997d2e-8a3b-7c11-9f0e-6b1d5a2c4e70";

    const fn app(type_name: &'static str) -> AggregateApp {
        AggregateApp { type_name, state: |_| Ok(Value::Null), schemas: &[] }
    }

    fn pipeline() -> Pipeline {
        Pipeline { aggregates: const { &[app("cart"), app("order")] } }
    }

    fn texts(ids: Vec<AggregateId>) -> Vec<String> {
        ids.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn uuid_may_be_an_aggregate_of_each_type() {
        let ids = |text: &str| ids(text, &pipeline());
        let of = |of: &str| format!("{of}#{UUID}");
        assert_eq!(texts(ids(&UUID.to_uppercase()).expect("it is a UUID")), [of("cart"), of("order")]);
        assert_eq!(texts(ids(&of("probe")).expect("it is an id")), [of("probe")]);
        let wrong = ids("cart").expect_err("it is no UUID");
        assert!(wrong.hint.is_some_and(|hint| hint.contains(&of("cart"))));
    }

    #[test]
    fn uuid_of_one_aggregate_needs_no_type() {
        let read = |found: &[(&str, usize)]| {
            let one = |(of, commits): &(&str, usize)| {
                (format!("{of}#{UUID}").parse().expect("it is an id"), vec![(); *commits])
            };
            only(UUID, found.iter().map(one).collect(), "events", &pipeline())
        };
        let (id, commits) = read(&[("cart", 0), ("order", 2)]).expect("one has commits");
        assert_eq!((id.aggregate_type(), commits.len()), ("order", 2));
        let both = read(&[("cart", 1), ("order", 2)]).expect_err("two have commits");
        assert_eq!(both.hint, Some(format!("pass one of 'cart#{UUID}', 'order#{UUID}'")));
        let none = read(&[("cart", 0), ("order", 0)]).expect_err("none has commits");
        let hint = "check the environment, and the aggregate type: cart, order, probe";
        assert_eq!(none.hint.as_deref(), Some(hint));
    }

    #[test]
    fn unknown_aggregate_type_gets_a_suggestion() {
        let text = format!("odrer#{UUID}");
        let none = only::<()>(&text, Vec::new(), "events", &pipeline()).expect_err("there is none");
        assert!(none.hint.is_some_and(|hint| hint.starts_with("did you mean `order`?")));
    }
}
