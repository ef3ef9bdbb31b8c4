//! Conversion of a function's configuration from and to the SDK, without calls. A setting that AWS omits has
//! its default, which is filled in here.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_lambda::operation::create_function::builders::CreateFunctionInputBuilder;
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::operation::update_function_configuration::builders::UpdateFunctionConfigurationInputBuilder;
use aws_sdk_lambda::types::{
    DeadLetterConfig, Environment, EnvironmentResponse, EphemeralStorage, FileSystemConfig,
    FunctionConfiguration, LastUpdateStatus, LoggingConfig, SnapStart, State, TracingConfig, VpcConfig,
    VpcConfigResponse,
};
use engine::error::Error;
use engine::resource::Live;
use serde::Serialize;

use super::{Code, Function, Secret, tags_of};
use crate::policy::Policy;
use crate::resources::lint;

const APPLICATION_LEVELS: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const SYSTEM_LEVELS: [&str; 3] = ["DEBUG", "INFO", "WARN"];

/// The log settings of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Logging {
    /// `Text` or `JSON`.
    format: String,
    /// The log group.
    group: String,
    /// The lowest level of the function's own log lines; only with `JSON`.
    application_level: Option<String>,
    /// The lowest level of Lambda's log lines; only with `JSON`.
    system_level: Option<String>,
}

impl Logging {
    /// Returns Lambda's default for this function.
    pub(super) fn text(function: &str) -> Self {
        Self {
            format: "Text".into(),
            group: format!("/aws/lambda/{function}"),
            application_level: None,
            system_level: None,
        }
    }

    /// Returns the settings with this format, and with the levels that Lambda gives it.
    pub(super) fn in_format(self, format: String) -> Self {
        let level = (format == "JSON").then(|| "INFO".to_owned());
        Self { format, application_level: level.clone(), system_level: level, ..self }
    }

    /// Returns the settings with those of these levels that are given.
    pub(super) fn with_levels(self, application: Option<String>, system: Option<String>) -> Self {
        let application_level = application.or(self.application_level);
        Self { application_level, system_level: system.or(self.system_level), ..self }
    }

    /// Returns the settings that Lambda rejects ("LoggingConfig", Lambda API reference).
    pub(super) fn mistakes(&self) -> Vec<String> {
        let levels = [
            ("`application_log_level`", &self.application_level, &APPLICATION_LEVELS[..]),
            ("`system_log_level`", &self.system_level, &SYSTEM_LEVELS[..]),
        ];
        let mut mistakes: Vec<String> =
            lint::one_of("the log format", &self.format, &["Text", "JSON"]).into_iter().collect();
        for (what, level, known) in levels {
            let Some(level) = level else { continue };
            mistakes.extend(lint::one_of(what, level, known));
            if self.format == "Text" {
                mistakes.push(format!("{what} requires a `log_format` of JSON"));
            }
        }
        mistakes
    }

    fn from_live(function: &str, live: Option<LoggingConfig>) -> Self {
        let default = Self::text(function);
        let Some(live) = live else {
            return default;
        };
        Self {
            format: live.log_format.map_or(default.format, |format| format.as_str().to_owned()),
            group: live.log_group.unwrap_or(default.group),
            application_level: live.application_log_level.map(|level| level.as_str().to_owned()),
            system_level: live.system_log_level.map(|level| level.as_str().to_owned()),
        }
    }

    fn to_sdk(&self) -> LoggingConfig {
        LoggingConfig::builder()
            .log_format(self.format.as_str().into())
            .log_group(&self.group)
            .set_application_log_level(self.application_level.as_deref().map(Into::into))
            .set_system_log_level(self.system_level.as_deref().map(Into::into))
            .build()
    }
}

const MOST_SUBNETS: usize = 16;
const MOST_SECURITY_GROUPS: usize = 5;

/// The private network that a function is in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Vpc {
    pub(super) subnets: BTreeSet<String>,
    pub(super) security_groups: BTreeSet<String>,
}

impl Vpc {
    /// Returns the settings that Lambda rejects ("VpcConfig", Lambda API reference).
    pub(super) fn mistakes(&self) -> Vec<String> {
        let parts = [
            ("subnets", "security_groups", &self.subnets, MOST_SUBNETS),
            ("security_groups", "subnets", &self.security_groups, MOST_SECURITY_GROUPS),
        ];
        let wrong = |(what, other, ids, most): (&str, &str, &BTreeSet<String>, usize)| match ids.len() {
            0 => Some(format!(
                "without `{what}`, a function cannot have `{other}`: set both for a VPC, or leave both empty"
            )),
            many if many > most => {
                Some(format!("a function can have at most {most} `{what}`, but has {many}"))
            }
            _ => None,
        };
        parts.into_iter().filter_map(wrong).collect()
    }

