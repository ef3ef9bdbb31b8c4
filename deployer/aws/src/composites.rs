//! What is made of several resources at once: a Lambda with all that belongs to it, and the alarms
//! and the dashboard of a whole stack.

mod alarms;
mod dashboard;
mod hops;
mod lambda;

pub use hops::{Consumer, Hops};
pub use lambda::{EventSource, Lambda, LambdaDefaults};

use std::collections::BTreeSet;

use engine::stack::Stack;

use crate::Aws;

/// Adds several resources to a stack at once.
pub trait Composites {
    /// Adds a Lambda.
    fn lambda(&mut self, lambda: Lambda) -> &mut Self;

    /// Adds an alarm for each sign of trouble at each hop, telling these topics.
    fn alarms(&mut self, topics: &BTreeSet<String>) -> &mut Self;

    /// Adds a dashboard that shows the way of an event through the stack, and the alarms that
    /// were added before.
    fn dashboard(&mut self) -> &mut Self;
}

impl Composites for Stack<Aws> {
    fn lambda(&mut self, lambda: Lambda) -> &mut Self {
        lambda.add_to(self);
        self
    }

    fn alarms(&mut self, topics: &BTreeSet<String>) -> &mut Self {
        for alarm in alarms::of(self) {
            self.add(alarm.telling(topics));
        }
        self
    }

    fn dashboard(&mut self) -> &mut Self {
        let dashboard = dashboard::of(self);
        self.add(dashboard)
    }
}
