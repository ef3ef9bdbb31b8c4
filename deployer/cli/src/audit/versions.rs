//! Versions of one aggregate as ranges: `3, 5-9`.

use std::fmt;
use std::ops::RangeInclusive;

use serde::{Serialize, Serializer};

/// Versions in ascending order, stored as ranges.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions(Vec<(u64, u64)>);

impl Versions {
    /// Adds a version that is higher than all others.
    pub fn push(&mut self, version: u64) {
        self.push_range(version, version);
    }

    /// Adds versions that are higher than all others; none if `to` is below `from`.
    pub fn push_range(&mut self, from: u64, to: u64) {
        match self.0.last_mut() {
            _ if to < from => {}
            Some((_, last)) if *last + 1 == from => *last = to,
            _ => self.0.push((from, to)),
        }
    }

    /// Returns the lowest version, if there is any.
    pub fn first(&self) -> Option<u64> {
        self.0.first().map(|(from, _)| *from)
    }

    /// Returns the number of versions.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(from, to)| to - from + 1).sum()
    }

    /// Returns whether one of the versions is in this range.
    pub fn overlaps(&self, range: &RangeInclusive<u64>) -> bool {
        self.0.iter().any(|(from, to)| from <= range.end() && range.start() <= to)
    }

    /// Returns whether there are no versions.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the versions one by one.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.iter().flat_map(|(from, to)| *from..=*to)
    }
}

impl FromIterator<u64> for Versions {
    fn from_iter<I: IntoIterator<Item = u64>>(versions: I) -> Self {
        let mut all = Self::default();
        versions.into_iter().for_each(|version| all.push(version));
        all
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (from, to)) in self.0.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            if from == to { write!(f, "{comma}{from}")? } else { write!(f, "{comma}{from}-{to}")? }
        }
        Ok(())
    }
}

/// Serialized as pairs of first and last version.
impl Serialize for Versions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_follow_each_other_are_a_range() {
        let mut versions: Versions = [3, 5, 6, 7].into_iter().collect();
        versions.push_range(8, 9);
        versions.push_range(12, 11);
        assert_eq!(versions.to_string(), "3, 5-9");
        let overlapping = [0..=2, 4..=4, 9..=11].map(|range| versions.overlaps(&range));
        assert_eq!(overlapping, [false, false, true]);
        assert_eq!((versions.first(), versions.count()), (Some(3), 6));
        assert_eq!(versions.iter().collect::<Vec<_>>(), [3, 5, 6, 7, 8, 9]);
        assert_eq!(
            serde_json::to_string(&versions).expect("versions can be written as JSON"),
            "[[3,3],[5,9]]"
        );
    }
}
