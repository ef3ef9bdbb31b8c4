//! What an audit found: for reading, and for programs.

use std::fmt::Write;

use serde::Serialize;

use super::style::{BAD, BOLD, DIM, GOOD, count, wrapped};
use super::text::{compact, printable};
use crate::audit::{Contents, Difference, Finding, Published, Report, Restored, Versions};
use crate::diff::diff;

/// How many aggregates are shown to people, and how many other things of a sort.
pub const SHOWN: usize = 20;
/// How much of a value is shown.
const LONGEST_VALUE: usize = 60;
/// How wide a list of versions gets before it is told in numbers.
const LONGEST_LIST: usize = 60;

/// An audit, and what was done about what it found.
#[derive(Debug, Serialize)]
pub struct Audit<'a> {
    /// The version of this form.
    pub schema: u8,
    /// The environment.
    pub environment: &'a str,
    /// The name of the table.
    pub table: String,
    /// The name of the archive's bucket, or of the table that was taken for it.
    pub archive: String,
    /// What came out of it.
    pub verdict: Verdict,
    /// What was found; after a repair, what was found after it.
    pub report: &'a Report,
    /// What `--repair` did.
    pub published: Option<&'a Published>,
    /// What `--restore` did.
    pub restored: Option<&'a Restored>,
}

/// What comes out of an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Both have the same.
    Equal,
    /// They differ.
    Different,
    /// Something of the archive could not be read, so nobody knows.
    Unreadable,
}

impl Verdict {
    /// Returns the verdict of a report.
    pub fn of(report: &Report) -> Self {
        match report {
            report if !report.unread.is_empty() => Self::Unreadable,
            report if report.is_equal() => Self::Equal,
            _ => Self::Different,
        }
    }
}

impl Audit<'_> {
    /// Returns the whole for people.
    pub fn text(&self) -> String {
        let Self { table, archive, report, .. } = self;
        let mut text = format!("table {BOLD}{table}{BOLD:#} against archive {BOLD}{archive}{BOLD:#}\n\n");
        for finding in report.findings.iter().take(SHOWN) {
            aggregate(&mut text, finding);
        }
        more(&mut text, report.findings.len(), "aggregate");
        things(&mut text, "is no commit", &report.no_commits);
        things(&mut text, "cannot be read", &report.unread);
        let lacking = report.count(|finding| &finding.not_in_archive);
        if !report.kept_aside.is_empty() {
            let kept = report.kept_aside.iter();
            let kept: Vec<String> =
                kept.map(|kept| format!("{} of {}", count(kept.records, "record"), kept.function)).collect();
            let _ = writeln!(
                text,
                "  {DIM}kept under failed/, which may be why {lacking} events are not in the archive:{DIM:#} {}\n",
                kept.join(", "),
            );
        }
        text.push_str(&self.totals());
        text
    }

    /// Returns the last lines: what was compared, and what came out.
    pub fn totals(&self) -> String {
        let report = self.report;
        let duplicates = match report.duplicates {
            0 => String::new(),
            number => format!(", {} told more than once", thousands(number)),
        };
        let mut text = format!(
            "{} in the table; {} in the archive ({}{duplicates})\n",
            events_of(report.table.events, report.table.aggregates),
            events_of(report.archive.events, report.archive.aggregates),
            numbered(report.objects as u64, "object"),
        );
        let late = match report.under_way {
            0 => String::new(),
            number => format!("; {} may still be under way", thousands(number)),
        };
        let _ = match Verdict::of(report) {
            Verdict::Equal => write!(text, "{GOOD}equal{GOOD:#}: {} alike{late}", thousands(report.equal)),
            Verdict::Different => write!(text, "{BAD}different{BAD:#}: {}{late}", self.differing()),
            Verdict::Unreadable => {
                let unread = numbered(report.unread.len() as u64, "object");
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
            (number > 0).then(|| format!("{} {}", thousands(number), words(difference)))
        });
        let mut told: Vec<String> = differing.collect();
        if !self.report.no_commits.is_empty() {
            let items = numbered(self.report.no_commits.len() as u64, "item");
            told.push(format!("{items} of the table no commit"));
        }
        match self.report.findings.len() {
            0 => told.join(", "),
            aggregates => format!("{} ({})", told.join(", "), numbered(aggregates as u64, "aggregate")),
        }
    }
}

