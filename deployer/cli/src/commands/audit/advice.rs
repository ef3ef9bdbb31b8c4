//! Advice on the findings of an audit: the option that repairs them, or the decision that a person must make.

use crate::audit::{AuditReport, Finding, Other, Restorable, Versions};

/// The documentation of the findings that a person has to decide on.
const BY_HAND: &str = "docs/restoring.md#manual-decisions";

/// The audit command.
pub(super) struct Command {
    /// The command as typed.
    pub(super) typed: String,
    /// What the table is compared with.
    pub(super) other: Other,
}

/// Returns one sentence of advice for each kind of finding.
pub(super) fn advice(report: &AuditReport, restorable: &Restorable, command: &Command) -> Vec<String> {
    let Command { typed, other } = command;
    let any = |of: fn(&Finding) -> &Versions| report.findings.iter().any(|finding| !of(finding).is_empty());
    let mut advice = Vec::new();
    if *other == Other::Archive && any(|finding| &finding.not_in_archive) {
        advice.push(if report.unread.is_empty() {
            format!(
                "`{typed} --repair` republishes what the archive lacks; check first whether `archive` lags"
            )
        } else {
            "the missing events may be in objects that cannot be read: make these readable first".to_owned()
        });
    }
    if !restorable.aggregates.is_empty() {
        let (option, but) = if restorable.not.is_empty() && report.unread.is_empty() {
            ("", "")
        } else {
            (" --skip-broken", ", except those that cannot be restored")
        };
        advice.push(format!(
            "`{typed} --restore{option}` restores events that the table lacks{but} (docs/restoring.md)"
        ));
    }
    let decides = [
        (any(|finding| &finding.contents_differ), "which content is right"),
        (any(|finding| &finding.twice_in_table), "which of two items is right"),
        (any(|finding| &finding.twice_in_archive), "which of the archive's contents is right"),
        (any(|finding| &finding.nowhere), "what to do about versions that both sides lack"),
        (!report.invalid_items.is_empty(), "what to do about items that are not valid commits"),
        (!report.unread.is_empty(), "what to do about objects that cannot be read"),
    ];
    let decides: Vec<&str> = decides.into_iter().filter_map(|(found, what)| found.then_some(what)).collect();
    if !decides.is_empty() {
        advice.push(format!("a person has to decide {}: {BY_HAND}", decides.join(", ")));
    }
    advice
}

#[cfg(test)]
mod tests {
    use eventsourcing::probe::{Probe, ProbeEvent};
    use eventsourcing::{AggregateId, Commit, Context, OccurredAt};
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::audit::{Broken, Ledger, NotRestorable, compare};

    fn said(report: &AuditReport, restorable: &Restorable, other: Other) -> String {
        let typed = match other {
            Other::Archive => "deployer audit prod",
            Other::Table => "deployer audit prod --from copy",
        };
        advice(report, restorable, &Command { typed: typed.to_owned(), other }).join("\n")
    }

    fn thing() -> Broken {
        Broken { at: "somewhere".to_owned(), reason: "it is odd".to_owned() }
    }

    #[test]
    fn restore_is_advised_only_if_not_refused() {
        let id = |number| {
            format!("demo#00000000-0000-4000-8000-00000000000{number}").parse().expect("it is an id")
        };
        let report = compare(&Ledger::new(Timestamp::MAX), Timestamp::MAX);
        let mut restorable = Restorable::default();
        assert_eq!(said(&report, &restorable, Other::Archive), "");
        restorable.not.insert(id(1), NotRestorable::OtherContent(1));
        assert_eq!(said(&report, &restorable, Other::Archive), "");
        restorable.aggregates.insert(id(2), 1);
        let skips = said(&report, &restorable, Other::Table);
        assert!(
            skips.starts_with("`deployer audit prod --from copy --restore --skip-broken` restores"),
            "{skips}"
        );
        restorable.not.clear();
        assert!(
            said(&report, &restorable, Other::Archive)
                .starts_with("`deployer audit prod --restore` restores")
        );
        let unread = AuditReport { unread: vec![thing()], ..report };
        assert!(said(&unread, &restorable, Other::Archive).contains("--skip-broken"));
    }

    #[test]
    fn repair_is_advised_only_if_archive_is_readable() {
        let mut ledger = Ledger::new(Timestamp::MAX);
        let context = Context::new(Uuid::nil(), OccurredAt::new(Timestamp::UNIX_EPOCH));
        let probe = AggregateId::of::<Probe>(Uuid::nil());
        ledger.in_table(
            Commit::of(probe, 0, &[ProbeEvent::Probed {}], context, Uuid::now_v7).expect("it is valid"),
        );
        let report = compare(&ledger, Timestamp::MAX);
        let nothing = Restorable::default();
        assert!(
            said(&report, &nothing, Other::Archive).starts_with("`deployer audit prod --repair` republishes")
        );
        let unread = AuditReport { unread: vec![thing()], ..report };
        assert!(!said(&unread, &nothing, Other::Archive).contains("--repair"));
    }

    #[test]
    fn advice_names_decisions_left_to_a_person() {
        let report =
            AuditReport { invalid_items: vec![thing()], unread: vec![thing()], ..AuditReport::default() };
        assert_eq!(
            said(&report, &Restorable::default(), Other::Archive),
            "a person has to decide what to do about items that are not valid commits, what to do about \
             objects that cannot be read: docs/restoring.md#manual-decisions"
        );
    }
}
