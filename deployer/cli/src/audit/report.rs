//! What an audit finds, as data: for reading, for programs, and for what is done about it.

use eventsourcing::AggregateId;
use serde::Serialize;
use serde_json::Value;

use super::Versions;

/// What came out of comparing table and archive.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AuditReport {
    /// How many aggregates either side has.
    pub aggregates: usize,
    /// What the table has in all.
    pub table: Totals,
    /// What the archive has in all, duplicates not counted.
    pub archive: Totals,
    /// How many lines the archive has that tell an event once more.
    pub duplicates: u64,
    /// How many objects of the archive were read.
    pub objects: usize,
    /// How many events both have, and alike.
    pub equal: u64,
    /// How many events are so young that they may still be under way to the archive.
    pub under_way: u64,
    /// The aggregates that differ, in the order of their ids.
    pub findings: Vec<Finding>,
    /// Items of the table that are no commits.
    pub no_commits: Vec<Broken>,
    /// Objects of the archive that could not be read: nobody knows what is in them.
    pub unread: Vec<Broken>,
    /// What was kept aside on the way to the archive, where that may be why it lacks something.
    pub kept_aside: Vec<KeptAside>,
    /// How many batches Lambda gave up, whoever they were for.
    pub given_up: usize,
}

/// What comes out of an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditVerdict {
    /// Both have the same.
    Equal,
    /// They differ.
    Different,
    /// Something of the archive could not be read, so nobody knows.
    Unreadable,
}

/// What one side has in all.
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
    /// What the table has of it.
    pub table: Side,
    /// What the archive has of it.
    pub archive: Side,
    /// The first difference.
    pub first: First,
    /// Versions that the table has and the archive has not.
    pub not_in_archive: Versions,
    /// Versions that the archive has and the table has not.
    pub not_in_table: Versions,
    /// Versions that both have, and not alike.
    pub contents_differ: Versions,
    /// Versions that two items of the table hold.
    pub twice_in_table: Versions,
    /// Versions that the archive has with more than one content.
    pub twice_in_archive: Versions,
    /// Versions that neither has, though later ones are there.
    pub nowhere: Versions,
    /// Why a function could not understand events of it, where it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_aside: Option<Broken>,
}

/// What one side has of an aggregate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Side {
    /// How many events.
    pub events: u64,
    /// The highest version, 0 for none.
    pub highest: u64,
}

/// The first version at which the sides differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct First {
    /// The version.
    pub version: u64,
    /// How they differ.
    pub difference: Difference,
    /// The object of the archive that has the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Both contents, where these were looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents: Option<Contents>,
}

/// The contents of one event on both sides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contents {
    /// What the table has.
    pub table: Value,
    /// What the archive has.
    pub archive: Value,
}

/// How the sides differ at one version, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// Neither has it, though later ones are there.
    Nowhere,
    /// Two items of the table hold it.
    TwiceInTable,
    /// The archive has it with more than one content.
    TwiceInArchive,
    /// Both have it, and not alike.
    ContentsDiffer,
    /// Only the archive has it.
    NotInTable,
    /// Only the table has it.
    NotInArchive,
}

/// A thing that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// Where it is.
    pub at: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What one function could not understand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptAside {
    /// The function.
    pub function: String,
    /// How many records of it are kept.
    pub records: usize,
}

impl AuditReport {
    /// Returns what comes out of it.
    pub fn verdict(&self) -> AuditVerdict {
        match (self.unread.is_empty(), self.is_equal()) {
            (false, _) => AuditVerdict::Unreadable,
            (true, true) => AuditVerdict::Equal,
            (true, false) => AuditVerdict::Different,
        }
    }

    /// Returns whether both sides have the same, as far as they could be read.
    pub fn is_equal(&self) -> bool {
        self.findings.is_empty() && self.no_commits.is_empty()
    }

    /// Returns the aggregates of which the archive lacks something that the table has.
    pub fn lacking(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| !finding.not_in_archive.is_empty())
    }

    /// Returns how many events differ in a way.
    pub fn count(&self, versions: impl Fn(&Finding) -> &Versions) -> u64 {
        self.findings.iter().map(|finding| versions(finding).count()).sum()
    }
}

impl Finding {
    /// Returns the first version from this one on of which there are several contents.
    pub fn disputed(&self, from: u64) -> Option<u64> {
        let several = [&self.contents_differ, &self.twice_in_table, &self.twice_in_archive];
        several.into_iter().filter_map(|versions| versions.iter().find(|version| *version >= from)).min()
    }

    /// Returns what of it differs in a way.
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
    /// Every difference, the gravest first.
    pub const ALL: [Self; 6] = [
        Self::Nowhere,
        Self::TwiceInTable,
        Self::TwiceInArchive,
        Self::ContentsDiffer,
        Self::NotInTable,
        Self::NotInArchive,
    ];
}
