//! Finds the run that created a resource, among the entries that the record still has.

use super::{Recorded, Release};
use crate::resource::ResourceId;

/// Returns the entry of the run that created this resource, or the oldest entry that lists it.
pub fn maker<'a>(entries: &'a [Recorded], id: &ResourceId) -> Option<&'a Release> {
    let id = id.to_string();
    let knows = |release: &Release| release.deployed.contains(&id) || release.making.contains(&id);
    // Searches backwards from the last entry, and ends before the first entry that does not list it.
    entries.iter().rev().map(|entry| &entry.release).take_while(|release| knows(release)).last()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::{ReleaseState, SCHEMA};

    const MAPPING: &str = "lambda.event-source-mapping/demo-dev-old/kinesis/demo-dev-events";

    fn entry(number: u64, commit: &str, deployed: &[&str], making: &[&str]) -> Recorded {
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        let release = Release {
            schema: SCHEMA,
            run: format!("{number}"),
            state: ReleaseState::Done,
            release: Some(commit.to_owned()),
            by: "me".to_owned(),
            changes: Default::default(),
            deployed: ids(deployed),
            making: ids(making),
            changing: Default::default(),
            identities: Default::default(),
            packages: Default::default(),
            reads: Default::default(),
        };
        Recorded { release, number, at: None }
    }

    fn made_by(entries: &[Recorded]) -> Option<&str> {
        let id = ResourceId::new(
            "lambda.event-source-mapping",
            MAPPING.strip_prefix("lambda.event-source-mapping/").expect("it has its kind"),
        );
        maker(entries, &id)?.release.as_deref()
    }

    #[test]
    fn maker_is_the_run_that_set_out_to_make_it() {
        let entries = [
            entry(1, "a", &[], &[]),
            entry(2, "b", &[], &[MAPPING]),
            entry(3, "b", &[MAPPING], &[]),
            entry(4, "c", &[MAPPING], &[]),
        ];
        assert_eq!(made_by(&entries), Some("b"));
    }

    #[test]
    fn maker_is_the_last_one_of_several() {
        let entries = [
            entry(1, "a", &[MAPPING], &[]),
            entry(2, "b", &[], &[]),
            entry(3, "c", &[], &[MAPPING]),
            entry(4, "d", &[MAPPING], &[]),
        ];
        assert_eq!(made_by(&entries), Some("c"));
    }

    #[test]
    fn maker_is_the_oldest_entry_of_a_truncated_record() {
        assert_eq!(made_by(&[entry(100, "b", &[MAPPING], &[]), entry(101, "c", &[MAPPING], &[])]), Some("b"));
    }

    #[test]
    fn maker_is_unknown_where_no_entry_has_it() {
        assert_eq!(made_by(&[]), None);
        assert_eq!(made_by(&[entry(1, "a", &[], &[])]), None);
    }
}
