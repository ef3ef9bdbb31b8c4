//! The extent of a comparison, without which "in sync" means little.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Step, Verdict};
use crate::resource::{Described, LeftOut};

/// The extent of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// Live resources that were compared.
    pub resources: usize,
    /// Fields that were compared.
    pub fields: usize,
    /// Settings that are not compared, by design.
    pub left_out: Vec<NotCompared>,
    /// Resources and kinds that could not be read.
    pub unreadable: usize,
}

/// A setting that is not compared, by design.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NotCompared {
    /// The kind of resource that has the setting.
    pub kind: &'static str,
    /// The setting.
    pub what: &'static str,
    /// Why it is not compared.
    pub why: &'static str,
    /// How many resources of the kind there are.
    pub resources: usize,
}

impl Compared {
    /// Counts what the steps of these resources compared.
    pub(super) fn of(desired: &[&dyn Described], steps: &[Step]) -> Self {
        let mut left_out: BTreeMap<(&'static str, LeftOut), usize> = BTreeMap::new();
        for subject in desired {
            for left in subject.info().left_out {
                *left_out.entry((subject.id().kind(), *left)).or_default() += 1;
            }
        }
        let left_out = left_out.into_iter();
        Self {
            resources: steps.iter().filter(|step| step.compared > 0).count(),
            fields: steps.iter().map(|step| step.compared).sum(),
            left_out: left_out
                .map(|((kind, LeftOut { what, why }), resources)| NotCompared { kind, what, why, resources })
                .collect(),
            unreadable: steps.iter().filter(|step| step.verdicts.contains(&Verdict::Unknown)).count(),
        }
    }
}
