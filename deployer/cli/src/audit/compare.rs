//! Compares the events of both sides and reports the differences. Pure.

use eventsourcing::AggregateId;
use jiff::Timestamp;

use super::ledger::{Account, Entry};
use super::report::Totals;
use super::{AuditReport, Broken, Difference, Finding, First, Ledger, Side, Versions};

/// Compares both sides. An event that is missing in the archive and occurred after `until` is in flight, and
/// does not count as a difference yet.
pub fn compare(ledger: &Ledger, until: Timestamp) -> AuditReport {
    let mut report = AuditReport {
        aggregates: ledger.accounts.len(),
        objects: ledger.objects.len(),
        invalid_items: broken(&ledger.broken),
        unread: broken(&ledger.unread),
        ..AuditReport::default()
    };
    for (id, account) in &ledger.accounts {
        let in_flight = |version| ledger.in_flight(id, version, until);
        let (table, archive) = (side(account, |entry| entry.table.is_some()), side(account, archived));
        add(&mut report.table, table);
        add(&mut report.archive, archive);
        report.equal += account.values().filter(|entry| equal(entry)).count() as u64;
        let late = account.iter().filter(|(version, entry)| !archived(entry) && in_flight(**version));
        report.in_flight += late.count() as u64;
        report.findings.extend(finding(id, account, (table, archive), in_flight, &ledger.objects));
    }
    report.duplicates = ledger.lines.saturating_sub(report.archive.events);
    report.findings.sort_by(|one, other| one.aggregate.cmp(&other.aggregate));
    report
}

/// Returns the differences of one aggregate, if there are any.
fn finding(
    id: &AggregateId,
    account: &Account,
    (table, archive): (Side, Side),
    in_flight: impl Fn(u64) -> bool,
    objects: &[String],
) -> Option<Finding> {
    let nowhere = gaps(account);
    if nowhere.is_empty() && account.values().all(equal) {
        return None;
    }
    let versions = |difference| -> Versions {
        let alike = |(version, entry): (&u64, &Entry)| {
            let found = differences(entry).any(|found| found == difference);
            let counts = difference != Difference::NotInArchive || !in_flight(*version);
            (found && counts).then_some(*version)
        };
        account.iter().filter_map(alike).collect()
    };
    let mut finding = Finding {
        aggregate: id.clone(),
        table,
        archive,
        first: First { version: 0, difference: Difference::Nowhere, object: None, contents: None },
        not_in_archive: versions(Difference::NotInArchive),
        not_in_table: versions(Difference::NotInTable),
        contents_differ: versions(Difference::ContentsDiffer),
        twice_in_table: versions(Difference::TwiceInTable),
        twice_in_archive: versions(Difference::TwiceInArchive),
        nowhere,
        quarantined: None,
    };
    let firsts = Difference::ALL
        .iter()
        .filter_map(|difference| finding.versions(*difference).first().map(|version| (version, *difference)));
    let (version, difference) = firsts.min()?;
    let object = account.get(&version).filter(|entry| archived(entry));
    let object = object.and_then(|entry| objects.get(entry.object as usize)).cloned();
    finding.first = First { version, difference, object, contents: None };
    Some(finding)
}

/// Returns the differences between the sides at one version.
fn differences(entry: &Entry) -> impl Iterator<Item = Difference> {
    let sides = match (entry.table, entry.archive) {
        (Some(table), Some(archive)) if table == archive => None,
        (Some(_), Some(_)) => Some(Difference::ContentsDiffer),
        (Some(_), None) => Some(Difference::NotInArchive),
        (None, _) => Some(Difference::NotInTable),
    };
    let in_table = entry.twice_in_table.then_some(Difference::TwiceInTable);
    let in_archive = entry.twice_in_archive.then_some(Difference::TwiceInArchive);
    [in_table, in_archive, sides].into_iter().flatten()
}

fn equal(entry: &Entry) -> bool {
    differences(entry).next().is_none()
}

fn archived(entry: &Entry) -> bool {
    entry.archive.is_some()
}

fn side(account: &Account, has: impl Fn(&Entry) -> bool) -> Side {
    let versions = account.iter().filter(|(_, entry)| has(entry)).map(|(version, _)| *version);
    versions.fold(Side::default(), |side, version| Side { events: side.events + 1, highest: version })
}

fn add(totals: &mut Totals, side: Side) {
    totals.aggregates += u64::from(side.events > 0);
    totals.events += side.events;
}

/// Returns the versions that neither side has, below the highest version on either side.
pub(super) fn gaps(account: &Account) -> Versions {
    let mut gaps = Versions::default();
    let mut next = 1;
    for version in account.keys() {
        gaps.push_range(next, version.saturating_sub(1));
        next = version.saturating_add(1);
    }
    gaps
}

fn broken(things: &std::collections::BTreeMap<String, String>) -> Vec<Broken> {
    things.iter().map(|(at, reason)| Broken { at: at.clone(), reason: reason.clone() }).collect()
}
