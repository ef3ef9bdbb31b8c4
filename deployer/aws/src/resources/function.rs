//! A Lambda function: its configuration, its code and its resource policy.
//!
//! Not compared, because each needs one more call on every read: aliases, versions, code signing, the pinned
//! runtime, settings of asynchronous invocations; and recursion, unless the function is meant to invoke
//! itself. The URL of a function is a resource of its own.

mod changes;
mod code;
mod configuration;
mod mistakes;
mod permissions;
mod recursion;
mod resource_policy;
mod role_permissions;
mod secret;
mod settings;

pub use code::{Code, deployed_package};
pub use configuration::{Logging, Vpc};
pub use secret::Secret;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::types::{FunctionCode, RecursiveLoop, State};
use engine::error::{Class, Error, GoneIsNone};
use engine::resource::{
    Changed, Effect, ImportId, KindInfo, LeftOut, Live, Neighbours, Resource, ResourceId, Risk, Tags, changed,
};
use engine::scope::Scope;
use futures::try_join;
use serde::{Deserialize, Serialize};
use struct_to_enum::FieldName;

use self::changes::CHANGES_WITHIN;
use crate::policy::{Policy, Statement};
use crate::resources::Grant;
use crate::resources::existing::Existing;
use crate::resources::sid::sid;
use crate::{Aws, AwsNames, Called, wait_until};

const A_CALL_EACH: &str = "one more call per function on every read, and Lambda allows 15 a second in total";

/// A function.
#[derive(Debug, Clone, Serialize, FieldName)]
#[stem_name_derive(PartialOrd, Ord, Deserialize)]
#[stem_name_attr(serde(rename_all = "snake_case"))]
#[stem_name_attr(expect(missing_docs, reason = "the fields have them"))]
pub struct Function {
    name: String,
    #[serde(skip)]
    #[stem_name(skip)]
    arn: String,
    /// The name of the binary with the code.
    #[serde(skip)]
    #[stem_name(skip)]
    binary: String,
    #[serde(skip)]
    #[stem_name(skip)]
    needs: Vec<ResourceId>,
    #[serde(skip)]
    #[stem_name(skip)]
    existing: BTreeSet<Existing>,
    /// The policy of the role. It distinguishes a missing permission from one that has not propagated yet.
    #[serde(skip)]
    #[stem_name(skip)]
    granted: Option<Policy>,
    /// The live revision; nothing while a change is in progress, whose end creates another revision.
    #[serde(skip)]
    #[stem_name(skip)]
    revision: Option<String>,
    /// ARN of the execution role.
    role: String,
    /// `Zip` or `Image`; fixed at creation.
    package_type: String,
    runtime: String,
    handler: String,
    architecture: String,
    memory_mb: i32,
    timeout_s: i32,
    description: String,
    environment: BTreeMap<String, Secret>,
    ephemeral_storage_mb: i32,
    /// ARNs of layer versions, in the order in which Lambda applies them.
    layers: Vec<String>,
    /// `PassThrough` or `Active`.
    tracing: String,
    logging: Logging,
    /// ARN of the queue or topic for failed asynchronous invocations.
    dead_letter_target: Option<String>,
    vpc: Option<Vpc>,
    /// ARNs of file systems by the path they are mounted at.
    file_systems: BTreeMap<String, String>,
    /// ARN of the key that encrypts the environment; nothing means Lambda's own key.
    kms_key: Option<String>,
    /// `None` or `PublishedVersions`.
    snap_start: String,
    /// Reserved concurrency, which is also the limit; nothing means no reservation and no limit.
    reserved_concurrency: Option<i32>,
    /// `Allow` for a function that may invoke itself without limit; nothing for other functions.
    recursive_loop: Option<String>,
    /// Permissions of others to invoke or change the function; none in the stack.
    resource_policy: Option<Policy>,
    code: Code,
    /// Why Lambda could not apply the last change. Never desired: such a function runs with old settings, or
    /// not at all.
    failure: Option<String>,
    /// Mistakes of the stack that only the builder can see.
    #[serde(skip)]
    #[stem_name(skip)]
    built_wrong: Vec<String>,
}

