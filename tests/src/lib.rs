//! The base of the acceptance tests: their own local cloud, isolated places in it, and the deployer's real
//! binary. It does not test behaviour.

mod calls;
mod cassette;
mod cloud;
mod deployed;
mod faulty;
mod hollow;
mod inventory;
mod likeness;
mod place;
mod proxy;
mod request;
mod rewritten;
mod running;
mod session;
mod storm;
mod tool;
mod trap;
mod trapped;
mod wait;
mod witness;

pub use calls::Call;
pub use cassette::Cassette;
pub use cloud::{Aside, Cloud};
pub use deployed::{Deployed, Record};
pub use faulty::{Faulty, Weather};
pub use hollow::Hollow;
pub use inventory::{Inventory, differences};
pub use place::{Place, Run};
pub use proxy::Proxy;
pub use rewritten::Rewritten;
pub use running::Running;
pub use rustix::process::Signal;
pub use session::{Step, steps};
pub use storm::{Calm, Storm, Written};
pub use tool::Tool;
pub use trap::{Change, Moment, Side};
pub use trapped::Trapped;
pub use wait::until;
pub use witness::{Events, Seen, Witness};
