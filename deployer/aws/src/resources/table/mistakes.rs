//! Table settings that DynamoDB rejects, or accepts without effect.

use engine::resource::Neighbours;

use super::{Billing, Table};
use crate::resources::lint;
use crate::resources::mapping_name::{Service, readers};

/// How many consumers can read one shard of a table's stream without throttling ("Change data capture for
/// DynamoDB Streams", DynamoDB developer guide).
const READERS: usize = 2;

impl Table {
    pub(super) fn found_mistakes(&self, stack: &Neighbours<'_>) -> Vec<String> {
        let mut mistakes: Vec<String> = lint::name(&self.name, 3..=255, "_.-").collect();
        let mut attributes = self.attributes();
        attributes.extend(self.time_to_live.as_deref());
        for attribute in attributes {
            let length = attribute.chars().count() as i64;
            mistakes.extend(lint::range(&format!("the length of `{attribute}`"), length, 1..=255));
        }
        mistakes.extend(self.index_mistakes());
        // "Using time to live (TTL) in DynamoDB", DynamoDB developer guide.
        let expires = self.time_to_live.as_deref();
        let expires =
            expires.filter(|name| self.types_of_keys().get(name).is_some_and(|of| !of.contains("N")));
        mistakes.extend(expires.map(|name| {
            format!("the time to live `{name}` is a key of another type than number: no item would expire")
        }));
        let days = self.point_in_time_recovery_days.map(i64::from);
        mistakes
            .extend(days.and_then(|days| lint::range("the point-in-time recovery in days", days, 1..=35)));
        let units = match self.billing {
            Billing::OnDemand { max_read_units, max_write_units } => [max_read_units, max_write_units],
            Billing::Provisioned { read_units, write_units } => [Some(read_units), Some(write_units)],
        };
        let too_few = units.into_iter().flatten().filter(|units| *units < 1);
        mistakes
            .extend(too_few.map(|units| format!("the capacity units must be at least 1, but are {units}")));
        let keys = self.kms_key.iter().chain(&self.former_keys);
        mistakes.extend(keys.filter_map(|key| lint::key_arn(Some(key))));
        mistakes.extend(match readers(stack, &Service::DynamoDb, &self.name) {
            0 => None,
            _ if self.stream.is_none() => Some("a mapping reads its stream, but it has none".to_owned()),
            readers if readers > READERS => Some(format!(
                "{readers} functions read its stream, which supports {READERS}: let one of them copy it to a Kinesis \
                 stream, which the others read"
            )),
            _ => None,
        });
        mistakes
    }
}

#[cfg(test)]
mod tests {
    use engine::resource::{Described, Resource};

    use super::super::StreamView;
    use super::*;
    use crate::resources::mapping::{Mapping, MappingSettings};
    use crate::testing::{events_key, scope};

    fn table() -> Table {
        Table::new(&scope(), "events", events_key()).stream(StreamView::NewImage)
    }

    fn mistakes(table: &Table, functions: &[&str]) -> Vec<String> {
        let mapping = |function: &&str| Mapping::table(function, table.name(), MappingSettings::default());
        let mappings: Vec<Mapping> = functions.iter().map(mapping).collect();
        let stack = Neighbours::new(mappings.iter().map(|mapping| mapping as &dyn Described));
        Resource::mistakes(table, &stack)
    }

    #[test]
    fn table_stream_feeds_at_most_two_functions() {
        assert_eq!(mistakes(&table(), &["a", "b"]).len(), 0);
        assert_eq!(mistakes(&table(), &["a", "b", "c"]).len(), 1);
    }

    #[test]
    fn table_read_without_a_stream_is_a_mistake() {
        let table = Table::new(&scope(), "events", events_key());
        assert_eq!(mistakes(&table, &["a"]), ["a mapping reads its stream, but it has none"]);
    }

    #[test]
    fn table_settings_outside_limits_are_mistakes() {
        let table = table()
            .point_in_time_recovery(Some(36))
            .billing(Billing::Provisioned { read_units: 0, write_units: 1 })
            .encrypted_with(Some("alias/events".to_owned()));
        assert_eq!(
            Resource::mistakes(&table, &Neighbours::default()),
            [
                "the point-in-time recovery in days must be 1 to 35, but is 36",
                "the capacity units must be at least 1, but are 0",
                "`alias/events` is not the ARN of a KMS key: give the ARN, because AWS returns that form",
            ],
        );
    }
}
