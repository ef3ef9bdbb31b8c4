//! What is made of several resources at once: a Lambda with all that belongs to it, and the alarms
//! and the dashboard of a whole stack.

#[cfg(feature = "pipeline")]
mod alarms;
#[cfg(feature = "pipeline")]
mod dashboard;
#[cfg(feature = "pipeline")]
mod hops;
mod lambda;

#[cfg(feature = "pipeline")]
pub use hops::{Consumer, Hops};
#[cfg(feature = "sources")]
pub use lambda::EventSource;
pub use lambda::{Lambda, LambdaDefaults};

#[cfg(feature = "pipeline")]
use std::collections::BTreeSet;

use engine::stack::Stack;

use crate::resources::function::Function;
use crate::{Aws, Fingerprints};

/// Adds several resources to a stack at once.
pub trait Composites {
    /// Adds a Lambda.
    fn lambda(&mut self, lambda: Lambda) -> &mut Self;

    /// Sets what the functions are made of, which is known only when their sources were read.
    fn fingerprint_functions(&mut self, fingerprints: &Fingerprints);

    /// Adds an alarm for each sign of trouble at each hop, telling these topics.
    #[cfg(feature = "pipeline")]
    fn alarms(&mut self, topics: &BTreeSet<String>) -> &mut Self;

    /// Adds a dashboard that shows the way of an event through the stack, and the alarms that
    /// were added before.
    #[cfg(feature = "pipeline")]
    fn dashboard(&mut self) -> &mut Self;
}

impl Composites for Stack<Aws> {
    fn lambda(&mut self, lambda: Lambda) -> &mut Self {
        lambda.add_to(self);
        self
    }

    fn fingerprint_functions(&mut self, fingerprints: &Fingerprints) {
        for function in self.of_kind_mut::<Function>() {
            let fingerprint = fingerprints.of(function.binary());
            function.set_fingerprint(fingerprint);
        }
    }

    #[cfg(feature = "pipeline")]
    fn alarms(&mut self, topics: &BTreeSet<String>) -> &mut Self {
        for alarm in alarms::of(self) {
            self.add(alarm.telling(topics));
        }
        self
    }

    #[cfg(feature = "pipeline")]
    fn dashboard(&mut self) -> &mut Self {
        let dashboard = dashboard::of(self);
        self.add(dashboard)
    }
}
