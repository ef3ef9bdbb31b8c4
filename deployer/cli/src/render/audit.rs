//! The result of an audit, as text and as JSON.

mod again;

pub use again::published_again;

use std::fmt::Write;

use engine::diff::diff;
use serde::Serialize;

use super::style::{BAD, BOLD, DIM, GOOD, count, thousands, wrapped};
use super::text::{compact, printable};
use crate::audit::{
    AuditReport, AuditVerdict, Contents, Difference, Finding, Other, Published, Restored, Versions,
};

/// How many aggregates the text shows, and how many other findings of a kind.
pub const SHOWN: usize = 20;
/// How many characters of a value are shown.
const LONGEST_VALUE: usize = 60;
/// A longer number in the key of an object is cut.
const LONGEST_NUMBER: usize = 20;
/// A longer list of versions is replaced by the number of versions.
const LONGEST_LIST: usize = 60;

/// The result of an audit and of its repair.
#[derive(Debug, Serialize)]
pub struct Audit<'a> {
    /// The version of this format.
    pub schema: u8,
    /// The environment.
    pub environment: &'a str,
    /// The name of the table.
    pub table: String,
    /// The name of the archive's bucket, or of the table that replaces it.
    pub archive: String,
    /// Whether `archive` is a bucket or a table.
    #[serde(skip)]
    pub other: Other,
    /// The verdict.
    pub verdict: AuditVerdict,
    /// The findings, after a repair those that remain.
    pub report: &'a AuditReport,
    /// What `--repair` did.
    pub published: Option<&'a Published>,
    /// What `--restore` did.
    pub restored: Option<&'a Restored>,
}

impl Audit<'_> {
    /// Returns the complete text.
    pub fn text(&self) -> String {
        let Self { table, archive, other, report, .. } = self;
        let kind = if *other == Other::Table { "table" } else { "archive" };
        let mut text = format!("table {BOLD}{table}{BOLD:#} against {kind} {BOLD}{archive}{BOLD:#}\n\n");
        for finding in report.findings.iter().take(SHOWN) {
            aggregate(&mut text, finding, *other);
        }
        more(&mut text, report.findings.len(), "aggregate");
        things(&mut text, "is not a valid commit", &report.invalid_items);
        things(&mut text, "cannot be read", &report.unread);
        let lacking = report.count(|finding| &finding.not_in_archive);
        if !report.quarantined.is_empty() {
            let kept = report.quarantined.iter();
            let kept: Vec<String> =
                kept.map(|kept| format!("{} of {}", count(kept.records, "record"), kept.function)).collect();
            let _ = writeln!(
                text,
                "  {DIM}quarantined under failed/, which may be why {} not in the archive:{DIM:#} {}\n",
                if lacking == 1 {
                    "an event is".to_owned()
                } else {
                    format!("{} events are", thousands(lacking))
                },
                kept.join(", "),
            );
        }
        if report.discarded_batches > 0 {
            let batches = match report.discarded_batches {
                1 => "1 batch".to_owned(),
                number => format!("{} batches", thousands(number)),
            };
            let _ = writeln!(
                text,
                "  {DIM}discarded by Lambda after its retries, and stored under aws/lambda/:{DIM:#} {batches}; a replay \
                 delivers their events again\n"
            );
        }
        text.push_str(&self.totals());
        text
    }

    /// Returns the last lines: what was compared, and the verdict.
    pub fn totals(&self) -> String {
        let report = self.report;
        let duplicates = match report.duplicates {
            0 => String::new(),
            number => format!(", {}", count(number, "duplicate")),
        };
        // Another table has no objects, although it is read in the same way.
        let objects = match self.other {
            Other::Archive => format!(" ({}{duplicates})", count(report.objects, "object")),
            Other::Table => String::new(),
        };
        let mut text = format!(
            "{} in the table; {} in the {}{objects}\n",
            events_of(report.table.events, report.table.aggregates),
            events_of(report.archive.events, report.archive.aggregates),
            self.other.name(),
        );
        let late = match report.in_flight {
            0 => String::new(),
            number => format!("; {} may still be on the way to the archive", thousands(number)),
        };
        let _ = match self.verdict {
            AuditVerdict::Equal => {
                write!(text, "{GOOD}equal{GOOD:#}: {}{late}", count(report.equal, "matching event"))
            }
            AuditVerdict::Different => write!(text, "{BAD}different{BAD:#}: {}{late}", self.differing()),
            AuditVerdict::Unreadable => {
                let unread = count(report.unread.len(), "object");
                let differing =
                    if report.is_equal() { String::new() } else { format!("; {}", self.differing()) };
                write!(text, "{BAD}unknown{BAD:#}: {unread} cannot be read{differing}{late}")
            }
        };
        text
    }

    fn differing(&self) -> String {
        let differing = Difference::ALL.into_iter().filter_map(|difference| {
            let number = self.report.count(|finding| finding.versions(difference));
            (number > 0).then(|| format!("{} {}", thousands(number), words(difference, self.other)))
        });
        let mut parts: Vec<String> = differing.collect();
        if !self.report.invalid_items.is_empty() {
            let items = count(self.report.invalid_items.len(), "invalid item");
            parts.push(format!("{items} in the table"));
        }
        match self.report.findings.len() {
            0 => parts.join(", "),
            aggregates => format!("{} ({})", parts.join(", "), count(aggregates, "aggregate")),
        }
    }
}

