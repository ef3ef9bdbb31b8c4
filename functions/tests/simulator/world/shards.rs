//! Shards, for both the table's stream and Kinesis.
//!
//! A shard contains the records of a range of keys, in order. It is closed when it is split, merged or
//! renewed; its children receive later records. A reader has to read the parents to their end before the
//! children ("Process records in order", Kinesis developer guide; Lambda does so for both kinds of stream).

use std::ops::Range;

use crate::chance::Chance;

/// The number of different keys.
const KEYS: u32 = 1 << 16;

/// All shards of one stream, including closed ones.
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
    /// The parent shards, by position, which have to be read first.
    pub(crate) parents: Vec<usize>,
    /// Whether the shard gets no more records.
    pub(crate) closed: bool,
    /// The records, in order.
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

    /// Adds a record to the shard of its key, and returns the shard's position.
    pub(crate) fn push(&mut self, key: &str, record: impl FnOnce(&str) -> R) -> usize {
        let key = place(key, KEYS);
        let of_key = |shard: &Shard<R>| !shard.closed && shard.keys.contains(&key);
        let at = self.all.iter().position(of_key).expect("the open shards have all keys");
        let record = record(&self.all[at].id);
        self.all[at].records.push(record);
        at
    }

    /// Splits a shard, merges two, or replaces one. Returns a description.
    pub(crate) fn reshard(&mut self, chance: &Chance) -> String {
        let open: Vec<usize> = (0..self.all.len()).filter(|&n| !self.all[n].closed).collect();
        let one = open[chance.below(open.len())];
        let Range { start, end } = self.all[one].keys.clone();
        let neighbour = open.iter().copied().find(|&n| self.all[n].keys.start == end);
        let (parents, children) = match (chance.below(3), neighbour) {
            (0, Some(neighbour)) => (vec![one, neighbour], vec![(start, self.all[neighbour].keys.end)]),
            // Many shards make reading slow.
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

/// Returns the position of a key among `of` positions: a hash that is the same on every machine.
pub(crate) fn place(key: &str, of: u32) -> u32 {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    // The high bits, because the low ones of FNV-1a are mixed less well.
    ((hash >> 32) as u32) % of
}
