//! Chance: everything that the code under test does not decide, drawn from one seed.
//!
//! A schedule also draws its *weather*: which faults occur in it, and how often. If everything failed in
//! every world, none would get far enough to show the effect of one rare fault. Leaving out most faults in
//! most worlds finds more bugs ("swarm testing").

use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

/// The random numbers of one schedule.
#[derive(Debug)]
pub(crate) struct Chance(Mutex<fastrand::Rng>);

impl Chance {
    /// Returns the random numbers for a seed.
    pub(crate) fn of(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    /// Returns whether an event with this probability, in thousandths, happens.
    pub(crate) fn happens(&self, thousandths: u32) -> bool {
        // Draws nothing for impossible events: most faults are absent in most schedules.
        thousandths > 0 && self.rng().u32(0..1000) < thousandths
    }

    /// Returns a number below `end`, which is not 0.
    pub(crate) fn below(&self, end: usize) -> usize {
        self.rng().usize(0..end)
    }

    /// Returns a number below `end` that is mostly small and sometimes large.
    pub(crate) fn mostly_small(&self, end: usize) -> usize {
        let mut rng = self.rng();
        let shift = rng.u32(0..=usize::BITS - end.leading_zeros());
        rng.usize(0..(1 << shift).min(end).max(1))
    }

    /// Shuffles items.
    pub(crate) fn shuffle<T>(&self, things: &mut [T]) {
        self.rng().shuffle(things);
    }

    /// Returns a new id.
    pub(crate) fn id(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.rng().u128(..).to_be_bytes()).into_uuid()
    }

    fn rng(&self) -> MutexGuard<'_, fastrand::Rng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How often faults occur in one schedule, in thousandths of the occasions.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weather {
    /// The longest duration of a step, in milliseconds.
    pub(crate) slowest_step: usize,
    /// A request is lost on its way.
    pub(crate) lost_requests: u32,
    /// An answer is lost; the request took effect.
    pub(crate) lost_answers: u32,
    /// A request is abandoned, but takes effect later.
    pub(crate) late_requests: u32,
    /// A record of a `PutRecords` call is rejected.
    pub(crate) rejected: u32,
    /// An invocation dies at some step.
    pub(crate) deaths: u32,
    /// An invocation is frozen for a minute or more before it continues.
    pub(crate) freezes: u32,
    /// A mapping loses its checkpoint.
    pub(crate) forgotten: u32,
    /// A stream is resharded when a record arrives.
    pub(crate) resharded: u32,
    /// The clock of an invocation is wrong.
    pub(crate) wrong_clocks: u32,
    /// A reader of the table sees a later commit but not an earlier one.
    pub(crate) torn_reads: u32,
    /// An item or record is written that is not a commit, or that no handler understands.
    pub(crate) poison: u32,
    /// An asynchronous request is delivered twice.
    pub(crate) twice: u32,
}

impl Weather {
    /// Draws the weather of a schedule.
    pub(crate) fn of(chance: &Chance) -> Self {
        // Six of ten faults are absent from a schedule; the others are rare or common.
        let often = |most: usize| match chance.below(10) {
            0..6 => 0,
            6..9 => (chance.below(most / 4) + 1) as u32,
            _ => (chance.below(most) + 1) as u32,
        };
        Self {
            slowest_step: [2, 20, 100, 1000][chance.below(4)],
            lost_requests: often(200),
            lost_answers: often(200),
            late_requests: often(200),
            rejected: often(600),
            deaths: often(500),
            freezes: often(30),
            forgotten: often(400),
            resharded: often(200),
            wrong_clocks: often(1000),
            torn_reads: often(400),
            poison: often(400),
            twice: often(1000),
        }
    }

    /// Returns the same weather without faults.
    pub(crate) fn calm(&self) -> Self {
        Self { slowest_step: self.slowest_step, ..Self::default() }
    }
}
