//! `audit --restore`: writes events that only the archive has back into the table.

use eventsourcing::OccurredAt;
use tokio_util::sync::CancellationToken;

use super::Args;
use super::sides::Sides;
use crate::audit::{self, AuditReport, Ledger, NotRestorable, Other, Restorable, Restored, restorable};
use crate::exit::Problem;
use crate::render::{ProgressLine, Ui, count, first_of, thousands};
use crate::signal::stop_on_signal;

/// Restores the events that the table lacks, if there are any.
///
/// # Errors
/// Fails if an aggregate cannot be restored and `--skip-broken` is not set, or without confirmation.
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
        ui.say("there are no events to restore into the table");
        return Ok(None);
    }
    let events: u64 = found.aggregates.values().sum();
    let table = sides.pipeline.table_name(&sides.session.scope);
    let what = format!("{} of {}", count(events, "event"), count(found.aggregates.len(), "aggregate"));
    ui.say(&format!(
        "\n{what} will be written to empty versions of table {table} and marked as restored, so they are not \
         published again"
    ));
    super::super::confirm(&sides.session.environment, args.yes, "Write them?", ui)?;

    let stop = CancellationToken::new();
    let _signals = stop_on_signal(&stop, ui);
    let line = ProgressLine::new(ui, "restoring");
    let progress = |restored: &Restored| {
        line.now(|| format!("restored {} of {what}", thousands(restored.events)));
    };
    let at = OccurredAt::new(sides.now());
    let restored = audit::restore(&found, ledger, &sides.reference, &sides.store, at, &stop, progress);
    let restored = line.heard(restored).await;
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

/// Returns an error if something cannot be restored and `--skip-broken` is not set.
fn check(found: &Restorable, report: &AuditReport, other: Other, args: &Args) -> Result<(), Problem> {
    let broken = found.not.iter().map(|(id, why)| format!("{id}: {}", words(why, other.name())));
    let unread = report.unread.iter().map(|object| format!("{}: {}", object.at, object.reason));
    let obstacles: Vec<String> = broken.chain(unread).collect();
    if obstacles.is_empty() || args.skip_broken {
        return Ok(());
    }
    let all = obstacles.len();
    Err(Problem::new(format!(
        "cannot restore all events: {}, so nothing was written",
        count(all, "obstacle")
    ))
    .details(first_of(obstacles))
    .hint("add --skip-broken to skip these and restore the rest"))
}

fn words(why: &NotRestorable, other: &str) -> String {
    match why {
        NotRestorable::Nowhere(versions) => {
            format!("versions {versions} are missing on both sides, so later ones cannot be restored")
        }
        NotRestorable::OtherContent(version) => format!("the table has another event at version {version}"),
        NotRestorable::Ambiguous(version) => {
            format!("version {version} has more than one content ({other})")
        }
        NotRestorable::VersionZero => "version 0 is not valid: versions start at 1".to_owned(),
    }
}
