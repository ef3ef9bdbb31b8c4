//! The kinds of AWS things that a stack can have: one file each, one line each below.

pub mod alarm;
pub mod bucket;
pub mod dashboard;
pub mod function;
mod grant;
mod key;
mod lacking;
mod lint;
pub mod log_group;
pub mod mapping;
mod newborn;
pub mod role;
mod sid;
pub mod stream;
pub mod table;

use engine::resource::Kind;
pub use grant::Grant;
pub use key::Keys;

use crate::aws::Aws;

/// Returns every kind. What is not listed here is neither found nor deleted.
pub fn kinds() -> Vec<Kind<Aws>> {
    vec![
        Kind::of::<alarm::Alarm>(),
        Kind::of::<bucket::Bucket>(),
        Kind::of::<dashboard::Dashboard>(),
        Kind::of::<function::Function>(),
        Kind::of::<log_group::LogGroup>(),
        Kind::of::<mapping::Mapping>(),
        Kind::of::<role::Role>(),
        Kind::of::<stream::Stream>(),
        Kind::of::<table::Table>(),
    ]
}
