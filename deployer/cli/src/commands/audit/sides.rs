//! The two sides of an audit: the events table, and the archive or table that it is compared with.

use std::time::Duration;

use engine::error::Error;
use jiff::{SignedDuration, Timestamp};
use storage::DynamoDbEventStore;
use storage::scan::EventsTable;

use super::{Args, Done};
use crate::audit::{
    ArchiveOrTable, AuditReport, Ledger, Look, LookSchedule, Other, Pages, compare, discarded_batches,
    quarantined,
};
use crate::pipeline::Pipeline;
use crate::render::{Audit, ProgressLine, SHOWN, Ui, count, duration};
use crate::session::Session;
use aws::Clock;
use aws::composites::Stages;

/// The pause between two reads while events are in flight.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// Both sides of an audit.
pub(super) struct Sides {
    pub(super) session: Session,
    pub(super) pipeline: Pipeline,
    table: EventsTable,
    pub(super) store: DynamoDbEventStore,
    pub(super) reference: ArchiveOrTable,
    /// The name of the bucket or table behind `reference`.
    against: String,
    /// How long the stream keeps records.
    pub(super) retention: Duration,
    clock: Clock,
}

impl Sides {
    /// Returns the two sides that the arguments select.
    pub(super) fn of(args: &Args, session: Session, pipeline: Pipeline, clock: Clock) -> Self {
        let (reference, against) = reference(args, &pipeline, &session);
        Self {
            table: pipeline.events_table(&session.aws),
            store: pipeline.event_store(&session.aws),
            reference,
            against,
            retention: pipeline.retention(&Stages::of(&session.stack), &session.scope),
            clock,
            session,
            pipeline,
        }
    }

    /// Returns the time this long ago by AWS's clock, because events have AWS's time: by a clock that is
    /// three minutes fast, a new event would be older than the grace period.
    pub(super) fn ago(&self, time: SignedDuration) -> Timestamp {
        let now = self.now();
        now.checked_sub(time).unwrap_or(now)
    }

    /// Returns the current time by AWS's clock.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns the reader of both sides.
    pub(super) fn look(&self) -> Look<'_, EventsTable, DynamoDbEventStore, ArchiveOrTable> {
        Look { table: &self.table, store: &self.store, reference: &self.reference }
    }

    /// Reads both sides, then repeats until events in flight have arrived or are older than the grace period.
    pub(super) async fn look_at_all(
        &self,
        args: &Args,
        ledger: &mut Ledger,
        ui: &Ui,
    ) -> Result<AuditReport, Error> {
        let line = ProgressLine::new(ui, "reading table and archive");
        line.heard(self.settled(args, ledger, &line)).await
    }

    async fn settled(
        &self,
        args: &Args,
        ledger: &mut Ledger,
        line: &ProgressLine,
    ) -> Result<AuditReport, Error> {
        let began = self.now();
        let look = self.look();
        look.all(ledger, |counted| {
            line.now(|| {
                format!(
                    "reading table and archive: {}, {} of {}",
                    count(counted.events, "event"),
                    counted.objects,
                    count(counted.of_objects, "object")
                )
            });
        })
        .await?;
        let from = began.checked_sub(args.grace).unwrap_or(began);
        let end = began.checked_add(args.grace).unwrap_or(began);
        let mut looks = LookSchedule::since(from, self.retention);
        // Reading one side can take longer than the grace period: the side that was read first is outdated.
        let mut read_again = ledger.is_unsettled();
        loop {
            let report = compare(ledger, self.ago(args.grace));
            let last = !read_again && (report.in_flight == 0 || self.now() > end);
            if last && (looks.were_far() || !self.may_have_come(&report)) {
                let mut report = report;
                self.complete(&mut report).await?;
                return Ok(report);
            }
            line.now(|| waiting(report.in_flight, end.duration_since(self.now())));
            tokio::time::sleep(PAUSE).await;
            look.again(ledger, looks.next(last)).await?;
            read_again = false;
        }
    }

    /// Returns whether events that the archive lacks may be in objects written since the last complete read.
    /// A table other than the environment's receives no events.
    fn may_have_come(&self, report: &AuditReport) -> bool {
        let lacking = report.lacking().next().is_some();
        self.reference.kind() == Other::Archive && (lacking || report.in_flight > 0)
    }

    /// Adds quarantined records, discarded batches and contents to a report: comparing does not find these.
    pub(super) async fn complete(&self, report: &mut AuditReport) -> Result<(), Error> {
        if let ArchiveOrTable::Archive(bucket) = &self.reference {
            if report.lacking().next().is_some() {
                quarantined(bucket).await?.explain(report);
            }
            report.discarded_batches = discarded_batches(bucket).await?;
        }
        self.look().contents(report, SHOWN).await;
        Ok(())
    }

    /// Returns the report and the results of a repair in the form that is shown.
    pub(super) fn audit<'a>(&'a self, args: &'a Args, report: &'a AuditReport, done: &'a Done) -> Audit<'a> {
        Audit {
            schema: 1,
            environment: &args.environment,
            table: self.pipeline.table_name(&self.session.scope),
            archive: self.against.clone(),
            other: self.reference.kind(),
            verdict: report.verdict(),
            report,
            published: done.published.as_ref(),
            restored: done.restored.as_ref(),
        }
    }
}

/// Returns what an audit waits for, and for how long at most.
fn waiting(in_flight: u64, left: SignedDuration) -> String {
    let left = duration(left.max(SignedDuration::ZERO).unsigned_abs());
    match in_flight {
        0 => "reading the archive again".to_owned(),
        events => {
            format!(
                "{} may still be on the way to the archive: waiting at most {left} more (--grace)",
                count(events, "event")
            )
        }
    }
}

/// Returns the archive or table to compare with, and its name.
fn reference(args: &Args, pipeline: &Pipeline, session: &Session) -> (ArchiveOrTable, String) {
    match &args.from {
        None => (
            ArchiveOrTable::Archive(pipeline.archive_bucket(&session.aws)),
            pipeline.bucket_name(&session.scope),
        ),
        Some(table) => {
            let other = EventsTable::new(session.aws.dynamodb.clone(), table);
            (ArchiveOrTable::Table(Pages::of(other)), table.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_for_events_in_flight_says_how_long_it_takes() {
        let said = waiting(1, SignedDuration::from_secs(34));
        assert_eq!(
            said,
            "1 event may still be on the way to the archive: waiting at most 34 s more (--grace)"
        );
        let over = waiting(2, SignedDuration::from_secs(-1));
        assert_eq!(
            over,
            "2 events may still be on the way to the archive: waiting at most 0.0 s more (--grace)"
        );
        assert_eq!(waiting(0, SignedDuration::from_secs(34)), "reading the archive again");
    }
}
