//! The events of starting the local cloud. It must not know how they are displayed.

use std::time::Duration;

/// One event of starting the local cloud.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LocalEvent {
    /// Another deployer is starting or stopping the local cloud; this one waits.
    Waiting,
    /// MiniStack is being installed, once for each version.
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
    /// The running MiniStack does not have the pinned version. It is used anyway, because a restart would
    /// lose everything in it.
    OtherVersion {
        /// The version that runs.
        running: String,
        /// The version pinned by this deployer.
        pinned: &'static str,
    },
}