/// Shows an aggregate: what each side has of it, its first difference, and how far that goes.
fn aggregate(text: &mut String, finding: &Finding) {
    let side = |side: crate::audit::Side| match (side.events, side.highest) {
        (0, _) => "nothing".to_owned(),
        (events, highest) if events == highest => format!("1-{highest}"),
        (events, highest) => format!("{events} of 1-{highest}"),
    };
    let (table, archive) = (side(finding.table), side(finding.archive));
    let _ = writeln!(
        text,
        "  {BAD}≠{BAD:#} {} {DIM}table{DIM:#} {table} {DIM}archive{DIM:#} {archive}",
        printable(&finding.aggregate)
    );
    let first = &finding.first;
    let object = first.object.as_ref().map(|object| format!(" {DIM}({object}){DIM:#}"));
    let _ = writeln!(
        text,
        "      version {} {}{}",
        first.version,
        words(first.difference),
        object.unwrap_or_default()
    );
    if let Some(contents) = &first.contents {
        changes(text, contents);
    }
    let whole = |difference| listed(finding.versions(difference));
    let rest: Vec<String> = Difference::ALL
        .into_iter()
        .filter(|difference| {
            let versions = finding.versions(*difference);
            versions.count() > u64::from(*difference == first.difference)
        })
        .map(|difference| format!("{} {DIM}{}{DIM:#}", whole(difference), words(difference)))
        .collect();
    if !rest.is_empty() {
        let _ = writeln!(text, "      {DIM}all:{DIM:#} {}", rest.join("; "));
    }
    if let Some(kept) = &finding.kept_aside {
        for line in wrapped(&format!("{}: {}", kept.at, kept.reason), "      ") {
            let _ = writeln!(text, "{line}");
        }
    }
    text.push('\n');
}

/// Shows in which fields the contents of one event differ.
fn changes(text: &mut String, contents: &Contents) {
    let changes = diff(&contents.table, &contents.archive);
    let width = changes.iter().map(|change| change.path.chars().count()).max().unwrap_or_default();
    for change in &changes {
        let (path, table, archive) = (&change.path, cut(&change.live), cut(&change.desired));
        let _ =
            writeln!(text, "        {path:width$}  {DIM}table{DIM:#} {table} {DIM}archive{DIM:#} {archive}");
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
    match whole.len() > LONGEST_LIST {
        true => {
            format!("{} versions from {}", thousands(versions.count()), versions.first().unwrap_or_default())
        }
        false => whole,
    }
}

fn things(text: &mut String, what: &str, things: &[crate::audit::Broken]) {
    for thing in things.iter().take(SHOWN) {
        let _ = writeln!(text, "  {BAD}!{BAD:#} {} {what}", printable(&thing.at));
        for line in wrapped(&thing.reason, "      ") {
            let _ = writeln!(text, "{line}");
        }
        text.push('\n');
    }
    more(text, things.len(), "thing");
}

fn more(text: &mut String, all: usize, noun: &str) {
    if all > SHOWN {
        let more = numbered((all - SHOWN) as u64, noun);
        let _ = writeln!(text, "  {DIM}… and {more} more: --format json has them all{DIM:#}\n");
    }
}

/// Returns a difference in words, for one version and for many.
fn words(difference: Difference) -> &'static str {
    match difference {
        Difference::Nowhere => "nowhere, with later ones there",
        Difference::TwiceInTable => "twice in the table",
        Difference::TwiceInArchive => "in the archive with more than one content",
        Difference::ContentsDiffer => "with other content",
        Difference::NotInTable => "not in the table",
        Difference::NotInArchive => "not in the archive",
    }
}

fn events_of(events: u64, aggregates: u64) -> String {
    format!("{} of {}", numbered(events, "event"), numbered(aggregates, "aggregate"))
}

/// Returns a count with its noun: `12,000 events`.
pub fn numbered(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{} {noun}s", thousands(number)) }
}

