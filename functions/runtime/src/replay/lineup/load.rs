//! How much something is: what room is measured in.

use std::{
    iter::Sum,
    ops::{Add, AddAssign, SubAssign},
};

use serde::{Deserialize, Serialize};

/// So many events, and their size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// How many they are.
    pub events: u64,
    /// How large they are together, about. What only has its turn has no size.
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
