//! `deployer audit`: compares the events table with its archive, and repairs differences.

mod advice;
mod repair;
mod restore;
mod sides;

use engine::error::Error;
use engine::scope::Scope;
use jiff::SignedDuration;

use self::sides::Sides;
use crate::app::App;
use crate::audit::{AuditVerdict, Ledger, Other, Published, Restored, compare, restorable};
use crate::exit::{Exit, Problem};
use crate::global::Global;
use crate::render::{ReportFormat, Ui};
use crate::session::Session;
use aws::AwsNames;

/// Compare the events table with its archive, and repair differences
///
/// Without --repair and --restore, the command only reads.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 equal, 3 different, 4 an object of the archive could not be read; 1 failed or stopped, 64 usage or configuration."
)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// Republish events that the archive lacks to the stream
    #[arg(long, conflicts_with = "restore")]
    repair: bool,
    /// Restore events that the table lacks from the archive
    #[arg(long)]
    restore: bool,
    /// Compare with this table instead of the archive, such as one restored by DynamoDB
    #[arg(long, value_name = "TABLE", conflicts_with = "repair")]
    from: Option<String>,
    /// With --restore, skip aggregates that cannot be restored instead of stopping
    #[arg(long, requires = "restore")]
    skip_broken: bool,
    /// Wait for events without a match until they are this old: they may still be in flight
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = super::time::duration)]
    grace: SignedDuration,
    /// Let --repair wait this long for the archive to store the republished events
    #[arg(long, value_name = "TIME", requires = "repair", default_value = "5m", value_parser = super::time::duration)]
    wait: SignedDuration,
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
    /// Set the output format
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

/// The results of `--repair` and `--restore`.
#[derive(Default)]
struct Done {
    published: Option<Published>,
    restored: Option<Restored>,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    // No events are in flight to another table.
    let grace = if args.from.is_some() { SignedDuration::ZERO } else { args.grace };
    let args = Args { grace, ..args };
    let pipeline = app.events()?;
    let name = &args.environment;
    let session = if args.repair || args.restore {
        Session::writing(name, app, global, ui).await?
    } else {
        Session::reading(name, app, global, ui).await?
    };
    if args.from.is_none() {
        pipeline.archives(&session.stack)?;
    }
    let caller = session.aws.guard().await?;
    if let Some(table) = &args.from {
        other_than(&pipeline.table_name(&session.scope), table, &session.scope)?;
    }
    let sides = Sides::of(&args, session, pipeline, caller.clock);
    let mut ledger = Ledger::new(sides.ago(args.grace));
    let mut report =
        sides.look_at_all(&args, &mut ledger, ui).await.map_err(|error| unread(error, &args, ui))?;

    let mut done = Done::default();
    if args.repair || args.restore {
        if args.format == ReportFormat::Human {
            ui.result(&sides.audit(&args, &report, &done).text());
        }
        if args.repair {
            done.published = repair::repair(&sides, &args, &report, &mut ledger, ui).await?;
        } else {
            done.restored = restore::restore(&sides, &args, &report, &mut ledger, ui).await?;
        }
        if done.anything() {
            report = compare(&ledger, sides.ago(args.grace));
            sides.complete(&mut report).await?;
        }
    }
    let audit = sides.audit(&args, &report, &done);
    match args.format {
        ReportFormat::Json => ui.json(&audit),
        ReportFormat::Human if done.anything() => ui.result(&audit.totals()),
        // The report was shown before the attempt.
        ReportFormat::Human if args.repair || args.restore => {}
        ReportFormat::Human => {
            ui.result(&audit.text());
            for advice in
                advice::advice(&report, &restorable(&ledger), &args.command(sides.reference.kind(), ui))
            {
                ui.say(&advice);
            }
        }
    }
    if done.stopped() {
        return Err(Problem::new("stopped before all events were written")
            .hint("run the same command again; it continues from there"));
    }
    Ok(match audit.verdict {
        AuditVerdict::Equal => Exit::DONE,
        AuditVerdict::Different => Exit::DIFFERENT,
        AuditVerdict::Unreadable => Exit::UNREADABLE,
    })
}

impl Done {
    fn anything(&self) -> bool {
        self.published.is_some() || self.restored.is_some()
    }

    fn stopped(&self) -> bool {
        let published = self.published.as_ref().is_some_and(|published| published.stopped);
        published || self.restored.as_ref().is_some_and(|restored| restored.stopped)
    }
}

/// Returns an error if `--from` names the environment's own table, which is always equal to itself.
fn other_than(own: &str, table: &str, scope: &Scope) -> Result<(), Problem> {
    if table != own && table != scope.arn("dynamodb", &format!("table/{own}")) {
        return Ok(());
    }
    Err(Problem::usage(format!("`--from {table}` is the table that is audited"))
        .hint("name a table that DynamoDB restored, or omit --from to compare with the archive"))
}

impl Args {
    /// Returns the command as typed, with the options that another run has to repeat.
    fn command(&self, other: Other, ui: &Ui) -> advice::Command {
        let from = self.from.as_ref().map(|table| format!(" --from {table}")).unwrap_or_default();
        advice::Command { typed: format!("{} audit {}{from}", ui.program(), self.environment), other }
    }
}

/// Returns the error of a failed read, with a hint if the table or the bucket does not exist.
fn unread(error: Error, args: &Args, ui: &Ui) -> Problem {
    Problem::of_call(error, || match &args.from {
        Some(table) => format!("check that table `{table}` exists in this account and Region"),
        None => super::never_deployed(&ui.program(), &args.environment),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_not_compared_with_itself() {
        let scope = aws::testing::scope();
        let own = scope.name("events");
        let refused = |table: &str| other_than(&own, table, &scope).is_err();
        assert!(refused(&own));
        assert!(refused(&scope.arn("dynamodb", &format!("table/{own}"))));
        assert!(!refused(&format!("{own}-1405")));
        assert!(!refused(&scope.arn("dynamodb", &format!("table/{own}-1405"))));
    }
}
