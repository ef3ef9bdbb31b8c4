//! Reading again what was changed, until AWS shows it or has had its time.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::apply::Report;
use crate::aws::Aws;
use crate::exit::Problem;
use crate::plan::{Step, Verdict, Wishes, plan};
use crate::render::Ui;
use crate::resource::ResourceId;
use crate::session::Session;
use crate::stack::Stack;
use crate::survey::{Survey, look_again};

const FIRST_DELAY: Duration = Duration::from_millis(250);
const LONGEST_DELAY: Duration = Duration::from_secs(4);

/// Waits until everything that was changed reads as it was made, for as long as its kind may
/// take; what does not is a warning, for AWS has accepted it.
pub(super) async fn settle(
    session: &Session,
    stack: &Stack<Aws>,
    wishes: &Wishes,
    mut survey: Survey,
    report: &Report,
    stop: &CancellationToken,
    ui: &Ui,
) -> Result<(), Problem> {
    let mut unsettled = report.done();
    let busy = ui.busy("reading again what was changed");
    let started = Instant::now();
    let mut delay = FIRST_DELAY;
    loop {
        survey.seen.extend(look_again(stack, &unsettled, &session.aws).await);
        let after = plan(stack, &survey, wishes);
        unsettled.retain(|id| after.steps.iter().any(|step| step.id == *id && !clean(step)));
        if unsettled.is_empty() {
            return Ok(());
        }
        let patient = unsettled.iter().any(|id| started.elapsed() + delay < settles_within(stack, id));
        if !patient || stop.is_cancelled() {
            drop(busy);
            for step in after.steps.iter().filter(|step| unsettled.contains(&step.id)) {
                ui.warn(&unsettled_yet(step));
            }
            return Ok(());
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(delay) => {}
        }
        delay = (delay * 2).min(LONGEST_DELAY);
    }
}

fn clean(step: &Step) -> bool {
    // What was pruned is not there to be read.
    step.verdicts == [Verdict::InSync] || step.verdicts == [Verdict::Orphan]
}

fn settles_within(stack: &Stack<Aws>, id: &ResourceId) -> Duration {
    stack.get(id).map_or(Duration::ZERO, |node| node.settles_within())
}

fn unsettled_yet(step: &Step) -> String {
    let paths: Vec<&str> = step.changes.iter().map(|change| change.path.as_str()).collect();
    let what = step.reason.clone().unwrap_or_else(|| paths.join(", "));
    format!(
        "{} is not as it was made: {what} (AWS may show it later, or somebody changed it meanwhile: \
         `drift` tells)",
        step.id
    )
}
