//! `deployer local`: the local cloud by itself.

use clap::Subcommand;

use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::local::{LocalCloud, LocalStatus, Running, Stopped};
use crate::render::Ui;
use crate::session::local_cloud;

/// Start, stop, show or empty the local cloud
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Install it if need be and start it
    Start(Args),
    /// Stop it; everything in it is gone
    Stop(Args),
    /// Tell whether it runs
    Status(Args),
    /// Empty it and keep it running
    Reset(Args),
}

/// Which local cloud.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment whose local cloud is meant
    #[arg(default_value = "local")]
    environment: String,
}

pub(crate) async fn run(verb: Verb, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    match verb {
        Verb::Start(args) => {
            let cloud = cloud(&args, global)?;
            let running = {
                let busy = ui.busy("starting the local cloud");
                cloud.start(&|event| busy.local(&event)).await?
            };
            ui.result(&told(&running, if running.started { "started" } else { "runs already" }));
        }
        Verb::Stop(args) => match cloud(&args, global)?.stop().await? {
            Stopped::Process { pid } => {
                ui.result(&format!("stopped the local cloud (pid {pid}) and what was in it"))
            }
            Stopped::NothingRan => ui.result("the local cloud was not running"),
        },
        Verb::Status(args) => match cloud(&args, global)?.status().await? {
            LocalStatus::Running(running) => ui.result(&told(&running, "runs")),
            LocalStatus::Silent { pid } => {
                ui.result(&format!("the local cloud (pid {pid}) runs and does not answer"))
            }
            LocalStatus::Stopped => ui.result("the local cloud is not running"),
            LocalStatus::Foreign { holder } => {
                ui.result(&format!(
                    "the local cloud is not running; its port is held by something else: {holder}"
                ));
            }
        },
        Verb::Reset(args) => {
            cloud(&args, global)?.reset().await?;
            ui.result("the local cloud is empty");
        }
    }
    Ok(Exit::DONE)
}

fn cloud(args: &Args, global: &Global) -> Result<LocalCloud, Problem> {
    let environment = global.environment(&args.environment)?;
    let Some(settings) = &environment.local else {
        return Err(Problem::usage(format!("`{}` is not an environment of a local cloud", args.environment))
            .hint("an environment of a local cloud has a table [local] with a port"));
    };
    local_cloud(settings, global.folder())
}

fn told(running: &Running, what: &str) -> String {
    format!(
        "the local cloud {what}: {} (MiniStack {}, pid {}, log {})",
        running.endpoint,
        running.version,
        running.pid,
        running.log.display(),
    )
}
