//! Indexes that DynamoDB rejects.

use std::collections::{BTreeMap, BTreeSet};

use super::Table;
use super::index::Index;
use crate::resources::lint;

/// How many global and local indexes a table can have ("Quotas in Amazon DynamoDB", DynamoDB developer guide;
/// AWS can raise the first).
const GLOBALS: usize = 20;
const LOCALS: usize = 5;
/// How many attributes one index can include, and all indexes of a table together ("Projection", DynamoDB API
/// reference).
const INCLUDED: usize = 20;
const INCLUDED_TOGETHER: usize = 100;

impl Table {
    /// Returns the mistakes in the table's indexes, and in the keys that they share attributes with.
    pub(super) fn index_mistakes(&self) -> Vec<String> {
        let mut mistakes = self.built_wrong.clone();
        mistakes.extend(too_many("global indexes", self.global_indexes.len(), GLOBALS));
        mistakes.extend(too_many("local indexes", self.local_indexes.len(), LOCALS));
        let both = self.global_indexes.keys().filter(|name| self.local_indexes.contains_key(*name));
        mistakes.extend(both.map(|name| format!("a global index and a local index have the name `{name}`")));
        if !self.local_indexes.is_empty() && self.key.len() < 2 {
            mistakes.push(
                "it has local indexes, which need a range key of the table: add one, or declare global indexes"
                    .to_owned(),
            );
        }
        if let [hash, range] = self.key.as_slice()
            && hash.name == range.name
        {
            mistakes.push(format!("`{}` is both hash and range key", hash.name));
        }
        for (name, index) in self.indexes() {
            let found = lint::name(name, 3..=255, "_.-").chain(self.mistakes_of(index));
            mistakes.extend(found.map(|mistake| format!("index `{name}`: {mistake}")));
        }
        let included = self.indexes().map(|(_, index)| index.included().len()).sum();
        mistakes.extend(too_many("attributes included in its indexes", included, INCLUDED_TOGETHER));
        mistakes.extend(self.types_of_keys().into_iter().filter(|(_, types)| types.len() > 1).map(
            |(name, types)| {
                let types = types.into_iter().collect::<Vec<_>>().join(" and ");
                format!("the key attribute `{name}` has one type in all keys, but is declared as {types}")
            },
        ));
        mistakes
    }

    fn mistakes_of(&self, index: &Index) -> Vec<String> {
        let mut mistakes = Vec::new();
        if let [hash, range] = index.key.as_slice()
            && hash.name == range.name
        {
            mistakes.push(format!("`{}` is both hash and range key", hash.name));
        }
        let included = index.included();
        mistakes.extend(too_many("included attributes", included.len(), INCLUDED));
        if index.includes_nothing() {
            mistakes.push("it includes no attribute: use `Projection::KeysOnly`".to_owned());
        }
        let keys: BTreeSet<&str> = self.key.iter().chain(&index.key).map(|key| key.name.as_str()).collect();
        let keys = included.iter().filter(|attribute| keys.contains(attribute.as_str()));
        mistakes
            .extend(keys.map(|key| format!("`{key}` is a key, which every index has: do not include it")));
        // They are sorted.
        let doubled = included.windows(2).filter(|pair| pair[0] == pair[1]);
        mistakes.extend(doubled.map(|pair| format!("`{}` is included twice", pair[0])));
        mistakes
    }

    /// Returns all names of attributes in keys and projections.
    pub(super) fn attributes(&self) -> BTreeSet<&str> {
        let keys = self.key.iter().chain(self.indexes().flat_map(|(_, index)| &index.key));
        let included = self.indexes().flat_map(|(_, index)| index.included());
        keys.map(|key| key.name.as_str()).chain(included.map(String::as_str)).collect()
    }

    /// Returns the key attributes, each with the types that keys declare for it.
    pub(super) fn types_of_keys(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut types: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for key in self.key.iter().chain(self.indexes().flat_map(|(_, index)| &index.key)) {
            types.entry(&key.name).or_default().insert(&key.of);
        }
        types
    }

    fn indexes(&self) -> impl Iterator<Item = (&String, &Index)> {
        self.global_indexes.iter().chain(&self.local_indexes)
    }
}

fn too_many(what: &str, number: usize, most: usize) -> Option<String> {
    (number > most).then(|| format!("there can be at most {most} {what}, but there are {number}"))
}

#[cfg(test)]
mod tests {
    use engine::resource::{Neighbours, Resource};

    use super::super::{KeyType, PrimaryKey, Projection};
    use super::*;
    use crate::testing::{events_key, scope};

    fn table() -> Table {
        Table::new(&scope(), "events", events_key())
    }

    fn mistakes(table: &Table) -> Vec<String> {
        Resource::mistakes(table, &Neighbours::default())
    }

    fn by_owner() -> PrimaryKey {
        PrimaryKey::hash("Owner", KeyType::String)
    }

