//! `audit --restore`: writes back into the table what only the archive has.

use eventsourcing::OccurredAt;
use tokio_util::sync::CancellationToken;

use super::Args;
use super::sides::Sides;
use crate::audit::{self, AuditReport, Ledger, NotRestorable, Other, Restorable, Restored, restorable};
use crate::exit::Problem;
use crate::render::{ProgressLine, Ui, count, first_of, thousands};
use crate::signal::stop_on_signal;

/// Writes back what the table lacks; nothing where it lacks nothing.
///
/// # Errors
/// Something cannot be written back and nobody said to leave it out, or nobody confirmed it.
pub(super) async fn restore(
    sides: &Sides,
    args: &Args,
    report: &AuditReport,
    ledger: &mut Ledger,
    ui: &Ui,
) -> Result<Option<Restored>, Problem> {
    let found = restorable(ledger);
    check(&found, report, sides.reference.kind(), args)?;
    if found.aggregates.is_empty() {
        ui.say("the table lacks nothing that can be written back");
        return Ok(None);
    }
    let events: u64 = found.aggregates.values().sum();
    let table = sides.pipeline.table_name(&sides.session.scope);
    let what = format!("{} of {}", count(events, "event"), count(found.aggregates.len(), "aggregate"));
    ui.say(&format!(
        "\n{what} are written into table {table}, where nothing is, marked as restored: nobody gets them again"
    ));
    super::super::confirm(&sides.session.environment, args.yes, "Write them?", ui)?;

    let stop = CancellationToken::new();
    let _signals = stop_on_signal(&stop, ui);
    let told = ProgressLine::new(ui, "restoring");
    let progress = |restored: &Restored| {
        told.now(|| format!("restored {} of {what}", thousands(restored.events)));
    };
    let at = OccurredAt::new(sides.now());
    let restored = audit::restore(&found, ledger, &sides.reference, &sides.store, at, &stop, progress);
    let restored = told.heard(restored).await;
    ui.say(&format!(
        "restored {} in {} of {}",
        count(restored.events, "event"),
        count(restored.commits, "commit"),
        count(restored.aggregates, "aggregate")
    ));
    let failed = restored.failed.iter().map(|broken| format!("{}: {}", broken.at, broken.reason));
    first_of(failed).iter().for_each(|line| ui.warn(line));
    Ok(Some(restored))
}

/// Refuses to begin where not all can be written back, unless that was said to be meant.
fn check(found: &Restorable, report: &AuditReport, other: Other, args: &Args) -> Result<(), Problem> {
    let broken = found.not.iter().map(|(id, why)| format!("{id}: {}", words(why, other.name())));
    let unread = report.unread.iter().map(|object| format!("{}: {}", object.at, object.reason));
    let obstacles: Vec<String> = broken.chain(unread).collect();
    if obstacles.is_empty() || args.skip_broken {
        return Ok(());
    }
    let all = obstacles.len();
    Err(Problem::new(format!("{} cannot be restored, so nothing was written", count(all, "thing")))
        .details(first_of(obstacles))
        .hint("--skip-broken leaves these out, and writes back all else"))
}

fn words(why: &NotRestorable, other: &str) -> String {
    match why {
        NotRestorable::Nowhere(versions) => {
            format!("neither table nor {other} has {versions}, and what is behind that would make no history")
        }
        NotRestorable::OtherContent(version) => format!("the table has another event as version {version}"),
        NotRestorable::Ambiguous(version) => {
            format!("the {other} has version {version} with more than one content")
        }
        NotRestorable::VersionZero => "there can be no version 0".to_owned(),
    }
}