/// Returns a number with its thousands apart: `12,000`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::audit::{Broken, First, KeptAside, Side, Totals};

    fn finding(number: u32, table: Side, archive: Side, first: First) -> Finding {
        Finding {
            aggregate: format!("cart#01a1ff7c-5683-7d52-8a6b-{number:012}"),
            table,
            archive,
            first,
            not_in_archive: Versions::default(),
            not_in_table: Versions::default(),
            contents_differ: Versions::default(),
            twice_in_table: Versions::default(),
            twice_in_archive: Versions::default(),
            nowhere: Versions::default(),
            kept_aside: None,
        }
    }

    fn side(events: u64, highest: u64) -> Side {
        Side { events, highest }
    }

    fn first(version: u64, difference: Difference, object: Option<&str>) -> First {
        First { version, difference, object: object.map(str::to_owned), contents: None }
    }

    fn report() -> Report {
        const OBJECT: &str = "events/dt=2026-11-21/hour=19/shardId-000000000000-4956-4957.ndjson.gz";
        let lacking = Finding {
            not_in_archive: [3, 5, 6, 7].into_iter().collect(),
            kept_aside: Some(Broken {
                at: "failed/capture/5.json".to_owned(),
                reason: "version 3 makes a record of 1200000 bytes, and the stream takes 1000000".to_owned(),
            }),
            ..finding(1, side(7, 7), side(3, 4), first(3, Difference::NotInArchive, None))
        };
        let contents = Contents {
            table: json!({"data": {"item": "tea\u{1b}", "quantity": 1}, "type": "ItemAdded"}),
            archive: json!({"data": {"item": "x".repeat(80), "quantity": 1}, "type": "ItemAdded"}),
        };
        let differing = Finding {
            contents_differ: [2].into_iter().collect(),
            first: First { contents: Some(contents), ..first(2, Difference::ContentsDiffer, Some(OBJECT)) },
            ..finding(2, side(2, 2), side(2, 2), first(2, Difference::ContentsDiffer, None))
        };
        let lost = Finding {
            not_in_table: (2..=900).step_by(2).collect(),
            nowhere: [901].into_iter().collect(),
            ..finding(3, side(0, 0), side(450, 902), first(2, Difference::NotInTable, Some(OBJECT)))
        };
        Report {
            aggregates: 1_203,
            table: Totals { aggregates: 1_202, events: 20_009 },
            archive: Totals { aggregates: 1_203, events: 20_455 },
            duplicates: 12,
            objects: 310,
            equal: 20_004,
            under_way: 3,
            findings: vec![lacking, differing, lost],
            no_commits: vec![Broken {
                at: "cart#oops version 1".to_owned(),
                reason: "the item has no events".to_owned(),
            }],
            unread: Vec::new(),
            kept_aside: vec![KeptAside { function: "capture".to_owned(), records: 1 }],
        }
    }

    fn audit(report: &Report) -> Audit<'_> {
        Audit {
            schema: 1,
            environment: "dev",
            table: "cart-dev-events".to_owned(),
            archive: "cart-dev-archive-111111111111-eu-central-1".to_owned(),
            verdict: Verdict::of(report),
            report,
            published: None,
            restored: None,
        }
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn what_differs_is_told_by_aggregate() {
        insta::assert_snapshot!(plain(&audit(&report()).text()));
    }

    #[test]
    fn programs_get_the_whole_of_it() {
        let report = report();
        let one = Report { findings: report.findings[..1].to_vec(), ..report };
        insta::assert_snapshot!(super::super::json(&audit(&one)));
    }

    #[test]
    fn all_that_matters_is_in_the_last_line() {
        let equal = Report { findings: Vec::new(), no_commits: Vec::new(), ..report() };
        let unread = vec![Broken { at: "events/x".to_owned(), reason: "it is not gzip".to_owned() }];
        let unreadable = Report { unread, ..equal.clone() };
        let last = [&equal, &unreadable].map(|report| plain(&audit(report).totals()));
        insta::assert_snapshot!(last.join("\n"));
        assert_eq!(Verdict::of(&unreadable), Verdict::Unreadable, "nobody knows what is in it");
    }

    #[test]
    fn many_aggregates_are_not_all_shown_to_people() {
        let many = Report { findings: vec![report().findings[0].clone(); 27], ..report() };
        let text = plain(&audit(&many).text());
        assert!(text.contains("… and 7 aggregates more: --format json has them all"), "{text}");
    }
}
