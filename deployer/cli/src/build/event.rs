//! What a build reports while it runs. It must not know how that is shown.

use std::time::Duration;

/// One thing that happened during a build.
#[derive(Clone, Debug, PartialEq)]
pub enum BuildEvent {
    /// Cargo was called for that many functions.
    Started {
        /// How many functions are wanted.
        functions: usize,
    },
    /// Cargo got further. The counts are cargo's own units of work and include what was
    /// fresh already.
    Compiling {
        /// Units that are done.
        done: usize,
        /// All units of this build.
        total: usize,
        /// The crates being compiled now, such as `tokio, zip`.
        current: String,
    },
    /// A line of cargo or rustc that a person may want to see: a warning, an error, a
    /// download. An error has them all again, in a field.
    Message(String),
    /// Cargo is done, without errors.
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
        /// The binary was the same as in the last build, and so is the zip.
        reused: bool,
    },
}