    /// Returns the VPC. Without one, AWS answers with nothing or with empty lists.
    fn from_live(live: Option<VpcConfigResponse>) -> Option<Self> {
        let live = live?;
        let vpc = Self {
            subnets: live.subnet_ids.unwrap_or_default().into_iter().collect(),
            security_groups: live.security_group_ids.unwrap_or_default().into_iter().collect(),
        };
        (vpc != Self::default()).then_some(vpc)
    }

    fn to_sdk(&self) -> VpcConfig {
        VpcConfig::builder()
            .set_subnet_ids(Some(self.subnets.iter().cloned().collect()))
            .set_security_group_ids(Some(self.security_groups.iter().cloned().collect()))
            .build()
    }
}

impl Function {
    /// Converts AWS's answer to a resource with its tags.
    pub(super) fn live(
        &self,
        answer: GetFunctionOutput,
        resource_policy: Option<Policy>,
    ) -> Result<Live<Self>, Error> {
        let tags = tags_of(&answer)?;
        let Some(live) = answer.configuration else {
            let name = &self.name;
            return Err(Error::other(
                "GetFunction",
                format!("the answer for {name} contains no configuration"),
            ));
        };
        let resource = Self {
            name: self.name.clone(),
            arn: self.arn.clone(),
            binary: self.binary.clone(),
            needs: self.needs.clone(),
            existing: self.existing.clone(),
            granted: self.granted.clone(),
            // A change in progress creates another revision when it ends.
            revision: live.revision_id.clone().filter(|_| settled(&live)),
            code: Code::from_live(&tags, live.code_sha256().unwrap_or_default()),
            failure: failure(&live),
            built_wrong: Vec::new(),
            role: live.role.unwrap_or_default(),
            package_type: live.package_type.map_or_else(|| "Zip".into(), |kind| kind.as_str().to_owned()),
            runtime: live.runtime.map_or_else(String::new, |runtime| runtime.as_str().to_owned()),
            handler: live.handler.unwrap_or_default(),
            architecture: live
                .architectures
                .and_then(|architectures| architectures.into_iter().next())
                .map_or_else(|| "x86_64".into(), |architecture| architecture.as_str().to_owned()),
            memory_mb: live.memory_size.unwrap_or(128),
            timeout_s: live.timeout.unwrap_or(3),
            description: live.description.unwrap_or_default(),
            environment: environment_of(live.environment)?,
            ephemeral_storage_mb: live.ephemeral_storage.map_or(512, |storage| storage.size),
            layers: live.layers.unwrap_or_default().into_iter().filter_map(|layer| layer.arn).collect(),
            tracing: live
                .tracing_config
                .and_then(|tracing| tracing.mode)
                .map_or_else(|| "PassThrough".into(), |mode| mode.as_str().to_owned()),
            logging: Logging::from_live(&self.name, live.logging_config),
            dead_letter_target: live.dead_letter_config.and_then(|config| given(config.target_arn)),
            vpc: Vpc::from_live(live.vpc_config),
            file_systems: live
                .file_system_configs
                .unwrap_or_default()
                .into_iter()
                .map(|system| (system.local_mount_path, system.arn))
                .collect(),
            kms_key: given(live.kms_key_arn),
            snap_start: live
                .snap_start
                .and_then(|snap_start| snap_start.apply_on)
                .map_or_else(|| "None".into(), |apply_on| apply_on.as_str().to_owned()),
            reserved_concurrency: answer
                .concurrency
                .and_then(|concurrency| concurrency.reserved_concurrent_executions),
            // Read by another call, for functions that invoke themselves.
            recursive_loop: None,
            resource_policy,
        };
        Ok(Live { resource, tags: Some(tags), identity: None })
    }

    /// Returns the call that creates the function, without code and tags.
    pub(super) fn to_create(&self) -> CreateFunctionInputBuilder {
        CreateFunctionInputBuilder::default()
            .function_name(&self.name)
            .role(&self.role)
            .package_type(self.package_type.as_str().into())
            .runtime(self.runtime.as_str().into())
            .handler(&self.handler)
            .architectures(self.architecture.as_str().into())
            .memory_size(self.memory_mb)
            .timeout(self.timeout_s)
            .description(&self.description)
            .environment(self.environment_to_sdk())
            .ephemeral_storage(ephemeral_storage(self.ephemeral_storage_mb))
            .set_layers(Some(self.layers.clone()))
            .tracing_config(TracingConfig::builder().mode(self.tracing.as_str().into()).build())
            .logging_config(self.logging.to_sdk())
            .set_dead_letter_config(self.dead_letter_target.as_deref().map(dead_letters_to))
            .set_vpc_config(self.vpc.as_ref().map(Vpc::to_sdk))
            .set_file_system_configs(Some(self.file_systems_to_sdk()).filter(|systems| !systems.is_empty()))
            .set_kms_key_arn(self.kms_key.clone())
            .set_snap_start((self.snap_start != "None").then(|| self.snap_start_to_sdk()))
    }

