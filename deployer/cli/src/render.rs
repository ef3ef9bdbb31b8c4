//! All output: plans, reports and events as text, JSON and Markdown.
//!
//! Formatting is pure; [`Ui`] is the only part that writes and decides about colours.

#[cfg(feature = "pipeline")]
mod audit;
mod bar_target;
mod changes;
#[cfg(feature = "pipeline")]
mod events;
mod failures;
mod fence;
mod github;
mod history;
mod live;
mod markdown;
mod outputs;
mod plan_text;
#[cfg(feature = "pipeline")]
mod probe;
#[cfg(feature = "pipeline")]
mod progress_line;
#[cfg(feature = "pipeline")]
mod replay;
mod style;
mod table;
mod terminal;
mod terraform;
mod text;
mod ui;
mod waits;

#[cfg(feature = "pipeline")]
pub use audit::{Audit, SHOWN, first_of, published_again};
#[cfg(feature = "pipeline")]
pub use events::{Moment, TimeLine};
pub use failures::failures;
pub(crate) use history::short_commit;
pub use history::{history_text, unfinished};
pub use live::LiveProgress;
pub use markdown::plan_markdown;
pub use outputs::{Output, outputs_env, outputs_text, outputs_tfvars};
pub use plan_text::{Heading, Question, orphans_left, plan_text};
#[cfg(feature = "pipeline")]
pub use probe::{ProbeReport, probe_lost, stage_text};
#[cfg(feature = "pipeline")]
pub(crate) use progress_line::ProgressLine;
#[cfg(all(test, feature = "pipeline"))]
pub(crate) use replay::replayed;
#[cfg(feature = "pipeline")]
pub use replay::{replay_begins, replay_progress, replay_text, replay_unmatched};
pub use style::{count, duration, thousands};
pub(crate) use table::columns;
pub use terraform::{Imported, terraform_import};
pub use ui::{Busy, Ui};

use clap::ValueEnum;
use engine::plan::Plan;

/// The output format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ReportFormat {
    /// Text for people
    #[default]
    Human,
    /// JSON for programs, stable and versioned
    Json,
}

/// The output format of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum PlanFormat {
    /// Text for people
    #[default]
    Human,
    /// JSON for programs, stable and versioned
    Json,
    /// Markdown for a comment on a pull request
    Markdown,
    /// Markdown with annotations for GitHub Actions
    Github,
}

/// Returns a plan in an output format.
pub fn plan_in(format: PlanFormat, plan: &Plan, heading: Heading<'_>) -> String {
    match format {
        PlanFormat::Human => plan_text(plan, heading),
        PlanFormat::Json => json(plan),
        PlanFormat::Markdown => plan_markdown(plan, heading),
        PlanFormat::Github => github::plan_github(plan, heading),
    }
}

/// Returns a value as indented JSON.
pub fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).expect("reports are plain data with string keys")
}
