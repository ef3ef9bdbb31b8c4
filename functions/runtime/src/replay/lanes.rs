//! Lanes: deliver many aggregates at once, each in order.
//!
//! Pure. An aggregate belongs to one lane, and a lane has one batch in flight at a time. So the events of an
//! aggregate are delivered one after another, while other aggregates are delivered concurrently.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use eventsourcing::{AggregateId, Envelope};
use uuid::Uuid;

use super::lineup::Lineup;

/// How many batches are in flight at once.
///
/// Each is one concurrent execution of the handler. By default, an account has 1,000 of them for all its
/// functions ("Lambda quotas"), and live events need some at the same time.
pub const LANES: usize = 8;
/// The most events in a batch, the same as in a batch of a mapping.
pub const MAX_EVENTS: usize = 100;
/// The most bytes of events in a batch.
///
/// Lambda accepts 6 MB in a synchronous invocation ("Lambda quotas"). The largest event has 1 MB, and is sent
/// alone if necessary.
const MAX_BYTES: usize = 4_500_000;

/// Events that are delivered in one invocation.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// The events, those of one aggregate in their order.
    pub events: Vec<Arc<Envelope>>,
    /// Up to which version each aggregate is delivered, once the batch is.
    pub through: BTreeMap<AggregateId, u64>,
}

/// The batches of each lane.
pub type Lanes = Vec<VecDeque<Batch>>;

/// Returns the events that are ready as batches of the lanes, each with at most this many events.
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

/// Returns the lane of an aggregate; it is the same in each runner.
fn lane(aggregate: Uuid) -> usize {
    // Uses all digits, because those of a UUID are not equally random.
    let digits = aggregate.as_u128().to_le_bytes();
    digits.iter().fold(0, |sum, &byte| (sum * 31 + usize::from(byte)) % 1_000_003) % LANES
}

/// Cuts events into batches.
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
        let mut batch = self.batches.pop_back().expect("there is always a last batch");
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
        // An event that was not requested is added to the current batch, even if that is full: it is not
        // sent.
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
        lineup.take(event.aggregate().expect("the aggregate id is valid"), event, wanted);
    }

    /// Returns a lineup in which the first versions of some aggregates are ready.
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
        assert!(lanes.iter().all(|lane| !lane.is_empty()), "50 aggregates use all lanes");
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
