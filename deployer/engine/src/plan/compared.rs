//! How much was compared: "clean" means nothing without it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Step, Verdict};
use crate::resource::{Described, LeftOut};

/// What a comparison covered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// Live resources that were compared.
    pub resources: usize,
    /// Fields that were compared.
    pub fields: usize,
    /// What was not, by choice.
    pub left_out: Vec<NotCompared>,
    /// Resources and kinds that could not be read.
    pub unreadable: usize,
}

/// Something that was not compared, by choice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NotCompared {
    /// The kind of resource that has it.
    pub kind: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Why it was left out.
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
