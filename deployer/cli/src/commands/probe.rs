//! `deployer probe`: one marked event through every hop, with the latency of each.

use std::time::Duration;

use jiff::SignedDuration;

use crate::app::App;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::probe::follow::{follow, send};
use crate::probe::{HopKind, Passage};
use crate::render::{ProbeReport, ReportFormat, Ui, duration, hop_text, probe_lost};
use crate::session::Session;
use aws::Clock;
use aws::composites::Hops;

/// How long a probe may take through what was deployed just now: a mapping that was made or
/// changed can take "several minutes" to begin ("CreateEventSourceMapping", Lambda API
/// reference).
const AFTER_UP: Duration = Duration::from_secs(300);

/// Send one marked event through every hop, and tell when each passed it
///
/// The event is appended to the events table, like any other, and stays there.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 it arrived everywhere; 1 it did not in time, or it failed, 64 usage or configuration."
)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// How long to wait for it to arrive everywhere: 30s, 2m
    #[arg(long, default_value = "60s", value_parser = super::time::duration)]
    within: SignedDuration,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    app.pipeline()?;
    let name = args.environment.as_str();
    let session = Session::writing(name, app, global, ui).await?;
    let clock = session.aws.guard().await?.clock;
    probe(&session, app, clock, args.within.unsigned_abs(), args.format, ui).await?;
    Ok(Exit::DONE)
}

/// Sends a probe through what is up since a moment ago.
///
/// # Errors
/// It did not arrive, or something could not be looked at.
pub(super) async fn after_up(session: &Session, app: &App, clock: Clock, ui: &Ui) -> Result<(), Problem> {
    probe(session, app, clock, AFTER_UP, ReportFormat::Human, ui).await
}

/// Sends a probe through an environment and waits until it was seen everywhere.
///
/// # Errors
/// It was not, or something could not be looked at.
async fn probe(
    session: &Session,
    app: &App,
    clock: Clock,
    within: Duration,
    format: ReportFormat,
    ui: &Ui,
) -> Result<(), Problem> {
    let (pipeline, name) = (app.pipeline()?, session.environment.name.as_str());
    let stack = &session.stack;
    let hops = Hops::of(stack);
    let mut passage = Passage::through(&hops, &pipeline, &session.scope);
    let layout = passage.clone();
    let show = |hop| {
        if format == ReportFormat::Human {
            ui.result(&hop_text(&hop, &layout));
        }
    };
    let table = pipeline.table_name(&session.scope);
    let busy = ui.busy("sending a probe");
    let sent = send(&pipeline.event_store(&session.aws), clock).await.map_err(|error| {
        let program = ui.program();
        Problem::of_call(error, || {
            format!("`{program} up {name}` deploys, `{program} drift {name}` tells what is there")
        })
    })?;
    let written = Duration::try_from(sent.at.duration_until(clock.now())).unwrap_or_default();
    passage.seen(HopKind::Table, &table, written).map(show);
    busy.waiting(&format!("waiting for probe {} to arrive", sent.id));
    let retention = pipeline.retention(&hops, &session.scope);
    let followed = follow(sent, &mut passage, retention, within, &session.aws, show).await;
    drop(busy);
    followed?;
    if format == ReportFormat::Json {
        ui.json(&ProbeReport {
            schema: 1,
            environment: name,
            probe: sent.id,
            within_s: within.as_secs(),
            arrived: passage.arrived(),
            hops: &passage.hops,
        });
    }
    if !passage.arrived() {
        return Err(probe_lost(&passage, within, &ui.program(), name, &session.scope.prefix()));
    }
    let slowest = passage.hops.iter().filter_map(|hop| hop.after_ms).max().unwrap_or_default();
    let slowest = duration(Duration::from_millis(slowest));
    ui.say(&format!("probe {} arrived everywhere within {slowest}", sent.id));
    Ok(())
}
