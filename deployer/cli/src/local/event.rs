//! What the local cloud reports while it comes up. It must not know how that is shown.

use std::time::Duration;

/// One thing that happened while the local cloud was started.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LocalEvent {
    /// Another deployer is at it; this one waits.
    Waiting,
    /// MiniStack is being installed: once for each version.
    Installing {
        /// The version.
        version: &'static str,
    },
    /// MiniStack is installed.
    Installed {
        /// How long it took.
        took: Duration,
    },
    /// MiniStack is being started.
    Starting {
        /// The port it will listen on.
        port: u16,
    },
    /// MiniStack answers.
    Ready {
        /// How long it took to start.
        took: Duration,
    },
    /// The MiniStack that was found is not of the pinned version. It is used, because a
    /// restart would lose everything in it.
    OtherVersion {
        /// The version that runs.
        running: String,
        /// The version this deployer was made for.
        pinned: &'static str,
    },
}
