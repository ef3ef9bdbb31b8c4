//! The result of an audit as data: for people, for programs, and for repair and restore.

use eventsourcing::AggregateId;
use serde::Serialize;
use serde_json::Value;

use super::Versions;

/// The result of comparing table and archive.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AuditReport {
    /// The number of aggregates on either side.
    pub aggregates: usize,
    /// The totals of the table.
    pub table: Totals,
    /// The totals of the archive, without duplicates.
    pub archive: Totals,
    /// The number of lines in the archive that repeat an event.
    pub duplicates: u64,
    /// The number of archive objects that were read.
    pub objects: usize,
    /// The number of events that are equal on both sides.
    pub equal: u64,
    /// The number of events so recent that they may still be in flight to the archive.
    pub in_flight: u64,
    /// The aggregates that differ, sorted by id.
    pub findings: Vec<Finding>,
    /// Items of the table that are not valid commits.
    pub invalid_items: Vec<Broken>,
    /// Archive objects that could not be read: their content is unknown.
    pub unread: Vec<Broken>,
    /// Quarantined records that may explain missing events in the archive.
    pub quarantined: Vec<QuarantinedRecords>,
    /// The number of batches that Lambda discarded, for all functions.
    pub discarded_batches: usize,
}

/// The verdict of an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditVerdict {
    /// Both sides have the same events.
    Equal,
    /// The sides differ.
    Different,
    /// A part of the archive could not be read, so the result is unknown.
    Unreadable,
}

/// The totals of one side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Aggregates.
    pub aggregates: u64,
    /// Events.
    pub events: u64,
}

/// An aggregate that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The aggregate.
    pub aggregate: AggregateId,
    /// Its events in the table.
    pub table: Side,
    /// Its events in the archive.
    pub archive: Side,
    /// The first difference.
    pub first: First,
    /// Versions that only the table has.
    pub not_in_archive: Versions,
    /// Versions that only the archive has.
    pub not_in_table: Versions,
    /// Versions whose contents differ between the sides.
    pub contents_differ: Versions,
    /// Versions that two items of the table have.
    pub twice_in_table: Versions,
    /// Versions that the archive has with different contents.
    pub twice_in_archive: Versions,
    /// Versions that neither side has, although later versions exist.
    pub nowhere: Versions,
    /// The quarantined record of this aggregate's events, with the reason, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantined: Option<Broken>,
}

/// One side's events of an aggregate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Side {
    /// The number of events.
    pub events: u64,
    /// The highest version, 0 if there are no events.
    pub highest: u64,
}

/// The first version at which the sides differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct First {
    /// The version.
    pub version: u64,
    /// How the sides differ at this version.
    pub difference: Difference,
    /// The archive object that has the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Both contents, if they were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents: Option<Contents>,
}

/// One event as both sides have it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contents {
    /// The event in the table.
    pub table: Value,
    /// The event in the archive.
    pub archive: Value,
}

/// How the sides differ at one version, the most serious first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// Neither side has it, although later versions exist.
    Nowhere,
    /// Two items of the table have it.
    TwiceInTable,
    /// The archive has it with different contents.
    TwiceInArchive,
    /// The contents differ between the sides.
    ContentsDiffer,
    /// Only the archive has it.
    NotInTable,
    /// Only the table has it.
    NotInArchive,
}

/// An item or object that is not valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// Its location.
    pub at: String,
    /// Why it is not valid.
    pub reason: String,
}

/// The number of records that one function quarantined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuarantinedRecords {
    /// The function.
    pub function: String,
    /// The number of its quarantined records.
    pub records: usize,
}

impl AuditReport {
    /// Returns the verdict.
    pub fn verdict(&self) -> AuditVerdict {
        match (self.unread.is_empty(), self.is_equal()) {
            (false, _) => AuditVerdict::Unreadable,
            (true, true) => AuditVerdict::Equal,
            (true, false) => AuditVerdict::Different,
        }
    }

    /// Returns whether both sides are equal, as far as they could be read.
    pub fn is_equal(&self) -> bool {
        self.findings.is_empty() && self.invalid_items.is_empty()
    }

    /// Returns the aggregates with events that are in the table and missing in the archive.
    pub fn lacking(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| !finding.not_in_archive.is_empty())
    }

    /// Returns the number of versions that `versions` selects, over all findings.
    pub fn count(&self, versions: impl Fn(&Finding) -> &Versions) -> u64 {
        self.findings.iter().map(|finding| versions(finding).count()).sum()
    }
}

impl Finding {
    /// Returns the first version at or after `from` that has several contents.
    pub fn disputed(&self, from: u64) -> Option<u64> {
        let several = [&self.contents_differ, &self.twice_in_table, &self.twice_in_archive];
        several.into_iter().filter_map(|versions| versions.iter().find(|version| *version >= from)).min()
    }

    /// Returns the versions with this difference.
    pub fn versions(&self, difference: Difference) -> &Versions {
        match difference {
            Difference::Nowhere => &self.nowhere,
            Difference::TwiceInTable => &self.twice_in_table,
            Difference::TwiceInArchive => &self.twice_in_archive,
            Difference::ContentsDiffer => &self.contents_differ,
            Difference::NotInTable => &self.not_in_table,
            Difference::NotInArchive => &self.not_in_archive,
        }
    }
}

impl Difference {
    /// Every difference, the most serious first.
    pub const ALL: [Self; 6] = [
        Self::Nowhere,
        Self::TwiceInTable,
        Self::TwiceInArchive,
        Self::ContentsDiffer,
        Self::NotInTable,
        Self::NotInArchive,
    ];
}