/// Shows an aggregate: the versions on each side, and its differences, with details of the first one.
fn aggregate(text: &mut String, finding: &Finding, other: Other) {
    let side = |side: crate::audit::Side| match (side.events, side.highest) {
        (0, _) => "nothing".to_owned(),
        (events, highest) if events == highest => format!("1-{highest}"),
        (events, highest) => format!("{} up to {highest}", count(events, "version")),
    };
    let (table, archive) = (side(finding.table), side(finding.archive));
    let _ = writeln!(
        text,
        "  {BAD}≠{BAD:#} {} {DIM}table{DIM:#} {table} {DIM}{}{DIM:#} {archive}",
        printable(&finding.aggregate.to_string()),
        other.name()
    );
    let first = &finding.first;
    let others = Difference::ALL.into_iter().filter(|difference| *difference != first.difference);
    for difference in std::iter::once(first.difference).chain(others) {
        let versions = finding.versions(difference);
        if versions.is_empty() {
            continue;
        }
        let _ = write!(text, "      {} {}", listed(versions), words(difference, other));
        if difference == first.difference {
            if let Some(object) = first.object.as_ref().filter(|_| other == Other::Archive) {
                let which =
                    if versions.count() == 1 { String::new() } else { format!("{} in ", first.version) };
                let _ = write!(text, " {DIM}({which}{}){DIM:#}", short(object));
            }
            text.push('\n');
            first.contents.iter().for_each(|contents| changes(text, contents, other));
        } else {
            text.push('\n');
        }
    }
    if let Some(kept) = &finding.quarantined {
        for line in wrapped(&format!("{}: {}", kept.at, kept.reason), "      ") {
            let _ = writeln!(text, "{line}");
        }
    }
    text.push('\n');
}

/// Shows in which fields the contents of one event differ.
fn changes(text: &mut String, contents: &Contents, other: Other) {
    let changes = diff(&contents.table, &contents.archive);
    let width = changes.iter().map(|change| change.path.chars().count()).max().unwrap_or_default();
    for change in &changes {
        let (path, table, archive) = (&change.path, cut(&change.live), cut(&change.desired));
        let other = other.name();
        let _ =
            writeln!(text, "        {path:width$}  {DIM}table{DIM:#} {table} {DIM}{other}{DIM:#} {archive}");
    }
}

fn cut(value: &serde_json::Value) -> String {
    let whole = compact(value);
    match whole.char_indices().nth(LONGEST_VALUE) {
        Some((at, _)) => format!("{}…", &whole[..at]),
        None => whole,
    }
}

fn listed(versions: &Versions) -> String {
    let whole = versions.to_string();
    if whole.len() > LONGEST_LIST {
        return format!(
            "{} versions from {}",
            thousands(versions.count()),
            versions.first().unwrap_or_default()
        );
    }
    let plural = if versions.count() == 1 { "" } else { "s" };
    format!("version{plural} {whole}")
}

/// Returns the key of an object with its sequence numbers, of 56 digits, cut to their last digits.
fn short(key: &str) -> String {
    let parts = key.split('-').map(|part| {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        if digits > LONGEST_NUMBER { format!("…{}", &part[digits - 3..]) } else { part.to_owned() }
    });
    parts.collect::<Vec<_>>().join("-")
}

fn things(text: &mut String, what: &str, things: &[crate::audit::Broken]) {
    for thing in things.iter().take(SHOWN) {
        let _ = writeln!(text, "  {BAD}!{BAD:#} {} {what}", printable(&thing.at));
        for line in wrapped(&thing.reason, "      ") {
            let _ = writeln!(text, "{line}");
        }
        text.push('\n');
    }
    more(text, things.len(), "finding");
}

fn more(text: &mut String, all: usize, noun: &str) {
    if all > SHOWN {
        let more = count(all - SHOWN, noun);
        let _ = writeln!(text, "  {DIM}… and {more} more: --format json lists all of them{DIM:#}\n");
    }
}

/// Returns the first lines, and a line with the number of the others.
pub fn first_of(lines: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = lines.into_iter().collect();
    if lines.len() > SHOWN {
        let more = format!("… and {} more", thousands(lines.len() - SHOWN));
        lines.truncate(SHOWN);
        lines.push(more);
    }
    lines
}

/// Returns a difference in words, for one version and for many.
fn words(difference: Difference, other: Other) -> &'static str {
    match (difference, other) {
        (Difference::Nowhere, _) => "missing on both sides",
        (Difference::TwiceInTable, _) => "twice in the table",
        (Difference::TwiceInArchive, Other::Archive) => "in the archive with different contents",
        (Difference::TwiceInArchive, Other::Table) => "twice in the second table",
        (Difference::ContentsDiffer, _) => "with different content on each side",
        (Difference::NotInTable, _) => "not in the table",
        (Difference::NotInArchive, Other::Archive) => "not in the archive",
        (Difference::NotInArchive, Other::Table) => "not in the second table",
    }
}

fn events_of(events: u64, aggregates: u64) -> String {
    format!("{} of {}", count(events, "event"), count(aggregates, "aggregate"))
}

#[cfg(test)]
mod tests;
