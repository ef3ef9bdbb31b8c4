#![doc = include_str!("../README.md")]
//!
//! # Where to start reading
//!
//! * [`resources`]: the kinds; `resources/log_group.rs` is the one to copy. [`composites`]: several resources
//!   in one value.
//! * [`policy`]: IAM policies, and the permissions of the deploying principal.
//! * [`Target`]: connects to an account; [`Aws`]: the clients, which is the cloud of the engine.
//! * `testing`, a feature: a scripted AWS.

mod calls;
mod classify;
mod clock;
pub mod composites;
mod connect;
mod deployment;
mod endpoint;
mod hint;
mod invoke;
mod log_lines;
mod login;
mod names;
mod pace;
mod package_store;
mod packages;
pub mod policy;
mod read_only;
mod releases;
pub mod resources;
mod sweep;
#[cfg(feature = "testing")]
pub mod testing;
mod wait;

pub use calls::CallLog;
pub use classify::Called;
pub use clock::Clock;
use connect::{ATTEMPTS, CONNECT_WITHIN};
pub use connect::{Caller, Credentials, Target};
pub use deployment::{deployment_bucket, package_permissions, release_permissions};
pub use endpoint::{WrongEndpoint, own_endpoint};
pub use invoke::{NoAnswer, Ran, Repetition, invoke};
pub use log_lines::LogQuery;
pub use login::Login;
pub use names::{AwsNames, arn_part};
pub use packages::{Fingerprints, Package, Packages};
pub use read_only::READS;
pub use read_only::{Noted, ReadOnly};
pub use sweep::Sweep;
pub use wait::wait_until;

use std::sync::Arc;

use engine::error::Error;
use engine::resource::{Cloud, Tags};
use engine::scope::Scope;

use crate::policy::Statement;

/// The clients for the account and region of one environment. Cheap to clone.
#[derive(Clone)]
pub struct Aws {
    /// The environment that owns the resources.
    pub scope: Scope,
    /// CloudWatch metrics and alarms.
    #[cfg(feature = "cloudwatch")]
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// DynamoDB tables.
    #[cfg(feature = "sources")]
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Roles.
    pub iam: aws_sdk_iam::Client,
    /// Kinesis streams.
    #[cfg(feature = "sources")]
    pub kinesis: aws_sdk_kinesis::Client,
    /// Functions and event source mappings.
    pub lambda: aws_sdk_lambda::Client,
    /// CloudWatch log groups.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// Buckets.
    pub s3: aws_sdk_s3::Client,
    /// The identity of the caller.
    pub sts: aws_sdk_sts::Client,
    /// The packages that this run has built.
    pub packages: Packages,
    /// The rate limit for reading logs, shared by the whole process.
    pub(crate) log_reads: pace::Pace,
    /// Listings that many resources share, read once per survey.
    pub sweep: Arc<Sweep>,
}

impl Cloud for Aws {
    type Permission = Statement;

    fn fresh(&self) -> Self {
        Self { sweep: Arc::default(), ..self.clone() }
    }
}

impl Aws {
    /// Accepts a resource that exists already when it is created, if its tags say that this environment owns
    /// it: then an interrupted attempt created it.
    ///
    /// # Errors
    /// Returns the error of the create call if the resource is unmanaged.
    pub(crate) fn adopt(&self, exists: Error, live: Option<&Tags>) -> Result<(), Error> {
        match live {
            Some(tags) if self.scope.owns(tags) => Ok(()),
            _ => Err(exists.hint("it was created meanwhile and is unmanaged: run the command again")),
        }
    }
}
