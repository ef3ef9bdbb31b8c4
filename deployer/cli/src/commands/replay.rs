//! `deployer replay`: replays history to a handler, and follows the replay.
//!
//! The function `replay` does the work, and continues when the command stops following it.

mod ended;
mod follow;
mod function;

use std::collections::BTreeSet;

use clap::ValueEnum;
use eventsourcing::replay::{
    Only, Order, Reason, ReplayRefusal, ReplayState, ReplayStatus, Request, Source, Which,
};
use jiff::Timestamp;
use uuid::Uuid;

use self::ended::{Ended, ended};
use self::follow::{Followed, follow};
use self::function::ReplayFunction;
use super::time::time;
use crate::app::App;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::render::{ReportFormat, Ui, replay_begins, replay_text};
use crate::session::Session;
use crate::suggestion::known_words;

/// Replay history to a handler
///
/// Many aggregates are replayed at the same time, each in order, at a limited rate. Ctrl-C stops following,
/// not the replay.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 all events were delivered, or counted; 1 incomplete, cancelled, refused or failed, 64 usage or configuration, 130 following was stopped and the replay continues."
)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// The handler, without the environment's prefix, such as log-events
    handler: String,
    /// Read history from this source
    #[arg(long, value_enum, default_value_t, conflicts_with = "Instead")]
    from: From,
    /// Replay only events of this type; can be repeated
    #[arg(long = "type", value_name = "TYPE", conflicts_with = "Instead")]
    types: Vec<String>,
    /// Replay only events of aggregates of this type; can be repeated
    #[arg(long = "aggregate-type", value_name = "TYPE", conflicts_with = "Instead")]
    aggregate_types: Vec<String>,
    /// Replay only events of this aggregate; can be repeated
    #[arg(long = "aggregate", value_name = "UUID", conflicts_with = "Instead")]
    aggregates: Vec<Uuid>,
    /// Replay only events since this time: 2026-11-21T19:00:00Z, 2026-11-21, or 24h for 24 hours ago
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "Instead")]
    since: Option<Timestamp>,
    /// Replay only events before this time
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "Instead")]
    until: Option<Timestamp>,
    /// Deliver at most this many events in a second
    #[arg(long, value_name = "EVENTS", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "Instead")]
    rate: u32,
    /// Replay even to a handler with external side effects; they will happen again
    #[arg(long, conflicts_with = "Instead")]
    repeat_side_effects: bool,
    /// Count the events without delivering them
    #[arg(long)]
    dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    instead: Instead,
    /// Set the output format of the final status
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

/// What to do with an existing replay, instead of starting one.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Instead {
    /// Show the status of the handler's last replay, or with --dry-run of its last dry run
    #[arg(long)]
    status: bool,
    /// Follow the running replay, and restart it if it stalls
    #[arg(long)]
    follow: bool,
    /// Cancel the running replay
    #[arg(long)]
    cancel: bool,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum From {
    /// The archive, after 20 seconds for it to catch up
    #[default]
    Archive,
    /// The events table, for an archive that lags by more than that
    Table,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    let pipeline = app.events()?;
    check_words(&args.types, "event type", &pipeline.event_types())?;
    check_words(&args.aggregate_types, "aggregate type", &pipeline.aggregate_types().collect())?;
    let session = Session::writing(&args.environment, app, global, ui).await?;
    pipeline.archives(&session.stack)?;
    // The function `replay` knows which functions are handlers.
    let prefix = session.scope.prefix();
    let handler = args.handler.strip_prefix(&prefix).unwrap_or(&args.handler).to_owned();
    let function = ReplayFunction::new(&session, &args.environment, ui);
    let which = Which { handler: handler.clone(), dry_run: args.dry_run };
    let status = if args.instead.status {
        let status = function.agreed(Request::Status(which)).await?;
        let exit = args.show(&status, ui);
        if follow::stands_still(&status) {
            ui.warn(&next(&status, &args.command(ui)));
        }
        return Ok(exit);
    } else if args.instead.cancel {
        let status = function.agreed(Request::Cancel(which)).await?;
        ui.say("the replay is cancelled; events in flight may still arrive for some seconds");
        return Ok(args.show(&status, ui));
    } else if args.instead.follow {
        function.agreed(Request::Status(which)).await?
    } else {
        let caller = session.aws.guard().await?;
        let order = args.order(handler, caller.arn);
        if let Some(mistake) = order.mistake() {
            return Err(Problem::usage(mistake));
        }
        if !order.dry_run {
            super::confirm(&session.environment, args.yes, &question(&order), ui)?;
        }
        args.start(order, &function, ui).await?
    };
    if !ui.moves() && status.state == ReplayState::Running {
        ui.say(&replay_begins(&status.order));
    }
    match follow(&function, status, ui).await? {
        Followed::ToTheEnd(status) => args.end(&status, ui),
        Followed::Left(status) => {
            let next = next(&status, &args.command(ui));
            ui.say(&format!("stopped following; the replay continues: {next}"));
            Ok(Exit::INTERRUPTED)
        }
    }
}

impl Args {
    fn order(&self, handler: String, by: String) -> Order {
        Order {
            handler,
            id: Uuid::now_v7(),
            by,
            from: match self.from {
                From::Archive => Source::Archive,
                From::Table => Source::Table,
            },
            only: Only {
                types: self.types.iter().cloned().collect(),
                aggregate_types: self.aggregate_types.iter().cloned().collect(),
                aggregates: self.aggregates.iter().copied().collect(),
                since: self.since,
                until: self.until,
            },
            rate: self.rate,
            repeat_side_effects: self.repeat_side_effects,
            dry_run: self.dry_run,
        }
    }

