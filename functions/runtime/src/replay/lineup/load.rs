//! The size of events: a number and bytes.

use std::{
    iter::Sum,
    ops::{Add, AddAssign, SubAssign},
};

use serde::{Deserialize, Serialize};

/// A number of events and their size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// The number of events.
    pub events: u64,
    /// The approximate size of the events. An event that is not delivered counts as 0.
    pub bytes: u64,
}

impl Add for Load {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { events: self.events + other.events, bytes: self.bytes + other.bytes }
    }
}

impl AddAssign for Load {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Load {
    fn sub_assign(&mut self, other: Self) {
        *self = Self { events: self.events - other.events, bytes: self.bytes - other.bytes };
    }
}

impl Sum for Load {
    fn sum<I: Iterator<Item = Self>>(loads: I) -> Self {
        loads.fold(Self::default(), Add::add)
    }
}
