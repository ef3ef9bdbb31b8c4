//! Builders for the settings that few functions need: tracing, logs, storage, layers, network, dead letters.

use std::collections::BTreeSet;

use super::Function;
use super::configuration::Vpc;

impl Function {
    /// Returns the function with this mode of X-Ray tracing: `Active` traces a sample of the invocations,
    /// `PassThrough` only those that the caller traces.
    pub fn tracing(mut self, mode: impl Into<String>) -> Self {
        self.tracing = mode.into();
        self
    }

    /// Returns the function with this format of Lambda's own log lines: `Text` or `JSON`. With `JSON`, Lambda
    /// drops lines below a level, `INFO` by default; lines of the function that have no level are kept
    /// ("Configuring JSON and plain text log formats", Lambda developer guide).
    pub fn log_format(mut self, format: impl Into<String>) -> Self {
        self.logging = self.logging.in_format(format.into());
        self
    }

    /// Returns the function with these lowest levels of log lines, where they are given: of the function's
    /// own lines, `TRACE` to `FATAL`; and of Lambda's lines, `DEBUG` to `WARN`. They require the format
    /// `JSON`.
    pub fn log_levels(mut self, application: Option<String>, system: Option<String>) -> Self {
        self.logging = self.logging.with_levels(application, system);
        self
    }

    /// Returns the function with this much space in `/tmp`, in MB.
    pub fn ephemeral_storage_mb(mut self, size_mb: i32) -> Self {
        self.ephemeral_storage_mb = size_mb;
        self
    }

    /// Returns the function with these layers: ARNs of layer versions, in the order in which Lambda applies
    /// them.
    pub fn layers(mut self, arns: impl IntoIterator<Item = String>) -> Self {
        self.layers = arns.into_iter().collect();
        self
    }

    /// Returns the function in these subnets of a VPC, by id. It also needs [security
    /// groups](Self::security_groups).
    pub fn subnets(self, ids: impl IntoIterator<Item = String>) -> Self {
        let subnets = ids.into_iter().collect();
        self.with_vpc(|vpc| vpc.subnets = subnets)
    }

    /// Returns the function with these security groups in its VPC, by id. It also needs
    /// [subnets](Self::subnets).
    pub fn security_groups(self, ids: impl IntoIterator<Item = String>) -> Self {
        let groups: BTreeSet<String> = ids.into_iter().collect();
        self.with_vpc(|vpc| vpc.security_groups = groups)
    }

    fn with_vpc(mut self, change: impl FnOnce(&mut Vpc)) -> Self {
        let mut vpc = self.vpc.unwrap_or_default();
        change(&mut vpc);
        self.vpc = (vpc != Vpc::default()).then_some(vpc);
        self
    }

    /// Returns the function whose failed asynchronous invocations Lambda sends to the queue or topic of this
    /// ARN.
    pub fn dead_letter_target(mut self, arn: impl Into<String>) -> Self {
        self.dead_letter_target = Some(arn.into());
        self
    }
}
