//! `audit --repair`: republishes events that the archive lacks, and waits until the archive has them.

use std::collections::HashMap;

use engine::error::Error;
use engine::progress;
use eventsourcing::AggregateId;
use jiff::SignedDuration;
use storage::stream::{KinesisStream, PutOutcome, PutRecords};
use storage::waves::Record;
use tokio_util::sync::CancellationToken;

use super::Args;
use super::sides::{PAUSE, Sides};
use crate::audit::{AuditReport, Finding, Ledger, LeftOut, LookSchedule, Published, publish_again};
use crate::exit::Problem;
use crate::render::{self, ProgressLine, Ui, count, first_of};
use crate::signal::stop_on_signal;

/// Republishes the events that the archive lacks, if there are any.
///
/// # Errors
/// Fails if objects of the archive cannot be read, without confirmation, or if the stream accepts no records.
pub(super) async fn repair(
    sides: &Sides,
    args: &Args,
    report: &AuditReport,
    ledger: &mut Ledger,
    ui: &Ui,
) -> Result<Option<Published>, Problem> {
    let lacking = lacking(report);
    if lacking.is_empty() {
        ui.say("the archive has all events of the table: there is nothing to publish");
        return Ok(None);
    }
    check(report)?;
    announce(&lacking, report, ledger, sides, ui);
    super::super::confirm(&sides.session.environment, args.yes, "Publish them?", ui)?;

    let looks = LookSchedule::since(sides.now(), sides.retention);
    let stop = CancellationToken::new();
    let _signals = stop_on_signal(&stop, ui);
    let line = ProgressLine::new(ui, "publishing");
    let to = Audible(sides.pipeline.event_stream(&sides.session.aws));
    let progress = |published: &Published| {
        line.now(|| format!("published {}", count(published.events, "event")));
    };
    let published = line.heard(publish_again(report, &sides.store, &to, &stop, progress)).await?;
    tell(&published, ui);

    let awaited = without(lacking, &published.left_out);
    let arrival = arrival(&awaited, looks, sides, args.wait, ledger, &stop, &line);
    let stopped = match line.heard(arrival).await? {
        Arrival::All => published.stopped,
        Arrival::Stopped => true,
        Arrival::Late(left) => {
            ui.warn(&format!(
                "the archive still lacks {} that the stream accepted: check whether `archive` lags or fails, \
                 then run the same command again",
                count(left, "event")
            ));
            published.stopped
        }
    };
    Ok(Some(Published { stopped, ..published }))
}

/// Returns the versions of each aggregate that the archive lacks.
fn lacking(report: &AuditReport) -> Vec<(AggregateId, u64)> {
    let of = |finding: &Finding| {
        let id = finding.aggregate.clone();
        finding.not_in_archive.iter().map(move |version| (id.clone(), version)).collect::<Vec<_>>()
    };
    report.lacking().flat_map(of).collect()
}

/// Returns an error if objects of the archive cannot be read: they may hold the missing events.
fn check(report: &AuditReport) -> Result<(), Problem> {
    if report.unread.is_empty() {
        return Ok(());
    }
    let objects = report.unread.iter().map(|object| format!("{}: {}", object.at, object.reason));
    Err(Problem::new(format!(
        "{} of the archive cannot be read, so the missing events are not known, and nothing was published",
        count(report.unread.len(), "object")
    ))
    .details(first_of(objects))
    .hint(
        "make them readable, or remove damaged objects from the archive, so that their events count as \
         missing (docs/restoring.md#manual-decisions)",
    ))
}

/// Shows what will be published, with warnings about the consequences.
fn announce(lacking: &[(AggregateId, u64)], report: &AuditReport, ledger: &Ledger, sides: &Sides, ui: &Ui) {
    ui.say(&format!(
        "\n{} of {} will be republished to stream {}, together with all later events of the same aggregates",
        count(lacking.len(), "event"),
        count(report.lacking().count(), "aggregate"),
        sides.pipeline.stream_name(&sides.session.scope),
    ));
    if let Some(times) = ledger.times(lacking.iter().map(|(id, version)| (id, *version))) {
        for warning in render::published_again(times, sides.now(), sides.retention) {
            ui.warn(&warning);
        }
    }
}

