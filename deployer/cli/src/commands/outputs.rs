//! `deployer outputs`: prints names and ARNs. They are derived, so only the import blocks for Terraform, which
//! need an id that Lambda assigns, make calls.

mod imports;

use clap::ValueEnum;
use serde_json::json;

use crate::app::App;
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::render::{Output, Ui, outputs_env, outputs_text, outputs_tfvars};
use crate::session::Session;
use aws::AwsNames;

/// Print the names and ARNs of the environment's resources
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// Set the output format
    #[arg(long, value_enum, default_value_t)]
    format: OutputsFormat,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum OutputsFormat {
    /// A table
    #[default]
    Human,
    /// JSON, stable and versioned
    Json,
    /// Shell variables: `DYNAMODB_TABLE_EVENTS=…`, without function URLs
    Env,
    /// A variable file of Terraform, with one map: `deployer = { … }`
    Tfvars,
    /// Import blocks of Terraform for the resources that exist (reads AWS)
    TerraformImport,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    let environment = global.environment(&args.environment, app)?;
    let stack = app.desired(&environment);
    let outputs: Vec<Output> = stack
        .resources
        .iter()
        .map(|node| {
            let id = node.id();
            Output {
                kind: id.kind(),
                name: id.name().to_owned(),
                arn: node.arn().map(str::to_owned),
                thing: stack.scope.thing(id.name()),
                id,
            }
        })
        .collect();
    match args.format {
        OutputsFormat::Human => ui.result(&outputs_text(&outputs)),
        OutputsFormat::Json => {
            ui.json(&json!({"schema": 1, "environment": environment.name, "outputs": outputs}));
        }
        OutputsFormat::Env => ui.result(&outputs_env(&outputs)),
        OutputsFormat::Tfvars => ui.result(&outputs_tfvars(&outputs)),
        OutputsFormat::TerraformImport => {
            let session = Session::reading(&args.environment, app, global, ui).await?;
            ui.data(imports::imports(&session, ui).await?.as_bytes());
        }
    }
    Ok(Exit::DONE)
}
