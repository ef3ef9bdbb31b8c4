//! `deployer local`: starts, stops, shows and empties the local cloud.

use clap::Subcommand;

use crate::app::App;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::local::{LocalCloud, LocalStatus, Running, Stopped};
use crate::render::Ui;
use crate::session::local_cloud;

/// Start, stop, show or empty the local cloud
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Start the local cloud, and install it first if necessary
    Start(Args),
    /// Stop the local cloud, and delete everything in it
    Stop(Args),
    /// Show whether the local cloud is running
    Status(Args),
    /// Empty the local cloud, and keep it running
    Reset(Args),
}

/// The arguments of all verbs.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment of the local cloud
    #[arg(default_value = "local")]
    environment: String,
}

pub(crate) async fn run(verb: Verb, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    match verb {
        Verb::Start(args) => {
            let cloud = cloud(&args, app, global)?;
            let running = {
                let busy = ui.busy("starting the local cloud");
                cloud.start(&|event| busy.local(&event)).await?
            };
            ui.result(&description(
                &running,
                if running.started { "has started" } else { "is already running" },
            ));
        }
        Verb::Stop(args) => match cloud(&args, app, global)?.stop().await? {
            Stopped::Process { pid } => {
                ui.result(&format!("stopped the local cloud (pid {pid}) and deleted everything in it"))
            }
            Stopped::NothingRan => ui.result("the local cloud was not running"),
        },
        Verb::Status(args) => match cloud(&args, app, global)?.status().await? {
            LocalStatus::Running(running) => ui.result(&description(&running, "is running")),
            LocalStatus::Silent { pid } => {
                ui.result(&format!("the local cloud (pid {pid}) is running but does not answer"))
            }
            LocalStatus::Stopped => ui.result("the local cloud is not running"),
            LocalStatus::PortInUse { holder } => {
                ui.result(&format!("the local cloud is not running; its port is in use by {holder}"));
            }
        },
        Verb::Reset(args) => {
            cloud(&args, app, global)?.reset().await?;
            ui.result("the local cloud is empty");
        }
    }
    Ok(Exit::DONE)
}

fn cloud(args: &Args, app: &App, global: &Global) -> Result<LocalCloud, Problem> {
    let environment = global.environment(&args.environment, app)?;
    let Some(settings) = &environment.local else {
        return Err(Problem::usage(format!("environment `{}` has no local cloud", args.environment))
            .hint("name an environment whose file has a table [local] with a port"));
    };
    local_cloud(settings, global.folder())
}

fn description(running: &Running, what: &str) -> String {
    format!(
        "the local cloud {what}: {} (MiniStack {}, pid {}, log {})",
        running.endpoint,
        running.version,
        running.pid,
        running.log.display(),
    )
}
