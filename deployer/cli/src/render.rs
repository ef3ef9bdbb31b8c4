//! Everything a person or a script reads: plans, reports and events to text, JSON, Markdown.
//!
//! The forms are pure functions; [`Ui`] is the only place that writes and knows colours.

#[cfg(feature = "pipeline")]
mod audit;
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
mod text;
mod ui;
mod waits;

#[cfg(feature = "pipeline")]
pub use audit::{Audit, SHOWN, first_of, published_again};
#[cfg(feature = "pipeline")]
pub use events::{Moment, TimeLine};
pub use failures::failures;
pub use history::{history_text, unfinished};
pub use live::LiveProgress;
pub use markdown::plan_markdown;
pub use outputs::{Output, outputs_env, outputs_text};
pub use plan_text::{Heading, Question, orphans_left, plan_text};
#[cfg(feature = "pipeline")]
pub use probe::{ProbeReport, hop_text, probe_lost};
#[cfg(feature = "pipeline")]
pub(crate) use progress_line::ProgressLine;
#[cfg(all(test, feature = "pipeline"))]
pub(crate) use replay::replayed;
#[cfg(feature = "pipeline")]
pub use replay::{replay_begins, replay_progress, replay_text, replay_unmatched};
pub use style::{count, duration, thousands};
pub use ui::{Busy, Ui};

use clap::ValueEnum;
use engine::plan::Plan;

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ReportFormat {
    /// For reading.
    #[default]
    Human,
    /// Stable and versioned, for programs.
    Json,
}

/// The form of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum PlanFormat {
    /// For reading.
    #[default]
    Human,
    /// Stable and versioned, for programs.
    Json,
    /// For a pull request comment.
    Markdown,
    /// Markdown, and annotations that GitHub Actions shows.
    Github,
}

/// Returns a plan in a form.
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
    serde_json::to_string_pretty(value).expect("what is shown is plain data with string keys")
}
