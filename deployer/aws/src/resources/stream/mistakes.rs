//! Stream settings that Kinesis rejects, or accepts without effect.

use engine::resource::Neighbours;

use super::{Capacity, Stream};
use crate::resources::lint;
use crate::resources::mapping_name::{Service, readers};

/// How many times a second one shard can be read ("GetRecords", Kinesis API reference). Lambda reads each
/// shard once a second for each mapping ("Using Lambda to process records from Amazon Kinesis Data Streams",
/// Lambda developer guide).
const READERS: usize = 5;

impl Stream {
    pub(super) fn found_mistakes(&self, stack: &Neighbours<'_>) -> Vec<String> {
        let mut mistakes: Vec<String> = lint::name(&self.name, 1..=128, "_.-").collect();
        let hours = self.retention_hours.into();
        mistakes.extend(lint::range("the retention in hours", hours, 24..=8760));
        mistakes.extend(lint::range(
            "the maximum record size in KiB",
            self.max_record_kib.into(),
            1024..=10_240,
        ));
        if let Capacity::Provisioned { shards } = self.capacity {
            mistakes.extend(lint::range("the number of shards", shards.into(), 1..=10_000));
        }
        // Kinesis accepts an alias that AWS manages, and returns it as an alias.
        let key = self.kms_key.iter().filter(|key| !key.starts_with("alias/aws/"));
        mistakes.extend(key.chain(&self.former_keys).filter_map(|key| lint::key_arn(Some(key))));
        let readers = readers(stack, &Service::Kinesis, &self.name);
        if readers > READERS {
            mistakes.push(format!(
                "{readers} functions read each shard once a second, but a shard can be read {READERS} times: merge \
                 some of them into one function; more shards do not help"
            ));
        }
        mistakes
    }
}

#[cfg(test)]
mod tests {
    use engine::resource::{Described, Resource};

    use super::*;
    use crate::resources::mapping::{Mapping, MappingSettings};
    use crate::testing::scope;

    fn stream() -> Stream {
        Stream::new(&scope(), "events")
    }

    #[test]
    fn shard_feeds_at_most_five_functions() {
        let mistakes = |functions: usize| {
            let of = |at| Mapping::stream(&format!("f{at}"), stream().arn(), MappingSettings::default());
            let mappings: Vec<Mapping> = (0..functions).map(of).collect();
            let stack = Neighbours::new(mappings.iter().map(|mapping| mapping as &dyn Described));
            Resource::mistakes(&stream(), &stack)
        };
        assert_eq!(mistakes(5), [""; 0]);
        assert_eq!(mistakes(6).len(), 1);
    }

    #[test]
    fn stream_settings_outside_limits_are_mistakes() {
        let wrong = stream().shards(0).retention_hours(23).encrypted_with(Some("alias/mine".to_owned()));
        assert_eq!(
            Resource::mistakes(&wrong, &Neighbours::default()),
            [
                "the retention in hours must be 24 to 8760, but is 23",
                "the number of shards must be 1 to 10000, but is 0",
                "`alias/mine` is not the ARN of a KMS key: give the ARN, because AWS returns that form",
            ],
        );
        let right =
            stream().shards(None).retention_hours(8760).encrypted_with(Some("alias/aws/kinesis".to_owned()));
        assert_eq!(Resource::mistakes(&right, &Neighbours::default()), [""; 0]);
    }
}
