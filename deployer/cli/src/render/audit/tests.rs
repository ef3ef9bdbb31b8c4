//! The result of an audit, as text and as JSON.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::audit::{Broken, First, QuarantinedRecords, Side, Totals};

fn finding(number: u32, table: Side, archive: Side, first: First) -> Finding {
    Finding {
        aggregate: format!("demo#01a1ff7c-5683-7d52-8a6b-{number:012}").parse().expect("it is an id"),
        table,
        archive,
        first,
        not_in_archive: Versions::default(),
        not_in_table: Versions::default(),
        contents_differ: Versions::default(),
        twice_in_table: Versions::default(),
        twice_in_archive: Versions::default(),
        nowhere: Versions::default(),
        quarantined: None,
    }
}

fn side(events: u64, highest: u64) -> Side {
    Side { events, highest }
}

fn first(version: u64, difference: Difference, object: Option<&str>) -> First {
    First { version, difference, object: object.map(str::to_owned), contents: None }
}

fn report() -> AuditReport {
    const OBJECT: &str = "events/dt=2026-11-21/hour=19/shardId-000000000000-49668899999999999999999999999461-49668899999999999999999999999614.ndjson.gz";
    let lacking = Finding {
        not_in_archive: [3, 5, 6, 7].into_iter().collect(),
        quarantined: Some(Broken {
            at: "failed/capture/5.json".to_owned(),
            reason: "version 3 makes a record of 1200000 bytes; the limit is 1000000".to_owned(),
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
    AuditReport {
        aggregates: 1_203,
        table: Totals { aggregates: 1_202, events: 20_009 },
        archive: Totals { aggregates: 1_203, events: 20_455 },
        duplicates: 12,
        objects: 310,
        equal: 20_004,
        in_flight: 3,
        findings: vec![lacking, differing, lost],
        invalid_items: vec![Broken {
            at: "demo#oops version 1".to_owned(),
            reason: "the item has no events".to_owned(),
        }],
        unread: Vec::new(),
        quarantined: vec![QuarantinedRecords { function: "capture".to_owned(), records: 1 }],
        discarded_batches: 3,
    }
}

fn audit(report: &AuditReport) -> Audit<'_> {
    Audit {
        schema: 1,
        environment: "dev",
        table: "demo-dev-events".to_owned(),
        archive: "demo-dev-archive-111111111111-eu-central-1-an".to_owned(),
        other: Other::Archive,
        verdict: report.verdict(),
        report,
        published: None,
        restored: None,
    }
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn audit_differences_are_listed_by_aggregate() {
    insta::assert_snapshot!(plain(&audit(&report()).text()));
}

#[test]
fn audit_text_names_another_table() {
    let report = AuditReport { quarantined: Vec::new(), discarded_batches: 0, in_flight: 0, ..report() };
    let audit = Audit { archive: "demo-dev-copy".to_owned(), other: Other::Table, ..audit(&report) };
    let text = plain(&audit.text());
    assert!(text.starts_with("table demo-dev-events against table demo-dev-copy\n"), "{text}");
    assert!(text.contains("20,455 events of 1,203 aggregates in the second table\n"), "{text}");
    assert!(text.contains("versions 3, 5-7 not in the second table\n"), "{text}");
    assert!(!text.contains("archive") && !text.contains("events/dt="), "{text}");
}

#[test]
fn audit_json_contains_everything() {
    let report = report();
    let one = AuditReport { findings: report.findings[..1].to_vec(), ..report };
    insta::assert_snapshot!(crate::render::json(&audit(&one)));
}

#[test]
fn audit_totals_fit_in_the_last_line() {
    let equal = AuditReport { findings: Vec::new(), invalid_items: Vec::new(), ..report() };
    let unread = vec![Broken { at: "events/x".to_owned(), reason: "it is not gzip".to_owned() }];
    let unreadable = AuditReport { unread, ..equal.clone() };
    let last = [&equal, &unreadable].map(|report| plain(&audit(report).totals()));
    insta::assert_snapshot!(last.join("\n"));
    assert_eq!(unreadable.verdict(), AuditVerdict::Unreadable, "the contents of the object are not known");
}

#[test]
fn republished_events_are_reported_with_their_age() {
    let time = |text: &str| text.parse::<Timestamp>().expect("it is a time");
    let times = time("2026-11-20T19:02:03Z")..=time("2026-11-20T19:03:00Z");
    let said = |now: &str| published_again(times.clone(), time(now), Duration::from_hours(24));
    insta::assert_snapshot!(said("2026-12-24T12:00:00Z").join("\n"));
    insta::assert_snapshot!(said("2026-11-21T19:02:30Z").join("\n"));
    assert!(said("2026-11-20T19:12:03Z")[0].contains("(in the last hour)"));
}

#[test]
fn audit_text_limits_the_aggregates_shown() {
    let many = AuditReport { findings: vec![report().findings[0].clone(); 27], ..report() };
    let text = plain(&audit(&many).text());
    assert!(text.contains("… and 7 aggregates more: --format json lists all of them"), "{text}");
}