impl Function {
    /// Returns the function with a mistake of the stack that only its builder can see.
    pub(crate) fn with_mistake(mut self, mistake: String) -> Self {
        self.built_wrong.push(mistake);
        self
    }

    /// Returns the function for `thing` with the binary of the same name and this role, created after
    /// `needs`. All other settings are AWS's defaults.
    pub fn new(scope: &Scope, thing: &str, role_arn: impl Into<String>, needs: Vec<ResourceId>) -> Self {
        let name = scope.name(thing);
        Self {
            arn: scope.arn("lambda", &format!("function:{name}")),
            binary: thing.to_owned(),
            needs,
            existing: BTreeSet::new(),
            granted: None,
            revision: None,
            role: role_arn.into(),
            package_type: "Zip".into(),
            runtime: "provided.al2023".into(),
            handler: "bootstrap".into(),
            architecture: "x86_64".into(),
            memory_mb: 128,
            timeout_s: 3,
            description: String::new(),
            environment: BTreeMap::new(),
            ephemeral_storage_mb: 512,
            layers: Vec::new(),
            tracing: "PassThrough".into(),
            logging: Logging::text(&name),
            dead_letter_target: None,
            vpc: None,
            file_systems: BTreeMap::new(),
            kms_key: None,
            snap_start: "None".into(),
            reserved_concurrency: None,
            recursive_loop: None,
            resource_policy: None,
            code: Code::from_sources(String::new()),
            failure: None,
            built_wrong: Vec::new(),
            name,
        }
    }

    /// Returns the function built from sources with this fingerprint.
    pub fn fingerprint(mut self, fingerprint: impl Into<String>) -> Self {
        self.code = Code::from_sources(fingerprint.into());
        self
    }

    /// Sets the fingerprint of the sources, if it is known later than the function.
    pub(crate) fn set_fingerprint(&mut self, fingerprint: String) {
        self.code = Code::from_sources(fingerprint);
    }

    /// Returns the timeout of an invocation.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s.unsigned_abs().into())
    }

    /// Returns the function on this architecture: `x86_64` or `arm64`.
    pub fn architecture(mut self, architecture: impl Into<String>) -> Self {
        self.architecture = architecture.into();
        self
    }

    /// Returns the function with this memory, and processor time in proportion.
    pub fn memory_mb(mut self, memory_mb: i32) -> Self {
        self.memory_mb = memory_mb;
        self
    }

    /// Returns the function with this memory, if it has less.
    pub fn at_least_memory_mb(self, least: i32) -> Self {
        let memory_mb = self.memory_mb.max(least);
        self.memory_mb(memory_mb)
    }

    /// Returns the function with this timeout for an invocation.
    pub fn timeout_s(mut self, timeout_s: i32) -> Self {
        self.timeout_s = timeout_s;
        self
    }

    /// Returns the function with this description.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Returns the function with these environment variables added.
    pub fn environment(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name, Secret::new(value)));
        self.environment.extend(variables);
        self
    }

    /// Returns the function whose environment is encrypted with the KMS key of this ARN.
    pub fn encrypted_with(mut self, key: Option<String>) -> Self {
        self.kms_key = key;
        self
    }

    /// Returns the function that is created and changed only after these functions.
    pub fn after<'a>(mut self, others: impl IntoIterator<Item = &'a Self>) -> Self {
        self.needs.extend(others.into_iter().map(|other| ResourceId::new(Self::KIND, &other.name)));
        self
    }

    /// Returns the function that is created and changed only after this resource.
    pub(crate) fn needing(mut self, resource: ResourceId) -> Self {
        self.needs.push(resource);
        self
    }

    /// Returns the function that uses this resource outside the stack.
    pub(crate) fn using(mut self, existing: Existing) -> Self {
        self.existing.insert(existing);
        self
    }

    /// Returns the resources outside the stack that the function uses.
    pub(crate) fn existing(&self) -> &BTreeSet<Existing> {
        &self.existing
    }

    /// Returns the function whose role has this policy.
    pub fn granted(mut self, policy: &Policy) -> Self {
        self.granted = Some(policy.clone());
        self
    }

    /// Returns the function with this reserved concurrency.
    pub fn reserved_concurrency(mut self, executions: Option<i32>) -> Self {
        self.reserved_concurrency = executions;
        self
    }

    /// Returns the reserved concurrency, which is also the limit.
    #[cfg(feature = "sources")]
    pub(super) fn executions(&self) -> Option<i32> {
        self.reserved_concurrency
    }

    /// Returns whether the function is paused: it has no executions.
    pub fn is_paused(&self) -> bool {
        self.reserved_concurrency == Some(0)
    }

    /// Returns the function that may invoke itself without limit.
    pub fn recursive(mut self) -> Self {
        self.recursive_loop = Some(RecursiveLoop::Allow.as_str().to_owned());
        self
    }

    /// Grants invoking the function, synchronously or asynchronously.
    pub fn invoke(&self) -> Grant {
        let name = sid(&["invoke", &self.binary]);
        let statement = Statement::new(name, ["lambda:InvokeFunction"], [self.arn.clone()]);
        Grant::own::<Self>(&self.name, statement)
    }

    /// Returns the name of the binary with the code.
    pub fn binary(&self) -> &str {
        &self.binary
    }

    /// Returns the ARN.
    pub fn arn(&self) -> &str {
        &self.arn
    }
}