    /// Starts a replay. If the same replay already exists and has stalled, continues that one.
    async fn start(
        &self,
        order: Order,
        function: &ReplayFunction<'_>,
        ui: &Ui,
    ) -> Result<ReplayStatus, Problem> {
        let answer = {
            let _busy = ui.busy(&format!("starting a replay of {}", order.handler));
            function.ask(&Request::Start(order.clone())).await?
        };
        match (answer.refused, answer.status) {
            (None, Some(status)) => Ok(status),
            (Some(ReplayRefusal { error: Reason::AlreadyRunning, message }), Some(status)) => {
                let same = alike(&status.order, &order);
                if same && follow::stands_still(&status) {
                    ui.say(&format!("{message}; the function that ran it has stopped; starting another"));
                    return Ok(status);
                }
                Err(Problem::new(message).hint(next(&status, &self.command(ui))))
            }
            (Some(refused), _) => Err(function.problem(refused)),
            (None, None) => Err(function.odd("it has no status")),
        }
    }

    /// Returns the command without its options.
    fn command(&self, ui: &Ui) -> String {
        format!("{} replay {} {}", ui.program(), self.environment, self.handler)
    }

    fn show(&self, status: &ReplayStatus, ui: &Ui) -> Exit {
        match self.format {
            ReportFormat::Human => ui.result(&replay_text(status)),
            ReportFormat::Json => ui.json(&serde_json::json!({
                "schema": 1,
                "environment": self.environment,
                "replay": status,
            })),
        }
        Exit::DONE
    }

    /// Shows the final status, then notes, warnings, and the error if the replay did not succeed.
    fn end(&self, status: &ReplayStatus, ui: &Ui) -> Result<Exit, Problem> {
        let exit = self.show(status, ui);
        let Ended { said, warnings, problem } = ended(status, &ui.program(), &self.environment);
        said.iter().for_each(|said| ui.say(said));
        warnings.iter().for_each(|warning| ui.warn(warning));
        problem.map_or(Ok(exit), Err)
    }
}

/// Checks the words of a filter: one that does not exist would be searched for in all of the history.
fn check_words(wanted: &[String], name: &str, known: &BTreeSet<&str>) -> Result<(), Problem> {
    let Some(wrong) = wanted.iter().find(|wanted| !known.contains(wanted.as_str())) else { return Ok(()) };
    let known: Vec<&str> = known.iter().copied().collect();
    Err(Problem::usage(format!("`{wrong}` is not an {name} of this stack")).hint(known_words(
        wrong,
        &format!("{name}s"),
        &known,
    )))
}

/// Returns whether two orders ask for the same replay, regardless of id and author.
fn alike(one: &Order, other: &Order) -> bool {
    *one == Order { id: one.id, by: one.by.clone(), ..other.clone() }
}

/// Returns the commands that follow, restart or cancel a running replay.
fn next(status: &ReplayStatus, command: &str) -> String {
    let dry_run = if status.order.dry_run { " --dry-run" } else { "" };
    let follow = format!("`{command}{dry_run} --follow`");
    if follow::stands_still(status) {
        return format!(
            "the function that runs it has stopped: {follow} restarts it, `… --cancel` cancels it"
        );
    }
    format!("{follow} follows it, `… --cancel` cancels it")
}

fn question(order: &Order) -> String {
    let from = match order.from {
        Source::Archive => "the archive",
        Source::Table => "the table",
    };
    let acts = if order.repeat_side_effects { ", even if it repeats side effects" } else { "" };
    format!("Replay events from {from} to {}{acts}?", order.handler)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::replayed;

    #[test]
    fn replay_without_runner_is_reported() {
        let mut status = replayed(ReplayState::Running);
        let follows = "`d replay dev log-events --follow` follows it, `… --cancel` cancels it";
        assert_eq!(next(&status, "d replay dev log-events"), follows);
        (status.idle_s, status.order.dry_run) = (87, true);
        let dead = "the function that runs it has stopped: `d replay dev log-events --dry-run --follow` restarts it, \
                    `… --cancel` cancels it";
        assert_eq!(next(&status, "d replay dev log-events"), dead);
    }

    #[test]
    fn unknown_event_type_is_refused_before_the_replay() {
        let known = ["CartOpened", "ItemAdded"].into();
        assert!(check_words(&["ItemAdded".to_owned()], "event type", &known).is_ok());
        let refused = check_words(&["ItemAded".to_owned()], "event type", &known);
        let refused = refused.expect_err("there is no such type");
        assert_eq!(refused.message, "`ItemAded` is not an event type of this stack");
        assert_eq!(
            refused.hint.as_deref(),
            Some("did you mean `ItemAdded`? event types: CartOpened, ItemAdded")
        );
    }

    #[test]
    fn replay_orders_are_alike_regardless_of_author() {
        let order = replayed(ReplayState::Running).order;
        let other = Order { id: Uuid::from_u128(9), by: "bob".into(), ..order.clone() };
        assert!(alike(&order, &other));
        assert!(!alike(&order, &Order { rate: 5, ..other }));
    }
}
