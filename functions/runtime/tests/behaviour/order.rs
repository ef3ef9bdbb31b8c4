//! Waves keep order with any rejections, and with batches that are delivered again after a part was
//! published.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};
use storage::waves::{Record, Waves};

/// Returns a record for each key; the data is its number among the records of the key.
fn records(keys: &[u8]) -> Vec<Record> {
    let mut counts = [0_u8; 256];
    let record = |&key: &u8| {
        counts[usize::from(key)] += 1;
        Record { partition_key: key.to_string(), data: vec![counts[usize::from(key)]] }
    };
    keys.iter().map(record).collect()
}

/// Publishes at most `waves` waves; a coin decides for each record whether it is accepted.
fn publish(records: &[Record], coins: &mut impl Iterator<Item = bool>, waves: usize) -> Vec<Record> {
    let mut line = Waves::of(records.to_vec());
    let mut taken = Vec::new();
    for _ in 0..waves {
        let wave = line.next();
        if wave.is_empty() {
            break;
        }
        // When there are no more coins, everything is accepted.
        let accepted: Vec<_> = wave.iter().map(|_| coins.next().unwrap_or(true)).collect();
        let through = wave.iter().zip(&accepted).filter(|(_, accepted)| **accepted);
        // In reverse, because Kinesis promises no order within a call.
        taken.extend(through.rev().map(|(&record, _)| record.clone()));
        line.settle(accepted);
    }
    taken
}

/// Returns what a reader sees of each key if it drops repeated records.
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
