//! Shards: what the table's stream and Kinesis have in common.
//!
//! A shard takes the records of a range of keys, in order. It is closed when it is split,
//! merged or renewed; its children take what comes then. Who reads has to have read the
//! parents to their end before the children ("Process records in order", Kinesis developer
//! guide; Lambda does so for both kinds of stream).

use std::ops::Range;

use crate::chance::Chance;

/// The number of keys that there are.
const KEYS: u32 = 1 << 16;

/// All shards there ever were of one stream.
#[derive(Debug)]
pub(crate) struct Shards<R> {
    all: Vec<Shard<R>>,
    prefix: &'static str,
}

/// One shard.
#[derive(Debug)]
pub(crate) struct Shard<R> {
    /// Its name.
    pub(crate) id: String,
    /// The shards, by their place, that have to be read before.
    pub(crate) parents: Vec<usize>,
    /// Whether nothing more will come.
    pub(crate) closed: bool,
    /// What came, in order.
    pub(crate) records: Vec<R>,
    keys: Range<u32>,
}

impl<R> Shards<R> {
    /// Returns the shards of a new stream.
    pub(crate) fn new(prefix: &'static str, count: u32) -> Self {
        let mut shards = Self { all: Vec::new(), prefix };
        let ends: Vec<_> = (0..=count).map(|n| n * KEYS / count).collect();
        for ends in ends.windows(2) {
            shards.open(ends[0]..ends[1], Vec::new());
        }
        shards
    }

    /// Returns all shards.
    pub(crate) fn all(&self) -> &[Shard<R>] {
        &self.all
    }

    /// Adds a record to the shard of its key, and returns which one that is.
    pub(crate) fn push(&mut self, key: &str, record: impl FnOnce(&str) -> R) -> usize {
        let key = place(key, KEYS);
        let of_key = |shard: &Shard<R>| !shard.closed && shard.keys.contains(&key);
        let at = self.all.iter().position(of_key).expect("the open shards have all keys");
        let record = record(&self.all[at].id);
        self.all[at].records.push(record);
        at
    }

    /// Splits a shard, merges two or opens one in place of another; says what it did.
    pub(crate) fn reshard(&mut self, chance: &Chance) -> String {
        let open: Vec<usize> = (0..self.all.len()).filter(|&n| !self.all[n].closed).collect();
        let one = open[chance.below(open.len())];
        let Range { start, end } = self.all[one].keys.clone();
        let neighbour = open.iter().copied().find(|&n| self.all[n].keys.start == end);
        let (parents, children) = match (chance.below(3), neighbour) {
            (0, Some(neighbour)) => (vec![one, neighbour], vec![(start, self.all[neighbour].keys.end)]),
            // Readers of many shards take their time.
            (1, _) if end - start > 1 && open.len() < 5 => {
                let middle = start + (end - start) / 2;
                (vec![one], vec![(start, middle), (middle, end)])
            }
            _ => (vec![one], vec![(start, end)]),
        };
        for &parent in &parents {
            self.all[parent].closed = true;
        }
        let said = format!("{parents:?} become {} from {}", children.len(), self.all.len());
        for (start, end) in children {
            self.open(start..end, parents.clone());
        }
        said
    }

    fn open(&mut self, keys: Range<u32>, parents: Vec<usize>) {
        let id = format!("{}-{:012}", self.prefix, self.all.len());
        self.all.push(Shard { id, parents, closed: false, records: Vec::new(), keys });
    }
}

/// Returns the place of a key among so many: a hash that is the same everywhere.
pub(crate) fn place(key: &str, of: u32) -> u32 {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    // The high bits: the low ones of FNV-1a are the worse mixed.
    ((hash >> 32) as u32) % of
}
