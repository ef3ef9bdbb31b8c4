//! What acceptance tests stand on: a local cloud of their own, places in it that cannot see
//! each other, and the deployer's real binary. It asserts nothing about behaviour.

mod cloud;
mod place;
mod wait;

pub use cloud::Cloud;
pub use place::{Place, Run};
pub use wait::until;
