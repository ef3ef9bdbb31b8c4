//! Manual changes to a function.

use aws::{Aws, AwsNames};
use aws_sdk_lambda::operation::update_function_configuration::builders::UpdateFunctionConfigurationFluentBuilder;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    ApplicationLogLevel, Architecture, DeadLetterConfig, Environment, EphemeralStorage, FileSystemConfig,
    LayerVersionContentInput, LogFormat, LoggingConfig, RecursiveLoop, Runtime, SnapStart, SnapStartApplyOn,
    SystemLogLevel, TracingConfig, TracingMode, VpcConfig,
};
use engine::scope::Scope;
use futures::FutureExt;

use super::row::{GONE, Raw, Row, sent};

pub(super) fn first(scope: &Scope) -> Vec<Row> {
    let id = |thing| format!("lambda.function/{}", scope.name(thing));
    vec![
        Row::new("memory", id("get-cart"), &["memory_mb"], |aws| {
            configured(aws, "get-cart", |call| call.memory_size(1024))
        }),
        Row::new("timeout", id("get-cart"), &["timeout_s"], |aws| {
            configured(aws, "get-cart", |call| call.timeout(7))
        }),
        Row::new("description", id("get-cart"), &["description"], |aws| {
            configured(aws, "get-cart", |call| call.description("by hand"))
        }),
        Row::new("handler", id("get-cart"), &["handler"], |aws| {
            configured(aws, "get-cart", |call| call.handler("index.handler"))
        }),
        Row::new("tracing", id("get-cart"), &["tracing"], |aws| {
            let tracing = TracingConfig::builder().mode(TracingMode::Active).build();
            configured(aws, "get-cart", |call| call.tracing_config(tracing))
        }),
        Row::new("space for files", id("get-cart"), &["ephemeral_storage_mb"], |aws| {
            let storage = EphemeralStorage::builder().size(1024).build().expect("complete");
            configured(aws, "get-cart", |call| call.ephemeral_storage(storage))
        }),
        Row::new("a key for the environment", id("get-cart"), &["kms_key"], |aws| {
            let key = aws.scope.arn("kms", "key/by-hand");
            configured(aws, "get-cart", |call| call.kms_key_arn(key))
        }),
        Row::new("a queue for what failed", id("get-cart"), &["dead_letter_target"], |aws| {
            let to = DeadLetterConfig::builder().target_arn(aws.scope.arn("sqs", "by-hand")).build();
            configured(aws, "get-cart", |call| call.dead_letter_config(to))
        }),
        Row::new(
            "logging",
            id("get-cart"),
            &["logging.application_level", "logging.format", "logging.group", "logging.system_level"],
            |aws| {
                let logging = LoggingConfig::builder()
                    .log_format(LogFormat::Json)
                    .application_log_level(ApplicationLogLevel::Error)
                    .system_log_level(SystemLogLevel::Warn)
                    .log_group("/by/hand")
                    .build();
                configured(aws, "get-cart", |call| call.logging_config(logging))
            },
        ),
        Row::new("a private network", id("open-cart"), &["vpc"], |aws| {
            let vpc = VpcConfig::builder().subnet_ids("subnet-1").security_group_ids("sg-1").build();
            configured(aws, "open-cart", |call| call.vpc_config(vpc))
        }),
        Row::new("a file system", id("open-cart"), &["file_systems./mnt/by-hand"], |aws| {
            let arn = aws.scope.arn("elasticfilesystem", "access-point/fsap-1");
            let system = FileSystemConfig::builder().local_mount_path("/mnt/by-hand").arn(arn);
            let system = system.build().expect("complete");
            configured(aws, "open-cart", |call| call.file_system_configs(system))
        }),
        Row::new("a layer", id("open-cart"), &["layers"], |aws| layered(aws, "open-cart").boxed()),
        Row::new("a role of another function", id("log-events"), &["role"], |aws| {
            let role = format!("role{}{}", aws.scope.role_path(), aws.scope.name("archive"));
            let role = aws.scope.iam_arn(&role);
            configured(aws, "log-events", |call| call.role(role))
        }),
        Row::new(
            "other variables",
            id("add-item"),
            &["environment.EVENTS_TABLE", "environment.PASSWORD"],
            |aws| {
                let variables = Environment::builder().variables("PASSWORD", "hunter2").build();
                configured(aws, "add-item", |call| call.environment(variables))
            },
        ),
        Row::new("reserved concurrency", id("add-item"), &["reserved_concurrency"], |aws| {
            let name = aws.scope.name("add-item");
            let call = aws.lambda.put_function_concurrency().function_name(name);
            sent(call.reserved_concurrent_executions(2).send())
        }),
        Row::new("recursive loops terminated", id("replay"), &["recursive_loop"], |aws| {
            let call = aws.lambda.put_function_recursion_config().function_name(aws.scope.name("replay"));
            sent(call.recursive_loop(RecursiveLoop::Terminate).send())
        }),
        Row::new("invocation allowed for another account", id("add-item"), &["resource_policy"], |aws| {
            let call = aws.lambda.add_permission().function_name(aws.scope.name("add-item"));
            let call = call.statement_id("by-hand").action("lambda:InvokeFunction");
            sent(call.principal("events.amazonaws.com").send())
        }),
        Row::new("code", id("close-cart"), &["code.sha256"], |aws| coded(aws, "close-cart", None)),
    ]
}