    #[test]
    fn table_with_indexes_of_all_forms_has_no_mistake() {
        let key = PrimaryKey::hash("Id", KeyType::Binary).range("At", KeyType::Number);
        let table = Table::new(&scope(), "items", key)
            .global_index("by-owner", by_owner().range("At", KeyType::Number), Projection::KeysOnly)
            .global_index("by_At.1", PrimaryKey::hash("At", KeyType::Number), Projection::All)
            .local_index("by-size", "Size", KeyType::Number, Projection::including(["Title", "Owner"]));
        assert_eq!(mistakes(&table), [""; 0]);
    }

    #[test]
    fn table_has_a_limited_number_of_indexes() {
        let globals = |number: usize| {
            (0..number).fold(table(), |table, at| {
                table.global_index(&format!("index-{at}"), by_owner(), Projection::All)
            })
        };
        assert_eq!(mistakes(&globals(20)), [""; 0]);
        assert_eq!(mistakes(&globals(21)), ["there can be at most 20 global indexes, but there are 21"]);
        let locals = (0..6).fold(table(), |table, at| {
            table.local_index(&format!("index-{at}"), "At", KeyType::Number, Projection::All)
        });
        assert_eq!(mistakes(&locals), ["there can be at most 5 local indexes, but there are 6"]);
    }

    #[test]
    fn index_names_are_distinct_and_as_aws_allows() {
        let wrong = table()
            .global_index("a/", by_owner(), Projection::All)
            .global_index("same", by_owner(), Projection::All)
            .global_index("same", by_owner(), Projection::KeysOnly)
            .local_index("same", "At", KeyType::Number, Projection::All);
        assert_eq!(
            mistakes(&wrong),
            [
                "two global indexes have the name `same`",
                "a global index and a local index have the name `same`",
                "index `a/`: the name must have 3 to 255 characters, but has 2",
                "index `a/`: the name may contain letters, digits and `_.-`, but not `/`",
            ],
        );
    }

    #[test]
    fn key_attribute_has_one_type_in_all_keys() {
        let wrong = table()
            .global_index("by-version", PrimaryKey::hash("Version", KeyType::String), Projection::All)
            .global_index("twice", by_owner().range("Owner", KeyType::String), Projection::All);
        assert_eq!(
            mistakes(&wrong),
            [
                "index `twice`: `Owner` is both hash and range key",
                "the key attribute `Version` has one type in all keys, but is declared as N and S",
            ],
        );
    }

    #[test]
    fn local_index_needs_a_range_key_of_the_table() {
        let table = Table::new(&scope(), "items", PrimaryKey::hash("Id", KeyType::String));
        let wrong = table.local_index("by-time", "At", KeyType::Number, Projection::All);
        assert_eq!(
            mistakes(&wrong),
            ["it has local indexes, which need a range key of the table: add one, or declare global indexes"]
        );
    }

    #[test]
    fn included_attributes_are_few_distinct_and_no_keys() {
        let none: [&str; 0] = [];
        let wrong = table().global_index("empty", by_owner(), Projection::including(none)).global_index(
            "keys",
            by_owner(),
            Projection::including(["Owner", "Id", "Title", "Title"]),
        );
        assert_eq!(
            mistakes(&wrong),
            [
                "index `empty`: it includes no attribute: use `Projection::KeysOnly`",
                "index `keys`: `Id` is a key, which every index has: do not include it",
                "index `keys`: `Owner` is a key, which every index has: do not include it",
                "index `keys`: `Title` is included twice",
            ],
        );
        let many = |number: usize| Projection::including((0..number).map(|at| format!("A{at}")));
        let wide = (0..6).fold(table(), |table, at| {
            table.global_index(&format!("index-{at}"), by_owner(), many(if at == 0 { 21 } else { 16 }))
        });
        assert_eq!(
            mistakes(&wide),
            [
                "index `index-0`: there can be at most 20 included attributes, but there are 21",
                "there can be at most 100 attributes included in its indexes, but there are 101",
            ],
        );
    }

    #[test]
    fn attribute_names_have_limits_in_indexes() {
        let long = "a".repeat(256);
        let wrong =
            table().global_index("by-long", PrimaryKey::hash(&long, KeyType::String), Projection::All);
        assert_eq!(mistakes(&wrong), [format!("the length of `{long}` must be 1 to 255, but is 256")]);
    }

    #[test]
    fn time_to_live_in_a_key_is_a_number() {
        let sparse = PrimaryKey::hash("Owner", KeyType::String).range("ExpiresAt", KeyType::String);
        let wrong = table().time_to_live("ExpiresAt").global_index("by-end", sparse, Projection::All);
        assert_eq!(
            mistakes(&wrong),
            ["the time to live `ExpiresAt` is a key of another type than number: no item would expire"]
        );
        let key = PrimaryKey::hash("Owner", KeyType::String).range("ExpiresAt", KeyType::Number);
        let right = table().time_to_live("ExpiresAt").global_index("by-end", key, Projection::All);
        assert_eq!(mistakes(&right), [""; 0]);
    }
}
