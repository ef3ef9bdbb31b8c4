//! `audit --repair`: publishes again what the archive lacks, and waits until it has it.

use domain::AggregateId;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::told::Told;
use super::{Args, PAUSE, Sides};
use crate::audit::{Ledger, Published, Report, publish_again};
use crate::exit::Problem;
use crate::render::{Ui, numbered};
use crate::signal::stop_on_signal;

/// Publishes what the archive lacks; nothing where it lacks nothing.
///
/// # Errors
/// Nobody confirmed it, or the stream takes nothing.
pub(super) async fn repair(
    sides: &Sides,
    args: &Args,
    report: &Report,
    ledger: &mut Ledger,
    ui: &Ui,
) -> Result<Option<Published>, Problem> {
    let lacking = report.count(|finding| &finding.not_in_archive);
    if lacking == 0 {
        ui.say("the archive lacks nothing that the table has: there is nothing to publish");
        return Ok(None);
    }
    let aggregates = report.findings.iter().filter(|finding| !finding.not_in_archive.is_empty()).count();
    let stream = sides.pipeline.stream_name(&sides.session.scope);
    ui.say(&format!(
        "\n{} of {} go to stream {stream} again, with what is behind them: every consumer gets them, and has to \
         drop what it has seen",
        numbered(lacking, "event"),
        numbered(aggregates as u64, "aggregate"),
    ));
    super::super::confirm(&sides.session.environment, args.yes, "Publish them?", ui)?;

    let began = Timestamp::now();
    let stop = CancellationToken::new();
    let _signals = stop_on_signal(&stop, ui);
    let told = Told::new(ui, "publishing");
    let to = sides.pipeline.event_stream(&sides.session.aws);
    let progress = |published: &Published| {
        told.now(|| format!("published {}", numbered(published.events as u64, "event")));
    };
    let published = publish_again(report, &sides.look(), &to, &stop, progress).await?;
    ui.say(&format!(
        "published {} of {}",
        numbered(published.events as u64, "event"),
        numbered(published.aggregates as u64, "aggregate")
    ));
    for broken in &published.too_large {
        ui.warn(&format!("{}: {}; it was left out from there on", broken.at, broken.reason));
    }

    let unpublished: Vec<&str> = published.too_large.iter().map(|broken| broken.at.as_str()).collect();
    let awaited: Vec<(AggregateId, u64)> = report
        .findings
        .iter()
        .filter(|finding| !unpublished.contains(&finding.aggregate.as_str()))
        .filter_map(|finding| Some((finding.aggregate.parse().ok()?, finding)))
        .flat_map(|(id, finding): (AggregateId, _)| {
            finding.not_in_archive.iter().map(move |version| (id.clone(), version))
        })
        .collect();
    let end = began.checked_add(args.wait).unwrap_or(began);
    loop {
        let left = ledger.lacking(awaited.iter().map(|(id, version)| (id, *version)));
        if left == 0 || stop.is_cancelled() || Timestamp::now() > end {
            return Ok(Some(published));
        }
        told.now(|| format!("waiting until the archive has {}", numbered(left as u64, "event")));
        tokio::time::sleep(PAUSE).await;
        sides.look().again(ledger, began).await?;
    }
}