pub(super) fn second(scope: &Scope) -> Vec<Row> {
    let id = |thing| format!("lambda.function/{}", scope.name(thing));
    vec![
        Row::new("runtime", id("get-cart"), &["runtime"], |aws| {
            configured(aws, "get-cart", |call| call.runtime(Runtime::Python313))
        }),
        Row::new("snapshots of started versions", id("close-cart"), &["runtime", "snap_start"], |aws| {
            // Like AWS, MiniStack knows that custom runtimes do not support SnapStart.
            let snap = SnapStart::builder().apply_on(SnapStartApplyOn::PublishedVersions).build();
            configured(aws, "close-cart", |call| call.runtime(Runtime::Python313).snap_start(snap))
        }),
        Row::new(
            "architecture, which goes with the code",
            id("open-cart"),
            &["architecture", "code.sha256"],
            |aws| coded(aws, "open-cart", Some(Architecture::Arm64)),
        ),
        Row::new("a variable removed", id("add-item"), &["environment.EVENTS_TABLE"], |aws| {
            let none = Environment::builder().set_variables(Some(Default::default())).build();
            configured(aws, "add-item", |call| call.environment(none))
        }),
        Row::new("a tag of the deployer", id("add-item"), &["code.fingerprint"], |aws| {
            let arn = aws.scope.arn("lambda", &format!("function:{}", aws.scope.name("add-item")));
            let call = aws.lambda.tag_resource().resource(arn).tags("deployer:code-fingerprint", "by hand");
            sent(call.send())
        }),
        Row::new("paused", id("get-cart"), &["reserved_concurrency"], |aws| {
            let name = aws.scope.name("get-cart");
            let call = aws.lambda.put_function_concurrency().function_name(name);
            sent(call.reserved_concurrent_executions(0).send())
        }),
    ]
}

pub(super) fn gone(scope: &Scope) -> Vec<Row> {
    vec![Row::new("function deleted", format!("lambda.function/{}", scope.name("open-cart")), GONE, |aws| {
        let call = aws.lambda.delete_function().function_name(aws.scope.name("open-cart"));
        sent(call.send())
    })]
}

/// Changes the configuration of a function.
pub(super) fn configured<'a>(
    aws: &'a Aws,
    thing: &str,
    with: impl FnOnce(UpdateFunctionConfigurationFluentBuilder) -> UpdateFunctionConfigurationFluentBuilder,
) -> Raw<'a> {
    let call = aws.lambda.update_function_configuration().function_name(aws.scope.name(thing));
    let call = with(call);
    sent(call.send())
}

/// Uploads an empty archive.
fn coded<'a>(aws: &'a Aws, thing: &str, architecture: Option<Architecture>) -> Raw<'a> {
    let call = aws.lambda.update_function_code().function_name(aws.scope.name(thing)).zip_file(empty_zip());
    let call = call.set_architectures(architecture.map(|architecture| vec![architecture]));
    sent(call.send())
}

async fn layered(aws: &Aws, thing: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let content = LayerVersionContentInput::builder().zip_file(empty_zip()).build();
    let layer = aws.lambda.publish_layer_version().layer_name("by-hand").content(content).send().await?;
    let call = aws.lambda.update_function_configuration().function_name(aws.scope.name(thing));
    call.set_layers(layer.layer_version_arn.map(|arn| vec![arn])).send().await?;
    Ok(())
}

fn empty_zip() -> Blob {
    Blob::new([&b"PK\x05\x06"[..], &[0; 18]].concat())
}
