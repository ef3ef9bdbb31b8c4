//! `deployer audit`: table against archive, and what one of them lacks put back.

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

/// Compare the events table with its archive, and put back what one of them lacks
///
/// Without --repair and --restore it only reads.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 both sides are equal, 3 they differ, 4 something could not be read; 1 it failed or was stopped, 64 usage or configuration."
)]
pub(crate) struct Args {
    /// The environment: the name of its file without .toml, such as dev
    environment: String,
    /// Publish what is in the table and not in the archive to the stream again
    #[arg(long, conflicts_with = "restore")]
    repair: bool,
    /// Write what is in the archive and not in the table back into the table
    #[arg(long)]
    restore: bool,
    /// Take this table for the archive: one that DynamoDB restored beside ours
    #[arg(long, value_name = "TABLE", conflicts_with = "repair")]
    from: Option<String>,
    /// Leave out what cannot be restored, in place of restoring nothing
    #[arg(long, requires = "restore")]
    skip_broken: bool,
    /// Events younger than this may still be under way, and are waited for
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = super::time::duration)]
    grace: SignedDuration,
    /// How long --repair waits until the archive has what was published
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = super::time::duration)]
    wait: SignedDuration,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// How to show it
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

/// What was done about a report.
#[derive(Default)]
struct Done {
    published: Option<Published>,
    restored: Option<Restored>,
}

pub(crate) async fn run(args: Args, app: &App, global: &Global, ui: &Ui) -> Result<Exit, Problem> {
    // Nothing is under way to another table.
    let grace = if args.from.is_some() { SignedDuration::ZERO } else { args.grace };
    let args = Args { grace, ..args };
    let pipeline = app.pipeline()?;
    let name = &args.environment;
    let session = if args.repair || args.restore {
        Session::writing(name, app, global, ui).await?
    } else {
        Session::reading(name, app, global, ui).await?
    };
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
        if done.published.is_some() || done.restored.is_some() {
            report = compare(&ledger, sides.ago(args.grace));
            sides.complete(&mut report).await?;
        }
    }
    let audit = sides.audit(&args, &report, &done);
    match args.format {
        ReportFormat::Json => ui.json(&audit),
        ReportFormat::Human if args.repair || args.restore => ui.result(&audit.totals()),
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
        return Err(Problem::new("stopped before all was done")
            .hint("run the same command again: it goes on from there"));
    }
    Ok(match audit.verdict {
        AuditVerdict::Equal => Exit::DONE,
        AuditVerdict::Different => Exit::DIFFERENT,
        AuditVerdict::Unreadable => Exit::UNREADABLE,
    })
}

impl Done {
    fn stopped(&self) -> bool {
        let published = self.published.as_ref().is_some_and(|published| published.stopped);
        published || self.restored.as_ref().is_some_and(|restored| restored.stopped)
    }
}

/// Refuses to take the environment's own table for another one: it is always equal to itself.
fn other_than(own: &str, table: &str, scope: &Scope) -> Result<(), Problem> {
    if table != own && table != scope.arn("dynamodb", &format!("table/{own}")) {
        return Ok(());
    }
    Err(Problem::usage(format!("--from {table}: that is the table which is audited"))
        .hint("name the copy that DynamoDB made beside it, or leave out --from to compare with the archive"))
}

impl Args {
    /// Returns what was typed, as far as another run of it has to say it again.
    fn command(&self, other: Other, ui: &Ui) -> advice::Command {
        let from = self.from.as_ref().map(|table| format!(" --from {table}")).unwrap_or_default();
        advice::Command { typed: format!("{} audit {}{from}", ui.program(), self.environment), other }
    }
}

/// Says what to do where there is no table, or no bucket.
fn unread(error: Error, args: &Args, ui: &Ui) -> Problem {
    Problem::of_call(error, || match &args.from {
        Some(table) => format!("is there a table {table}, in this account and region, beside our own?"),
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
