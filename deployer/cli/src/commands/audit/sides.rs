//! The two sides of an audit: what is read of an environment, and held against each other.

use std::time::Duration;

use engine::error::Error;
use jiff::{SignedDuration, Timestamp};
use storage::DynamoDbEventStore;
use storage::scan::EventsTable;

use super::{Args, Done};
use crate::audit::{
    ArchiveOrTable, AuditReport, Ledger, Look, LookSchedule, Other, Pages, compare, given_up, kept_aside,
};
use crate::pipeline::Pipeline;
use crate::render::{Audit, ProgressLine, SHOWN, Ui, count};
use crate::session::Session;
use aws::Clock;
use aws::composites::Hops;

/// Between two looks at what is under way.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// Both sides of an environment.
pub(super) struct Sides {
    pub(super) session: Session,
    pub(super) pipeline: Pipeline,
    table: EventsTable,
    pub(super) store: DynamoDbEventStore,
    pub(super) reference: ArchiveOrTable,
    /// The name of that.
    against: String,
    /// How long the stream keeps what is on its way.
    pub(super) retention: Duration,
    clock: Clock,
}

impl Sides {
    /// Returns the two sides that were asked for.
    pub(super) fn of(args: &Args, session: Session, pipeline: Pipeline, clock: Clock) -> Self {
        let (reference, against) = reference(args, &pipeline, &session);
        Self {
            table: pipeline.events_table(&session.aws),
            store: pipeline.event_store(&session.aws),
            reference,
            against,
            retention: pipeline.retention(&Hops::of(&session.stack), &session.scope),
            clock,
            session,
            pipeline,
        }
    }

    /// Returns when that was, so long ago. By AWS's clock, whose times the events have: by one that is
    /// three minutes fast, what was appended just now would be older than the grace.
    pub(super) fn ago(&self, time: SignedDuration) -> Timestamp {
        let now = self.now();
        now.checked_sub(time).unwrap_or(now)
    }

    /// Returns what time it is by AWS's clock.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns what looks at them.
    pub(super) fn look(&self) -> Look<'_, EventsTable, DynamoDbEventStore, ArchiveOrTable> {
        Look { table: &self.table, store: &self.store, reference: &self.reference }
    }

    /// Reads both sides, and again what was under way, until it arrived or is too old for that.
    pub(super) async fn look_at_all(
        &self,
        args: &Args,
        ledger: &mut Ledger,
        ui: &Ui,
    ) -> Result<AuditReport, Error> {
        let told = ProgressLine::new(ui, "reading table and archive");
        told.heard(self.settled(args, ledger, &told)).await
    }

    async fn settled(
        &self,
        args: &Args,
        ledger: &mut Ledger,
        told: &ProgressLine,
    ) -> Result<AuditReport, Error> {
        let began = self.now();
        let look = self.look();
        look.all(ledger, |counted| {
            told.now(|| {
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
        // Reading all of one side may take longer than the grace, and the other was read before.
        let mut look_again = ledger.is_unsettled();
        loop {
            let report = compare(ledger, self.ago(args.grace));
            let last = !look_again && (report.under_way == 0 || self.now() > end);
            if last && (looks.were_far() || !self.may_have_come(&report)) {
                let mut report = report;
                self.complete(&mut report).await?;
                return Ok(report);
            }
            told.now(|| format!("{} may be under way", count(report.under_way, "event")));
            tokio::time::sleep(PAUSE).await;
            look.again(ledger, looks.next(last)).await?;
            look_again = false;
        }
    }

    /// Tells whether something that the archive is said to lack may be where nobody has looked since
    /// it was read. Nothing comes to another table.
    fn may_have_come(&self, report: &AuditReport) -> bool {
        let lacking = report.lacking().next().is_some();
        self.reference.kind() == Other::Archive && (lacking || report.under_way > 0)
    }

    /// Adds to a report what is not told by comparing.
    pub(super) async fn complete(&self, report: &mut AuditReport) -> Result<(), Error> {
        if let ArchiveOrTable::Archive(bucket) = &self.reference {
            if report.lacking().next().is_some() {
                kept_aside(bucket).await?.explain(report);
            }
            report.given_up = given_up(bucket).await?;
        }
        self.look().contents(report, SHOWN).await;
        Ok(())
    }

    /// Returns what is to be shown of a report, and of what was done about it.
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

/// Returns what the table is held against, and its name.
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