impl Resource for Function {
    type Cloud = Aws;
    type Field = FunctionFieldName;
    const INFO: KindInfo = KindInfo {
        // Functions write to the last three until they are deleted.
        depends_on: &["iam.role", "logs.log-group", "dynamodb.table", "kinesis.stream", "s3.bucket"],
        left_out: &[
            LeftOut { what: "aliases and versions", why: A_CALL_EACH },
            LeftOut { what: "provisioned concurrency", why: A_CALL_EACH },
            LeftOut { what: "asynchronous invocations", why: A_CALL_EACH },
            LeftOut { what: "code signing", why: A_CALL_EACH },
            LeftOut {
                what: "pinned runtime, recursion unless the function invokes itself",
                why: A_CALL_EACH,
            },
        ],
        ..KindInfo::new("lambda.function")
    };

    fn name(&self) -> &str {
        &self.name
    }

    fn needs(&self) -> Vec<ResourceId> {
        self.needs.clone()
    }

    fn arn(&self) -> Option<&str> {
        Some(&self.arn)
    }

    fn import_ids(&self) -> Vec<ImportId> {
        let permissions =
            self.resource_policy.iter().flat_map(resource_policy::statement_ids).map(|statement| {
                let id = format!("{}/{statement}", self.name);
                ImportId::new("aws_lambda_permission", id).of_part(statement)
            });
        let recursion = self.recursive_loop.as_ref();
        let recursion = recursion.map(|_| ImportId::new("aws_lambda_function_recursion_config", &self.name));
        let function = ImportId::new("aws_lambda_function", &self.name);
        [function].into_iter().chain(recursion).chain(permissions).collect()
    }

    fn effect(&self, field: FunctionFieldName, _live: &Self) -> Effect {
        match field {
            FunctionFieldName::PackageType => Effect::Refuse(
                "a function's package type cannot be changed: delete the function, then run `up`",
            ),
            // Without executions, the function cannot be invoked.
            FunctionFieldName::ReservedConcurrency if self.reserved_concurrency == Some(0) => {
                Effect::InPlace(Risk::Interrupts)
            }
            _ => Effect::InPlace(Risk::Safe),
        }
    }

    fn mistakes(&self, _stack: &Neighbours<'_>) -> Vec<String> {
        [self.refused(), self.built_wrong.clone()].concat()
    }

    fn permissions(scope: &Scope) -> Vec<Statement> {
        permissions::permissions(scope)
    }

