//! `audit --repair`: publishes again what the archive lacks, and waits until it has it.

use std::collections::HashMap;

use domain::AggregateId;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Args;
use super::sides::{PAUSE, Sides};
use crate::audit::{Ledger, LeftOut, Looks, Published, Report, publish_again};
use crate::exit::Problem;
use crate::render::{self, SHOWN, Told, Ui, numbered};
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
    let mut lacking: Vec<(AggregateId, u64)> = report
        .findings
        .iter()
        .filter_map(|finding| Some((finding.aggregate.parse().ok()?, finding)))
        .flat_map(|(id, finding): (AggregateId, _)| {
            finding.not_in_archive.iter().map(move |version| (id.clone(), version))
        })
        .collect();
    if lacking.is_empty() {
        ui.say("the archive lacks nothing that the table has: there is nothing to publish");
        return Ok(None);
    }
    let aggregates = report.findings.iter().filter(|finding| !finding.not_in_archive.is_empty()).count();
    let stream = sides.pipeline.stream_name(&sides.session.scope);
    ui.say(&format!(
        "\n{} of {} go to stream {stream} again, with what is behind them",
        numbered(lacking.len() as u64, "event"),
        numbered(aggregates as u64, "aggregate"),
    ));
    if let Some(oldest) = ledger.oldest(lacking.iter().map(|(id, version)| (id, *version))) {
        ui.warn(&render::published_again(oldest, Timestamp::now()));
    }
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
    for left_out in published.left_out.iter().take(SHOWN) {
        let LeftOut { aggregate, from, reason } = left_out;
        ui.warn(&format!("{aggregate} was left out from version {from} on: {reason}"));
    }
    if published.left_out.len() > SHOWN {
        ui.warn(&format!("… and {} more", published.left_out.len() - SHOWN));
    }

    let ends: HashMap<AggregateId, u64> = published
        .left_out
        .iter()
        .filter_map(|left_out| Some((left_out.aggregate.parse().ok()?, left_out.from)))
        .collect();
    lacking.retain(|(id, version)| ends.get(id).is_none_or(|end| version < end));
    let end = began.checked_add(args.wait).unwrap_or(began);
    let mut looks = Looks::since(began, sides.kept);
    loop {
        let left = ledger.lacking(lacking.iter().map(|(id, version)| (id, *version)));
        if left == 0 {
            return Ok(Some(published));
        }
        if stop.is_cancelled() {
            return Ok(Some(Published { stopped: true, ..published }));
        }
        let last = Timestamp::now() > end;
        if last && looks.were_far() {
            ui.warn(&format!(
                "the archive still lacks {} that the stream took: is `archive` behind, or failing? Once it is not, \
                 the same command publishes what is lacking then",
                numbered(left as u64, "event")
            ));
            return Ok(Some(published));
        }
        told.now(|| format!("waiting until the archive has {}", numbered(left as u64, "event")));
        tokio::time::sleep(PAUSE).await;
        sides.look().again(ledger, looks.next(last)).await?;
    }
}
