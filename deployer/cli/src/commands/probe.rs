//! `deployer probe`: sends one test event through the pipeline, and shows its latency at each stage.

use std::time::Duration;

use jiff::SignedDuration;

use crate::app::App;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::probe::follow::{follow, send};
use crate::probe::{Passage, StageKind};
use crate::render::{ProbeReport, ReportFormat, Ui, duration, probe_lost, stage_text};
use crate::session::Session;
use aws::Clock;
use aws::composites::Stages;

/// How long a probe may take right after a deployment: an event source mapping that was created or changed
/// can take "several minutes" to start ("CreateEventSourceMapping", Lambda API reference).
const AFTER_UP: Duration = Duration::from_secs(300);

/// Send one test event through the pipeline, and report when it passed each stage
///
/// The event is appended to the events table, like any other event, and stays there.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 the event arrived everywhere; 1 it did not arrive in time, or the command failed, 64 usage or configuration."
)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// Wait this long for the event to arrive everywhere: 30s, 2m
    #[arg(long, default_value = "60s", value_parser = super::time::duration)]
    within: SignedDuration,
    /// Set the output format
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    let pipeline = app.events()?;
    let name = args.environment.as_str();
    let session = Session::writing(name, app, global, ui).await?;
    pipeline.archives(&session.stack)?;
    let clock = session.aws.guard().await?.clock;
    probe(&session, app, clock, args.within.unsigned_abs(), args.format, ui).await?;
    Ok(Exit::DONE)
}

/// Sends a probe through an environment that was just deployed.
///
/// # Errors
/// Fails if the probe does not arrive in time, or a stage cannot be read.
pub(super) async fn after_up(session: &Session, app: &App, clock: Clock, ui: &Ui) -> Result<(), Problem> {
    probe(session, app, clock, AFTER_UP, ReportFormat::Human, ui).await
}

/// Sends a probe through an environment and waits until it has arrived everywhere.
///
/// # Errors
/// Fails if the probe does not arrive in time, or a stage cannot be read.
async fn probe(
    session: &Session,
    app: &App,
    clock: Clock,
    within: Duration,
    format: ReportFormat,
    ui: &Ui,
) -> Result<(), Problem> {
    let (pipeline, name) = (app.events()?, session.environment.name.as_str());
    let stack = &session.stack;
    let stages = Stages::of(stack);
    let mut passage = Passage::through(&stages, &pipeline, &session.scope);
    let layout = passage.clone();
    let show = |stage| {
        if format == ReportFormat::Human {
            ui.result(&stage_text(&stage, &layout));
        }
    };
    let table = pipeline.table_name(&session.scope);
    let busy = ui.busy("sending a probe");
    let sent = send(&pipeline.event_store(&session.aws), clock).await.map_err(|error| {
        let program = ui.program();
        Problem::of_call(error, || {
            format!("`{program} drift {name}` shows what is missing, `{program} up {name}` deploys it")
        })
    })?;
    let written = Duration::try_from(sent.at.duration_until(clock.now())).unwrap_or_default();
    passage.seen(StageKind::Table, &table, written).map(show);
    busy.waiting(&format!("waiting for probe {} to arrive", sent.id));
    let retention = pipeline.retention(&stages, &session.scope);
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
            stages: &passage.stages,
        });
    }
    if !passage.arrived() {
        return Err(probe_lost(&passage, within, &ui.program(), name, &session.scope.prefix()));
    }
    let slowest = passage.stages.iter().filter_map(|stage| stage.after_ms).max().unwrap_or_default();
    let slowest = duration(Duration::from_millis(slowest));
    ui.say(&format!("probe {} arrived everywhere within {slowest}", sent.id));
    Ok(())
}