    async fn read(&self, aws: &Aws) -> Result<Option<Live<Self>>, Error> {
        let (answer, policy, recursive_loop) = try_join!(
            get(&self.name, aws),
            resource_policy::read(&self.name, aws),
            self.read_recursive_loop(aws)
        )?;
        // A function that is being deleted counts as absent.
        let state = |answer: &GetFunctionOutput| {
            answer.configuration.as_ref().and_then(|function| function.state.clone())
        };
        let answer = answer.filter(|answer| state(answer) != Some(State::Deleting));
        let Some(answer) = answer else { return Ok(None) };
        let mut live = self.live(answer, policy)?;
        live.resource.recursive_loop = recursive_loop;
        Ok(Some(live))
    }

    async fn create(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        let (package, key) = aws.stored_package(&self.binary).await?;
        let code = FunctionCode::builder().s3_bucket(aws.deployments()).s3_key(key);
        let code = code.build();
        let tags = tags.clone().into_iter().chain(self.code.tags(&package.sha256));
        let call = self.to_create().code(code).set_tags(Some(tags.collect()));
        match call.send_with(&aws.lambda).await.called() {
            Err(error) if error.class == Class::Exists => {
                let Some(live) = Resource::read(self, aws).await? else {
                    // It is being deleted, or was created a moment ago.
                    return Err(Error { class: Class::InProgress, ..error });
                };
                aws.adopt(error, live.tags.as_ref())?;
                self.changed(aws).await?;
                // The interrupted attempt may have used an earlier configuration.
                return self.update(&live.resource, &changed(&live.resource, self), aws).await;
            }
            created => {
                let created = created.map_err(|error| self.judged(error))?;
                package.verify("CreateFunction", created.code_sha256())?;
            }
        }
        self.changed(aws).await?;
        if self.reserved_concurrency.is_some() {
            self.reserve_concurrency(aws).await?;
        }
        self.set_recursive_loop(aws).await
    }

    async fn ready(&self, aws: &Aws) -> Result<(), Error> {
        self.changed(aws).await
    }

    async fn update(&self, live: &Self, changed: &Changed<Self>, aws: &Aws) -> Result<(), Error> {
        match self.put(live, changed, live.revision.as_deref(), aws).await {
            Err(error) if error.code.as_deref() == Some("PreconditionFailedException") => {
                self.unchanged_since(live, error, aws).await?;
                self.put(live, changed, None, aws).await
            }
            put => put,
        }
    }

    async fn tag(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        let call = aws.lambda.tag_resource().resource(&self.arn);
        let call = call.set_tags(Some(tags.clone().into_iter().collect()));
        call.send().await.called().map(drop)
    }

    async fn delete(name: &str, aws: &Aws) -> Result<(), Error> {
        let call = aws.lambda.delete_function().function_name(name);
        call.send().await.called().gone_is_none()?;
        wait_until("the function to be deleted", CHANGES_WITHIN, async || {
            Ok(get(name, aws).await?.is_none().then_some(()))
        })
        .await
    }

    async fn activity(_name: &str, _aws: &Aws) -> Result<Option<&'static str>, Error> {
        Ok(Some("can still be invoked"))
    }

    async fn list(scope: &Scope, aws: &Aws) -> Result<Vec<String>, Error> {
        let functions = aws.lambda.list_functions().into_paginator().items();
        let functions = functions.send().try_collect().await.called()?;
        let names = functions.into_iter().filter_map(|function| function.function_name);
        Ok(names.filter(|name| name.starts_with(&scope.prefix())).collect())
    }

    async fn tags(name: &str, aws: &Aws) -> Result<Option<Tags>, Error> {
        get(name, aws).await?.map(|answer| tags_of(&answer)).transpose()
    }
}

async fn get(name: &str, aws: &Aws) -> Result<Option<GetFunctionOutput>, Error> {
    let call = aws.lambda.get_function().function_name(name);
    call.send().await.called().gone_is_none()
}

/// Returns the tags. Fails if the answer says that they could not be read.
fn tags_of(answer: &GetFunctionOutput) -> Result<Tags, Error> {
    if let Some(error) = answer.tags_error() {
        return Err(Error::other("GetFunction", format!("the tags could not be read: {}", error.message())));
    }
    Ok(answer.tags.clone().unwrap_or_default().into_iter().collect())
}

#[cfg(test)]
mod tests;
