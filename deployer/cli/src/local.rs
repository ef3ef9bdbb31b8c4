//! The local cloud: installs, starts, finds and stops one pinned MiniStack on a port of this machine. It
//! knows Python, processes and ports; it must not know the deployed resources or the AWS SDK.

mod cloud;
mod error;
mod event;
mod http;
mod install;
mod process;
mod python;
mod state;
mod status;

pub use cloud::LocalCloud;
pub use error::LocalError;
pub use event::LocalEvent;
pub use install::VERSION;
pub use status::{LocalStatus, Running, Stopped};
