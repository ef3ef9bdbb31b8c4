//! Changes of a function: one call after another, each finished before the next.

use std::collections::BTreeSet;
use std::time::Duration;

use engine::diff::diff;
use engine::error::Error;
use engine::resource::{Changed, Described, Resource};
use tokio::time::Instant;

use super::{Function, FunctionFieldName, configuration, get, resource_policy};
use crate::resources::lacking::judged;
use crate::{Aws, Called, wait_until};

/// How long a change may take. Without a VPC it takes seconds; Terraform allows five minutes
/// (terraform-provider-aws, internal/service/lambda).
pub(super) const CHANGES_WITHIN: Duration = Duration::from_secs(300);

/// How long a new function may be unknown. Changes usually propagate within a minute.
const KNOWN_WITHIN: Duration = Duration::from_secs(60);

/// The calls that change a function, in order. Lambda accepts one at a time: each has to be finished before
/// the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Call {
    UpdateConfiguration,
    UpdateCode,
    PutConcurrency,
    PutRecursionConfig,
    RemovePermissions,
    /// The field cannot be changed.
    None,
}

impl Call {
    fn that_changes(field: FunctionFieldName) -> Self {
        use FunctionFieldName as Field;
        match field {
            // The architecture changes only together with the code.
            Field::Code | Field::Architecture => Self::UpdateCode,
            Field::ReservedConcurrency => Self::PutConcurrency,
            Field::RecursiveLoop => Self::PutRecursionConfig,
            Field::ResourcePolicy => Self::RemovePermissions,
            Field::Name | Field::PackageType => Self::None,
            Field::Role
            | Field::Runtime
            | Field::Handler
            | Field::MemoryMb
            | Field::TimeoutS
            | Field::Description
            | Field::Environment
            | Field::EphemeralStorageMb
            | Field::Layers
            | Field::Tracing
            | Field::Logging
            | Field::DeadLetterTarget
            | Field::Vpc
            | Field::FileSystems
            | Field::KmsKey
            | Field::SnapStart
            // An update makes Lambda retry the failed change.
            | Field::Failure => Self::UpdateConfiguration,
        }
    }
}

impl FunctionFieldName {
    /// Returns whether a change of this field uploads the code.
    pub fn is_uploaded(self) -> bool {
        Call::that_changes(self) == Call::UpdateCode
    }
}

impl Function {
    /// Changes these fields, unless the function has another revision in the meantime.
    pub(super) async fn put(
        &self,
        live: &Self,
        changed: &Changed<Self>,
        mut revision: Option<&str>,
        aws: &Aws,
    ) -> Result<(), Error> {
        let calls: BTreeSet<Call> = changed.iter().copied().map(Call::that_changes).collect();
        for call in calls {
            match call {
                Call::UpdateConfiguration => {
                    let call = self.to_update(live).function_name(&self.name);
                    // This change creates another revision, so later calls do not send this one.
                    let call = call.set_revision_id(revision.take().map(str::to_owned));
                    let sent = call.send_with(&aws.lambda).await.called();
                    sent.map_err(|error| self.judged(error))?;
                    self.changed(aws).await?;
                }
                Call::UpdateCode => self.upload(revision, aws).await?,
                Call::PutConcurrency => self.reserve_concurrency(aws).await?,
                Call::PutRecursionConfig => self.set_recursive_loop(aws).await?,
                Call::RemovePermissions => {
                    if let (Some(policy), None) = (&live.resource_policy, &self.resource_policy) {
                        resource_policy::remove(&self.name, policy, aws).await?;
                    }
                }
                Call::None => {}
            }
        }
        Ok(())
    }

    /// Fails with this error if the function was changed by others since it was read. An interrupted attempt
    /// of this run also created another revision, but adds no differences to the desired state.
    pub(super) async fn unchanged_since(&self, live: &Self, error: Error, aws: &Aws) -> Result<(), Error> {
        let now = Resource::read(self, aws).await?;
        let differing = |live: &Self| diff(&live.state(), &self.state());
        let before = differing(live);
        match now {
            Some(now) if differing(&now.resource).iter().all(|change| before.contains(change)) => Ok(()),
            _ => Err(error
                .hint("the function was changed in the meantime: run the command again to get a new plan")),
        }
    }

    pub(super) fn judged(&self, error: Error) -> Error {
        let target = self.dead_letter_target.as_deref();
        judged(error, self.granted.as_ref(), target.as_slice())
    }

    /// Uploads the code, then records in the tags what it was built from. After an interruption in between,
    /// the tags do not match the code, and the next run uploads again.
    async fn upload(&self, revision: Option<&str>, aws: &Aws) -> Result<(), Error> {
        let (package, key) = aws.stored_package(&self.binary).await?;
        let call = aws.lambda.update_function_code().function_name(&self.name);
        let call = call.set_revision_id(revision.map(str::to_owned));
        // The architecture changes only together with the code.
        let call = call.architectures(self.architecture.as_str().into());
        let call = call.s3_bucket(aws.deployments()).s3_key(key);
        let updated = call.send().await.called()?;
        package.verify("UpdateFunctionCode", updated.code_sha256())?;
        self.changed(aws).await?;
        self.tag(&self.code.tags(&package.sha256), aws).await
    }

    /// Waits until the last change is finished. It polls GetFunction because AWS allows 100 of these calls a
    /// second, and 15 of almost all other Lambda calls together ("Lambda quotas", Lambda developer guide).
    pub(super) async fn changed(&self, aws: &Aws) -> Result<(), Error> {
        let started = Instant::now();
        wait_until("the function to be Active", CHANGES_WITHIN, async || {
            let Some(function) = get(&self.name, aws).await?.and_then(|answer| answer.configuration) else {
                // A new function is not found everywhere yet.
                if started.elapsed() < KNOWN_WITHIN {
                    return Ok(None);
                }
                return Err(Error::other("GetFunction", format!("{} no longer exists", self.name))
                    .hint("it was deleted in the meantime: run the command again to get a new plan"));
            };
            if let Some(reason) = configuration::failure(&function) {
                return Err(Error::other("GetFunction", format!("the last change failed: {reason}")));
            }
            Ok(configuration::settled(&function).then_some(()))
        })
        .await
    }

    pub(super) async fn reserve_concurrency(&self, aws: &Aws) -> Result<(), Error> {
        match self.reserved_concurrency {
            Some(executions) => {
                let call = aws.lambda.put_function_concurrency().function_name(&self.name);
                let call = call.reserved_concurrent_executions(executions);
                call.send().await.called().map(drop)
            }
            None => {
                let call = aws.lambda.delete_function_concurrency().function_name(&self.name);
                call.send().await.called().map(drop)
            }
        }
    }
}
