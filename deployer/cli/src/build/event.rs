//! The events of a build. It must not know how they are displayed.

use std::time::Duration;

/// One event of a build.
#[derive(Clone, Debug, PartialEq)]
pub enum BuildEvent {
    /// Cargo was started for this many functions.
    Started {
        /// The number of functions.
        functions: usize,
    },
    /// Cargo made progress. The counts are cargo's own units of work, including those that were already up to
    /// date.
    Compiling {
        /// The finished units.
        done: usize,
        /// All units of this build.
        total: usize,
        /// The crates being compiled now, such as `tokio, zip`.
        current: String,
    },
    /// A line of cargo or rustc for the user: a warning, an error, a download.
    /// [`BuildError::Compile`](super::BuildError::Compile) has all lines again.
    Message(String),
    /// Cargo finished without errors.
    Compiled {
        /// How long cargo took.
        took: Duration,
    },
    /// One function is packaged.
    Packaged {
        /// The name of the function.
        function: String,
        /// The size of the zip in bytes.
        bytes: usize,
        /// Whether the zip of the last build is used, because the binary did not change.
        reused: bool,
    },
}
