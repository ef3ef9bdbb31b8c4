//! Lanes: many aggregates at once, each in order.
//!
//! Pure. An aggregate has one lane, and a lane has one batch on its way at a time. So the
//! events of an aggregate go one after the other, while others go beside them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use eventsourcing::{AggregateId, Envelope};
use uuid::Uuid;

use super::lineup::Lineup;

/// How many batches are on their way at once.
///
/// Each is an execution of the handler, of the 1,000 that an account has for all its
/// functions at first ("Lambda quotas"). Live events need theirs at the same time.
pub const LANES: usize = 8;
/// How many events a batch has at most: what a mapping delivers at once, too.
pub const MAX_EVENTS: usize = 100;
/// How many bytes of events a batch has at most.
///
/// Lambda takes 6 MB with a synchronous invocation ("Lambda quotas"). The largest event has 1
/// MB, and goes alone if need be.
const MAX_BYTES: usize = 4_500_000;

/// Events that go in one invocation.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// The events, those of one aggregate in their order.
    pub events: Vec<Arc<Envelope>>,
    /// Up to which version each aggregate has gone when the batch has.
    pub through: BTreeMap<AggregateId, u64>,
}

/// Batches by lane.
pub type Lanes = Vec<VecDeque<Batch>>;

/// Returns what may go now as batches of the lanes, each of at most so many events.
pub fn lanes(lineup: &Lineup, most: usize) -> Lanes {
    let mut lanes: Vec<Cut> = (0..LANES).map(|_| Cut::new(most.clamp(1, MAX_EVENTS))).collect();
    for ready in lineup.ready() {
        let lane = &mut lanes[lane(ready.aggregate.uuid())];
        for (version, event) in ready.events {
            lane.add(ready.aggregate, version, event);
        }
    }
    lanes.into_iter().map(Cut::end).collect()
}

/// Returns the lane of an aggregate, the same for each runner.
fn lane(aggregate: Uuid) -> usize {
    // All of the digits: those of a UUID are not equally random.
    let digits = aggregate.as_u128().to_le_bytes();
    digits.iter().fold(0, |sum, &byte| (sum * 31 + usize::from(byte)) % 1_000_003) % LANES
}

/// Events being cut into batches.
struct Cut {
    most: usize,
    bytes: usize,
    batches: VecDeque<Batch>,
}

impl Cut {
    fn new(most: usize) -> Self {
        Self { most, bytes: 0, batches: VecDeque::from([Batch::default()]) }
    }

    fn add(&mut self, aggregate: &AggregateId, version: u64, event: Option<&Arc<Envelope>>) {
        let mut batch = self.batches.pop_back().expect("there is always one to add to");
        if let Some(event) = event {
            let bytes = event.to_bytes().len();
            let full = batch.events.len() == self.most || self.bytes + bytes > MAX_BYTES;
            if full && !batch.events.is_empty() {
                self.batches.push_back(batch);
                (batch, self.bytes) = (Batch::default(), 0);
            }
            self.bytes += bytes;
            batch.events.push(event.clone());
        }
        // What nobody asked for goes with the batch before it, which may be full.
        batch.through.insert(aggregate.clone(), version);
        self.batches.push_back(batch);
    }

    fn end(mut self) -> VecDeque<Batch> {
        self.batches.retain(|batch| !batch.through.is_empty());
        self.batches
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::events::event;

    fn take(lineup: &mut Lineup, event: Envelope, wanted: bool) {
        lineup.take(event.aggregate().expect("it has a name"), event, wanted);
    }

    /// Returns a lineup in which the first versions of some aggregates may go.
    fn lineup(aggregates: u128, versions: u64) -> Lineup {
        let mut lineup = Lineup::default();
        for n in 0..aggregates {
            for version in 1..=versions {
                take(&mut lineup, event(n, version), true);
            }
        }
        lineup
    }

    #[test]
    fn lanes_keep_each_aggregate_in_one_lane_in_order() {
        let lanes = lanes(&lineup(50, 30), MAX_EVENTS);
        let mut places = BTreeMap::<_, Vec<_>>::new();
        for (lane, batches) in lanes.iter().enumerate() {
            for event in batches.iter().flat_map(|batch| &batch.events) {
                places.entry(event.aggregate_id).or_default().push((lane, event.version));
            }
        }
        assert_eq!(places.len(), 50);
        for (aggregate, places) in places {
            let expected: Vec<_> = (1..=30).map(|version| (places[0].0, version)).collect();
            assert_eq!(places, expected, "{aggregate}");
        }
        assert!(lanes.iter().all(|lane| !lane.is_empty()), "fifty aggregates use all lanes");
    }

    #[test]
    fn replay_batch_is_bounded_and_records_progress() {
        let lanes = lanes(&lineup(1, 250), MAX_EVENTS);
        let batches: Vec<_> = lanes.iter().flatten().collect();
        let sizes: Vec<_> = batches.iter().map(|batch| batch.events.len()).collect();
        assert_eq!(sizes, [100, 100, 50]);
        let through: Vec<_> = batches.iter().flat_map(|batch| batch.through.values()).collect();
        assert_eq!(through, [&100, &200, &250]);
    }

    #[test]
    fn unrequested_event_takes_its_turn_undelivered() {
        let mut lineup = Lineup::default();
        for version in 1..=5 {
            take(&mut lineup, event(1, version), version == 3);
        }
        let lanes = lanes(&lineup, MAX_EVENTS);
        let batches: Vec<_> = lanes.iter().flatten().collect();
        assert_eq!(batches.len(), 1);
        let versions: Vec<_> = batches[0].events.iter().map(|event| event.version).collect();
        assert_eq!((versions, batches[0].through.values().next()), (vec![3], Some(&5)));
    }

    #[test]
    fn large_events_make_small_batches() {
        let mut lineup = Lineup::default();
        for version in 1..=9 {
            let mut large = event(1, version);
            large.actor = Some("x".repeat(1_000_000));
            take(&mut lineup, large, true);
        }
        let lanes = lanes(&lineup, MAX_EVENTS);
        let sizes: Vec<_> = lanes.iter().flatten().map(|batch| batch.events.len()).collect();
        assert_eq!(sizes, [4, 4, 1]);
    }
}
