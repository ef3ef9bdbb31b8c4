//! Waves under any rejections, and under batches that are delivered again half-way.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};
use storage::waves::{Record, Waves};

/// Returns a record for each key, the data saying which of its key it is.
fn records(keys: &[u8]) -> Vec<Record> {
    let mut counts = [0_u8; 256];
    let record = |&key: &u8| {
        counts[usize::from(key)] += 1;
        Record { partition_key: key.to_string(), data: vec![counts[usize::from(key)]] }
    };
    keys.iter().map(record).collect()
}

/// Publishes until all is through or `waves` waves are, a coin deciding for each record.
fn publish(records: &[Record], coins: &mut impl Iterator<Item = bool>, waves: usize) -> Vec<Record> {
    let mut line = Waves::of(records.to_vec());
    let mut taken = Vec::new();
    for _ in 0..waves {
        let wave = line.next();
        if wave.is_empty() {
            break;
        }
        // The coins run out some day, and then everything is accepted.
        let accepted: Vec<_> = wave.iter().map(|_| coins.next().unwrap_or(true)).collect();
        let through = wave.iter().zip(&accepted).filter(|(_, accepted)| **accepted);
        // In reverse, as the order inside a call means nothing.
        taken.extend(through.rev().map(|(&record, _)| record.clone()));
        line.settle(accepted);
    }
    taken
}

/// Returns what a reader sees of each key who drops what it has seen before.
fn seen(taken: impl IntoIterator<Item = Record>) -> BTreeMap<String, Vec<u8>> {
    let mut seen = BTreeMap::<_, Vec<_>>::new();
    for record in taken {
        let of_key = seen.entry(record.partition_key).or_default();
        if !of_key.contains(&record.data[0]) {
            of_key.push(record.data[0]);
        }
    }
    seen
}

proptest! {
    #[test]
    fn rejections_keep_order_and_lose_nothing(
        keys in vec(0..6_u8, 0..60),
        coins in vec(any::<bool>(), 0..200),
    ) {
        let records = records(&keys);
        let taken = publish(&records, &mut coins.into_iter(), usize::MAX);
        prop_assert_eq!(taken.len(), records.len());
        prop_assert_eq!(seen(taken), seen(records));
    }

    #[test]
    fn half_published_batch_is_completed_by_redelivery(
        keys in vec(0..6_u8, 0..60),
        coins in vec(any::<bool>(), 0..200),
        failures in vec(0..20_usize, 0..4),
    ) {
        let records = records(&keys);
        let mut coins = coins.into_iter();
        let mut taken = Vec::new();
        for waves in failures.into_iter().chain([usize::MAX]) {
            taken.extend(publish(&records, &mut coins, waves));
        }
        prop_assert_eq!(seen(taken), seen(records));
    }
}
