//! `deployer replay`: feeds history to a handler, and watches over it.
//!
//! The work is the function's; whoever follows can leave, and it goes on.

mod ended;
mod follow;
mod function;

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

/// Feed history to a handler once more
///
/// Each aggregate in order, many at once, at a given rate. Ctrl-C stops following, not the replay.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 all went to the handler, or was counted; 1 it is incomplete, was refused or failed, 64 usage or configuration, 130 following was stopped and the replay goes on."
)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// The handler, without the environment's prefix: `log-events`
    handler: String,
    /// Where history is read
    #[arg(long, value_enum, default_value_t, conflicts_with = "Instead")]
    from: From,
    /// Only events of this type; may be given again
    #[arg(long = "type", value_name = "TYPE", conflicts_with = "Instead")]
    types: Vec<String>,
    /// Only events of this aggregate; may be given again
    #[arg(long = "aggregate", value_name = "UUID", conflicts_with = "Instead")]
    aggregates: Vec<Uuid>,
    /// Only events that occurred then or later: 2026-11-21T19:00:00Z, 2026-11-21, or 24h ago
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "Instead")]
    since: Option<Timestamp>,
    /// Only events that occurred before
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "Instead")]
    until: Option<Timestamp>,
    /// How many events to deliver in a second at most
    #[arg(long, value_name = "EVENTS", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "Instead")]
    rate: u32,
    /// Deliver to a handler that acts on the outside, which it then does once more
    #[arg(long, conflicts_with = "Instead")]
    even_if_it_acts: bool,
    /// Count what would be delivered, and deliver nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before it starts
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    instead: Instead,
    /// How to show how it stands in the end
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

/// What to do about a replay that is there, instead of starting one.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Instead {
    /// Show how the last replay of the handler stands (with --dry-run: the last dry run)
    #[arg(long)]
    status: bool,
    /// Follow the replay that runs, and have it go on if it stands still
    #[arg(long)]
    follow: bool,
    /// Stop the replay that runs, for good
    #[arg(long)]
    cancel: bool,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum From {
    /// The objects of the archive, which is given 20 seconds to catch up
    #[default]
    Archive,
    /// The events table, also when the archive is further behind than that
    Table,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    let pipeline = app.pipeline()?;
    let session = Session::writing(&args.environment, app, global, ui).await?;
    // Which of the functions are handlers, the function knows that calls them.
    let prefix = session.scope.prefix();
    let handler = args.handler.strip_prefix(&prefix).unwrap_or(&args.handler).to_owned();
    let function = ReplayFunction::new(&session, pipeline.replay, &args.environment, ui);
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
        ui.say("the replay is cancelled: what was on its way may still arrive, for some seconds");
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
            ui.say(&format!("nobody follows the replay any more, and it goes on: {next}"));
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
                aggregates: self.aggregates.iter().copied().collect(),
                since: self.since,
                until: self.until,
            },
            rate: self.rate,
            even_if_it_acts: self.even_if_it_acts,
            dry_run: self.dry_run,
        }
    }

    /// Starts a replay, or has the one go on that is in the way: if it is the same, and nobody
    /// runs it any more.
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
                    ui.say(&format!("{message}; nobody runs it any more, so it is made to go on"));
                    return Ok(status);
                }
                Err(Problem::new(message).hint(next(&status, &self.command(ui))))
            }
            (Some(refused), _) => Err(function.problem(refused)),
            (None, None) => Err(function.odd("an answer without a status")),
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

    /// Shows how it ended, and says what is to be done about what is not as it should be.
    fn end(&self, status: &ReplayStatus, ui: &Ui) -> Result<Exit, Problem> {
        let exit = self.show(status, ui);
        let Ended { said, warnings, problem } = ended(status, &ui.program(), &self.environment);
        said.iter().for_each(|said| ui.say(said));
        warnings.iter().for_each(|warning| ui.warn(warning));
        problem.map_or(Ok(exit), Err)
    }
}

/// Tells whether two orders want the same, whoever gave them.
fn alike(one: &Order, other: &Order) -> bool {
    *one == Order { id: one.id, by: one.by.clone(), ..other.clone() }
}

/// Returns what can be done about a replay that is to run.
fn next(status: &ReplayStatus, command: &str) -> String {
    let dry_run = if status.order.dry_run { " --dry-run" } else { "" };
    let follow = format!("`{command}{dry_run} --follow`");
    if follow::stands_still(status) {
        return format!("nobody runs it any more: {follow} makes it go on, `… --cancel` stops it");
    }
    format!("{follow} follows it, `… --cancel` stops it")
}

fn question(order: &Order) -> String {
    let from = match order.from {
        Source::Archive => "the archive",
        Source::Table => "the table",
    };
    let acts = if order.even_if_it_acts { ", even if it acts on the outside" } else { "" };
    format!("feed events of {from} to {} once more{acts}?", order.handler)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::replayed;

    #[test]
    fn replay_without_runner_is_reported() {
        let mut status = replayed(ReplayState::Running);
        let follows = "`d replay dev log-events --follow` follows it, `… --cancel` stops it";
        assert_eq!(next(&status, "d replay dev log-events"), follows);
        (status.idle_s, status.order.dry_run) = (87, true);
        let dead = "nobody runs it any more: `d replay dev log-events --dry-run --follow` makes it go on, \
                    `… --cancel` stops it";
        assert_eq!(next(&status, "d replay dev log-events"), dead);
    }

    #[test]
    fn replay_orders_are_alike_regardless_of_author() {
        let order = replayed(ReplayState::Running).order;
        let other = Order { id: Uuid::from_u128(9), by: "bob".into(), ..order.clone() };
        assert!(alike(&order, &other));
        assert!(!alike(&order, &Order { rate: 5, ..other }));
    }
}