    /// Returns the call that changes the settings that differ, without a name. An omitted setting does not
    /// change, so a setting to clear is sent as the value that resets it.
    pub(super) fn to_update(&self, live: &Self) -> UpdateFunctionConfigurationInputBuilder {
        UpdateFunctionConfigurationInputBuilder::default()
            .set_role((live.role != self.role).then(|| self.role.clone()))
            .set_runtime((live.runtime != self.runtime).then(|| self.runtime.as_str().into()))
            .set_handler((live.handler != self.handler).then(|| self.handler.clone()))
            .set_memory_size((live.memory_mb != self.memory_mb).then_some(self.memory_mb))
            .set_timeout((live.timeout_s != self.timeout_s).then_some(self.timeout_s))
            .set_description((live.description != self.description).then(|| self.description.clone()))
            .set_environment((live.environment != self.environment).then(|| self.environment_to_sdk()))
            .set_ephemeral_storage(
                (live.ephemeral_storage_mb != self.ephemeral_storage_mb)
                    .then(|| ephemeral_storage(self.ephemeral_storage_mb)),
            )
            .set_layers((live.layers != self.layers).then(|| self.layers.clone()))
            .set_tracing_config(
                (live.tracing != self.tracing)
                    .then(|| TracingConfig::builder().mode(self.tracing.as_str().into()).build()),
            )
            .set_logging_config((live.logging != self.logging).then(|| self.logging.to_sdk()))
            .set_dead_letter_config(
                (live.dead_letter_target != self.dead_letter_target)
                    .then(|| dead_letters_to(self.dead_letter_target.as_deref().unwrap_or_default())),
            )
            .set_vpc_config((live.vpc != self.vpc).then(|| self.vpc.clone().unwrap_or_default().to_sdk()))
            .set_file_system_configs(
                (live.file_systems != self.file_systems).then(|| self.file_systems_to_sdk()),
            )
            .set_kms_key_arn((live.kms_key != self.kms_key).then(|| self.kms_key.clone().unwrap_or_default()))
            .set_snap_start((live.snap_start != self.snap_start).then(|| self.snap_start_to_sdk()))
    }

    fn environment_to_sdk(&self) -> Environment {
        let variables = self.environment.iter();
        let variables = variables.map(|(name, value)| (name.clone(), value.expose().to_owned()));
        // If the variables are omitted, Lambda keeps the old ones.
        Environment::builder().set_variables(Some(variables.collect())).build()
    }

    fn snap_start_to_sdk(&self) -> SnapStart {
        SnapStart::builder().apply_on(self.snap_start.as_str().into()).build()
    }

    fn file_systems_to_sdk(&self) -> Vec<FileSystemConfig> {
        let systems = self.file_systems.iter().map(|(path, arn)| {
            let system = FileSystemConfig::builder().local_mount_path(path).arn(arn).build();
            system.expect("both members are set")
        });
        systems.collect()
    }
}

/// Returns whether the last change is finished. At first Lambda reports no status.
pub(super) fn settled(function: &FunctionConfiguration) -> bool {
    let moving = matches!(function.state, Some(State::Pending | State::Deactivating | State::Deleting));
    function.last_update_status == Some(LastUpdateStatus::Successful) && !moving
}

/// Returns why Lambda could not apply the last change.
pub(super) fn failure(function: &FunctionConfiguration) -> Option<String> {
    let (code, reason) = if function.state == Some(State::Failed) {
        let code = function.state_reason_code().map(|code| code.as_str());
        (code, function.state_reason())
    } else if function.last_update_status == Some(LastUpdateStatus::Failed) {
        let code = function.last_update_status_reason_code().map(|code| code.as_str());
        (code, function.last_update_status_reason())
    } else {
        return None;
    };
    Some(format!("{}: {}", code.unwrap_or("Failed"), reason.unwrap_or("Lambda gives no reason")))
}

/// Returns the environment variables. If Lambda cannot decrypt them, it answers with an error instead.
fn environment_of(live: Option<EnvironmentResponse>) -> Result<BTreeMap<String, Secret>, Error> {
    let Some(live) = live else {
        return Ok(BTreeMap::new());
    };
    if let Some(error) = live.error() {
        let reason = error.message().unwrap_or("Lambda gives no reason");
        return Err(Error::other("GetFunction", format!("the environment could not be read: {reason}")));
    }
    let variables = live.variables.unwrap_or_default().into_iter();
    Ok(variables.map(|(name, value)| (name, Secret::new(value))).collect())
}

/// Returns a setting, or nothing if it is absent or empty.
fn given(setting: Option<String>) -> Option<String> {
    setting.filter(|value| !value.is_empty())
}

fn ephemeral_storage(size_mb: i32) -> EphemeralStorage {
    EphemeralStorage::builder().size(size_mb).build().expect("the size is set")
}

fn dead_letters_to(target: &str) -> DeadLetterConfig {
    DeadLetterConfig::builder().target_arn(target).build()
}