/// Shows what was published, with a warning for each aggregate that was left out.
fn tell(published: &Published, ui: &Ui) {
    ui.say(&format!(
        "published {} of {}",
        count(published.events, "event"),
        count(published.aggregates, "aggregate")
    ));
    let left_out = published.left_out.iter().map(|left_out| {
        let LeftOut { aggregate, from, reason } = left_out;
        format!("{aggregate} was left out from version {from} on: {reason}")
    });
    first_of(left_out).iter().for_each(|line| ui.warn(line));
}

/// Returns the missing events without those that were left out.
fn without(mut lacking: Vec<(AggregateId, u64)>, left_out: &[LeftOut]) -> Vec<(AggregateId, u64)> {
    let ends: HashMap<&AggregateId, u64> =
        left_out.iter().map(|left_out| (&left_out.aggregate, left_out.from)).collect();
    lacking.retain(|(id, version)| ends.get(id).is_none_or(|end| version < end));
    lacking
}

/// The result of waiting for the republished events.
#[derive(Debug, PartialEq, Eq)]
enum Arrival {
    /// The archive has all of them.
    All,
    /// A signal stopped the wait.
    Stopped,
    /// The archive still lacks this many events.
    Late(usize),
}

/// Waits until the archive has the republished events, at most as long as `--wait` allows.
async fn arrival(
    awaited: &[(AggregateId, u64)],
    mut looks: LookSchedule,
    sides: &Sides,
    wait: SignedDuration,
    ledger: &mut Ledger,
    stop: &CancellationToken,
    line: &ProgressLine,
) -> Result<Arrival, Error> {
    // Measured from here: publishing may have taken longer than `--wait`.
    let began = sides.now();
    let end = began.checked_add(wait).unwrap_or(began);
    loop {
        let left = ledger.lacking(awaited.iter().map(|(id, version)| (id, *version)));
        if left == 0 {
            return Ok(Arrival::All);
        }
        if stop.is_cancelled() {
            return Ok(Arrival::Stopped);
        }
        let last = sides.now() > end;
        if last && looks.were_far() {
            return Ok(Arrival::Late(left));
        }
        line.now(|| format!("waiting until the archive has {}", count(left, "event")));
        tokio::time::sleep(PAUSE).await;
        sides.look().again(ledger, looks.next(last)).await?;
    }
}

/// The stream, which reports when it accepts no more records for now.
struct Audible(KinesisStream);

impl PutRecords for Audible {
    type Error = <KinesisStream as PutRecords>::Error;

    async fn put_records(&self, records: &[&Record]) -> Result<Vec<PutOutcome>, Self::Error> {
        let outcomes = self.0.put_records(records).await?;
        if outcomes.iter().any(Result::is_err) {
            progress::waiting_for("the stream to accept more records");
        }
        Ok(outcomes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Broken;

    #[test]
    fn repair_is_refused_with_unreadable_archive_objects() {
        let mut report = AuditReport::default();
        assert!(check(&report).is_ok());
        let denied = Broken { at: "events/a".to_owned(), reason: "access denied".to_owned() };
        report.unread = vec![denied; 22];
        let problem = check(&report).expect_err("the missing events are not known");
        assert!(problem.message.starts_with("22 objects of the archive cannot be read"), "{problem:?}");
        assert_eq!(problem.details.len(), 21);
        assert_eq!(problem.details[20], "… and 2 more");
    }

    #[test]
    fn repair_does_not_wait_for_left_out_events() {
        let id = |number| {
            let id = format!("demo#00000000-0000-4000-8000-00000000000{number}");
            id.parse::<AggregateId>().expect("it is an id")
        };
        let lacking = vec![(id(1), 3), (id(1), 4), (id(2), 1)];
        let left_out = [LeftOut { aggregate: id(1), from: 4, reason: String::new() }];
        assert_eq!(without(lacking, &left_out), [(id(1), 3), (id(2), 1)]);
    }
}
