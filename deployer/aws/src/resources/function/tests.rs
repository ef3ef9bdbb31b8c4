//! Handling of Lambda's answers about functions, and requests to Lambda.

use engine::diff::diff;
use engine::resource::Described;
use serde_json::{Value, json};

use super::*;
use crate::testing::{Script, ScriptedAnswer, body, fault, scope, update};
use crate::{Package, Packages};

const ROLE: &str = "arn:aws:iam::111111111111:role/demo/dev/eu-central-1/demo-dev-capture-eu-central-1";

const LAYER: &str = "arn:aws:lambda:eu-central-1:111111111111:layer:tools:3";
const QUEUE: &str = "arn:aws:sqs:eu-central-1:111111111111:dead-letters";

fn function() -> Function {
    Function::new(&scope(), "capture", ROLE, Vec::new())
        .fingerprint("f1")
        .environment([("TABLE".to_owned(), "events".to_owned())])
}

fn in_vpc() -> Function {
    function().subnets(["subnet-1".to_owned()]).security_groups(["sg-1".to_owned()])
}

/// Returns Lambda's answer for the desired function.
fn configuration(more: Value) -> Value {
    let mut live = json!({
        "FunctionName": "demo-dev-capture",
        "Role": ROLE,
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "RevisionId": "r1",
        "CodeSha256": "zip",
        "Environment": {"Variables": {"TABLE": "events"}},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/demo-dev-capture"},
    });
    live.as_object_mut()
        .expect("the value is an object")
        .extend(more.as_object().expect("the value is an object").clone());
    live
}

fn tags() -> Value {
    json!(scope().tags().into_iter().chain(function().code.tags("zip")).collect::<Tags>())
}

fn got(more: Value) -> ScriptedAnswer {
    body(json!({"Configuration": configuration(more), "Tags": tags()}))
}

fn nobody_else(script: Script) -> Script {
    script.on("GetPolicy", fault(404, "ResourceNotFoundException", "no policy"))
}

async fn read(answer: ScriptedAnswer) -> Result<Option<Live<Function>>, Error> {
    Resource::read(&function(), &nobody_else(Script::new().on("GetFunction", answer)).aws()).await
}

async fn live(more: Value) -> Function {
    read(got(more)).await.expect("the read succeeds").expect("the function exists").resource
}

fn paths(live: &Function) -> Vec<String> {
    diff(&live.state(), &function().state()).into_iter().map(|change| change.path).collect()
}

fn with_code(script: &Script) -> Aws {
    let script = script.clone().on("PutObject", body(""));
    let (zip, path) = (b"zip".to_vec().into(), "capture.zip".into());
    let package = Package { function: "capture".into(), zip, sha256: "zip".into(), path };
    Aws { packages: Packages::new([("capture".to_owned(), package)].into()), ..script.aws() }
}

#[tokio::test]
async fn function_drift_names_the_field() {
    assert_eq!(paths(&live(json!({})).await), Vec::<String>::new());
    let cases = [
        (json!({"MemorySize": 256}), "memory_mb"),
        (json!({"Timeout": 30}), "timeout_s"),
        (json!({"Environment": {"Variables": {"TABLE": "other"}}}), "environment.TABLE"),
        (json!({"Environment": {"Variables": {"TABLE": "events", "MORE": "x"}}}), "environment.MORE"),
        (json!({"Handler": "other"}), "handler"),
        (json!({"Runtime": "provided.al2"}), "runtime"),
        (json!({"Architectures": ["arm64"]}), "architecture"),
        (json!({"Role": "arn:r"}), "role"),
        (json!({"Layers": [{"Arn": "arn:l"}]}), "layers"),
        (json!({"TracingConfig": {"Mode": "Active"}}), "tracing"),
        (json!({"Description": "other"}), "description"),
        (json!({"LoggingConfig": {"LogFormat": "Text", "LogGroup": "other"}}), "logging.group"),
        (json!({"CodeSha256": "other"}), "code.sha256"),
        (json!({"DeadLetterConfig": {"TargetArn": "arn:q"}}), "dead_letter_target"),
        (json!({"EphemeralStorage": {"Size": 1024}}), "ephemeral_storage_mb"),
        (json!({"KMSKeyArn": "arn:k"}), "kms_key"),
        (json!({"VpcConfig": {"SubnetIds": ["s"]}}), "vpc"),
        (json!({"FileSystemConfigs": [{"Arn": "arn:f", "LocalMountPath": "/mnt/f"}]}), "file_systems./mnt/f"),
        (json!({"SnapStart": {"ApplyOn": "PublishedVersions"}}), "snap_start"),
        (json!({"State": "Failed", "StateReasonCode": "InvalidImage"}), "failure"),
        (json!({"LastUpdateStatus": "Failed", "LastUpdateStatusReason": "why"}), "failure"),
    ];
    for (more, path) in cases {
        assert_eq!(paths(&live(more.clone()).await), [path], "{more}");
    }
    let json_lines = json!({"LoggingConfig": {"LogFormat": "JSON", "LogGroup": "/aws/lambda/demo-dev-capture", "ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"}});
    assert_eq!(
        paths(&live(json_lines).await),
        ["logging.application_level", "logging.format", "logging.system_level"]
    );
    let reserved = body(
        json!({"Configuration": configuration(json!({})), "Tags": tags(), "Concurrency": {"ReservedConcurrentExecutions": 0}}),
    );
    assert_eq!(
        paths(&read(reserved).await.expect("the read succeeds").expect("the function exists").resource),
        ["reserved_concurrency"]
    );
}

/// Lambda stops a function that repeatedly invokes itself, unless recursion is allowed.
#[tokio::test]
async fn recursive_function_gets_recursion_allowed() {
    let script = Script::new()
        .on("GetFunction", got(json!({})))
        .on("GetPolicy", fault(404, "ResourceNotFoundException", "no policy"))
        .on("GetFunctionRecursionConfig", body(json!({"RecursiveLoop": "Terminate"})))
        .on("PutFunctionRecursionConfig", body(json!({"RecursiveLoop": "Allow"})));
    let recursive = function().recursive();
    let found = Resource::read(&recursive, &script.aws())
        .await
        .expect("the read succeeds")
        .expect("the function exists")
        .resource;
    let changes = diff(&found.state(), &recursive.state());
    assert_eq!(changes.iter().map(|change| change.path.as_str()).collect::<Vec<_>>(), ["recursive_loop"]);
    update(&recursive, &found, &script.aws()).await.expect("the update succeeds");
    assert_eq!(script.writes(), ["PutFunctionRecursionConfig"]);
}

#[tokio::test]
async fn unmanaged_invoke_permission_shows_and_is_removed() {
    let policy = json!({"Version": "2012-10-17", "Id": "default", "Statement": [
        {"Sid": "unmanaged", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": "arn"},
    ]});
    let script = Script::new()
        .on("GetFunction", got(json!({})))
        .on("GetPolicy", body(json!({"Policy": policy.to_string()})))
        .on("RemovePermission", body("{}"));
    let found = Resource::read(&function(), &script.aws())
        .await
        .expect("the read succeeds")
        .expect("the function exists")
        .resource;
    assert_eq!(paths(&found), ["resource_policy"]);
    update(&function(), &found, &script.aws()).await.expect("the update succeeds");
    assert_eq!(script.writes(), ["RemovePermission"]);
}

#[tokio::test]
async fn function_with_unreadable_parts_is_an_error() {
    let tags = json!({"Configuration": configuration(json!({})), "TagsError": {"ErrorCode": "AccessDenied", "Message": "no"}});
    assert!(read(body(tags)).await.is_err());
    let error = json!({"Environment": {"Error": {"ErrorCode": "AccessDenied", "Message": "kms"}}});
    assert!(read(got(error)).await.is_err());
    assert!(read(got(json!({"State": "Deleting"}))).await.expect("the read succeeds").is_none());
}

#[tokio::test(start_paused = true)]
async fn function_is_waited_for_until_invocable() {
    let script = Script::new()
        .on("CreateFunction", body(configuration(json!({"State": "Pending"}))))
        .on("GetFunction", fault(404, "ResourceNotFoundException", "not known yet"))
        .on("GetFunction", got(json!({"State": "Pending", "LastUpdateStatus": "InProgress"})))
        .on("GetFunction", got(json!({"LastUpdateStatus": null})))
        .on("GetFunction", got(json!({})));
    function().create(&scope().tags(), &with_code(&script)).await.expect("the function is created");
    assert_eq!(script.writes(), ["PutObject", "CreateFunction"]);
    assert_eq!(script.calls().len(), 6);

    let script = Script::new()
        .on("GetFunction", got(json!({"State": "Pending", "LastUpdateStatus": "InProgress"})))
        .on("GetFunction", got(json!({})));
    function().ready(&script.aws()).await.expect("the function is ready");
    assert_eq!(script.calls().len(), 2, "a function of an interrupted attempt is waited for");
}

#[tokio::test(start_paused = true)]
async fn function_deleted_meanwhile_is_not_waited_for_long() {
    let script = Script::new()
        .on("CreateFunction", body(configuration(json!({"State": "Pending"}))))
        .on("GetFunction", fault(404, "ResourceNotFoundException", "no such function"));
    let started = tokio::time::Instant::now();
    let made = function().create(&scope().tags(), &with_code(&script)).await;
    assert!(made.expect_err("the resource was deleted").to_string().contains("no longer exists"));
    assert!(started.elapsed().as_secs() < 90, "{:?}", started.elapsed());
}

#[test]
fn function_code_is_built_only_for_fields_that_upload_it() {
    use FunctionFieldName as Field;
    assert!(Field::Code.is_uploaded() && Field::Architecture.is_uploaded());
    assert!(
        ![Field::MemoryMb, Field::Environment, Field::ReservedConcurrency]
            .iter()
            .any(|field| field.is_uploaded())
    );
}

/// Others who can write to the deployment bucket could replace a package before Lambda reads it.
#[tokio::test]
async fn replaced_package_is_an_error() {
    let script = Script::new().on("CreateFunction", body(configuration(json!({"CodeSha256": "other"}))));
    let error = function().create(&scope().tags(), &with_code(&script)).await.expect_err("the code is other");
    assert!(error.message.contains(".zip was replaced"), "{error}");
    let script = Script::new().on("UpdateFunctionCode", body(configuration(json!({"CodeSha256": "other"}))));
    let live = live(json!({"CodeSha256": "old"})).await;
    let update = function().update(&live, &changed(&live, &function()), &with_code(&script)).await;
    assert!(update.expect_err("the code is other").message.contains(".zip was replaced"));
    assert_eq!(script.writes(), ["PutObject", "UpdateFunctionCode"], "the tags do not claim the package");
}

#[tokio::test]
async fn failed_function_change_is_an_error() {
    let failed = json!({"LastUpdateStatus": "Failed", "LastUpdateStatusReasonCode": "InvalidZipFileException", "LastUpdateStatusReason": "no zip"});
    let script =
        Script::new().on("CreateFunction", body(configuration(json!({})))).on("GetFunction", got(failed));
    let error = function().create(&scope().tags(), &with_code(&script)).await.expect_err("the change failed");
    assert!(error.message.contains("InvalidZipFileException: no zip"), "{error}");
}

#[tokio::test]
async fn unmanaged_function_is_not_adopted_on_create() {
    let exists = || fault(409, "ResourceConflictException", "Function already exist: demo-dev-capture");
    let theirs = body(json!({"Configuration": configuration(json!({})), "Tags": {"owner": "them"}}));
    let script = nobody_else(Script::new().on("CreateFunction", exists()).on("GetFunction", theirs));
    let error =
        function().create(&scope().tags(), &with_code(&script)).await.expect_err("the resource is unmanaged");
    assert_eq!(error.class, Class::Exists);
    assert_eq!(script.writes(), ["PutObject", "CreateFunction"]);
    // A function that is being deleted is waited for.
    let going = got(json!({"State": "Deleting"}));
    let script = nobody_else(Script::new().on("CreateFunction", exists()).on("GetFunction", going));
    let error = function()
        .create(&scope().tags(), &with_code(&script))
        .await
        .expect_err("the function is being deleted");
    assert!(error.class.passes(), "{error:?}");
    // A function of an interrupted attempt is finished, even if its configuration was different.
    let script = nobody_else(Script::new())
        .on("CreateFunction", exists())
        .on("GetFunction", got(json!({"MemorySize": 256})))
        .on("UpdateFunctionConfiguration", body(configuration(json!({}))));
    function().create(&scope().tags(), &with_code(&script)).await.expect("the resource is owned");
    assert_eq!(script.writes(), ["PutObject", "CreateFunction", "UpdateFunctionConfiguration"]);
}

#[tokio::test(start_paused = true)]
async fn function_configuration_is_updated_before_its_code() {
    let found = live(json!({"MemorySize": 256, "CodeSha256": "other"})).await;
    let script = Script::new()
        .on("UpdateFunctionConfiguration", body(configuration(json!({}))))
        .on("GetFunction", got(json!({"LastUpdateStatus": "InProgress"})))
        .on("GetFunction", got(json!({})))
        .on("UpdateFunctionCode", body(configuration(json!({}))))
        .on("TagResource", body(""));
    update(&function(), &found, &with_code(&script)).await.expect("the update succeeds");
    assert_eq!(
        script.calls(),
        [
            "UpdateFunctionConfiguration",
            "GetFunction",
            "GetFunction",
            "PutObject",
            "UpdateFunctionCode",
            "GetFunction",
            "TagResource"
        ],
    );
    assert_eq!(script.sent("UpdateFunctionConfiguration"), [json!({"MemorySize": 128, "RevisionId": "r1"})]);
    assert_eq!(script.sent("UpdateFunctionCode")[0].get("RevisionId"), None);
}

#[tokio::test]
async fn function_settings_to_clear_are_sent_as_resets() {
    let found = live(json!({
        "Description": "other",
        "Environment": {"Variables": {"MORE": "x"}},
        "Layers": [{"Arn": "arn:l"}],
        "KMSKeyArn": "arn:k",
        "TracingConfig": {"Mode": "Active"},
        "DeadLetterConfig": {"TargetArn": "arn:q"},
        "EphemeralStorage": {"Size": 1024},
        "LoggingConfig": {"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO", "LogGroup": "/aws/lambda/demo-dev-capture"},
        "VpcConfig": {"SubnetIds": ["s"], "SecurityGroupIds": ["g"]},
        "FileSystemConfigs": [{"Arn": "arn:f", "LocalMountPath": "/mnt/f"}],
        "SnapStart": {"ApplyOn": "PublishedVersions"},
        "LastUpdateStatus": null,
    }))
    .await;
    let script = Script::new()
        .on("UpdateFunctionConfiguration", body(configuration(json!({}))))
        .on("GetFunction", got(json!({})));
    let bare = Function::new(&scope(), "capture", ROLE, Vec::new()).fingerprint("f1");
    update(&bare, &found, &script.aws()).await.expect("the update succeeds");
    let expected = json!({
        "Description": "",
        "Environment": {"Variables": {}},
        "Layers": [],
        "KMSKeyArn": "",
        "TracingConfig": {"Mode": "PassThrough"},
        "DeadLetterConfig": {"TargetArn": ""},
        "EphemeralStorage": {"Size": 512},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/demo-dev-capture"},
        "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
        "FileSystemConfigs": [],
        "SnapStart": {"ApplyOn": "None"},
    });
    assert_eq!(script.sent("UpdateFunctionConfiguration"), [expected]);
}

#[tokio::test]
async fn function_changed_meanwhile_is_not_overwritten() {
    let changed = || fault(412, "PreconditionFailedException", "The RevisionId provided does not match");
    let found = live(json!({"MemorySize": 256})).await;
    let theirs = nobody_else(Script::new())
        .on("UpdateFunctionConfiguration", changed())
        .on("GetFunction", got(json!({"MemorySize": 256, "Timeout": 60})));
    let error =
        update(&function(), &found, &theirs.aws()).await.expect_err("the function was changed by others");
    assert!(error.hint.expect("the error has a hint").contains("the function was changed in the meantime"));
    assert_eq!(theirs.writes(), ["UpdateFunctionConfiguration"]);
    // An earlier attempt made the change, but its answer was lost.
    let ours = nobody_else(Script::new())
        .on("UpdateFunctionConfiguration", changed())
        .on("UpdateFunctionConfiguration", body(configuration(json!({}))))
        .on("GetFunction", got(json!({})));
    update(&function(), &found, &ours.aws()).await.expect("the resource is owned");
    assert_eq!(ours.sent("UpdateFunctionConfiguration")[1], json!({"MemorySize": 128}));
}

#[tokio::test]
async fn function_waits_for_role_but_not_for_missing_permission() {
    let refused = async |message: &str| {
        let script =
            Script::new().on("CreateFunction", fault(400, "InvalidParameterValueException", message));
        let function = Function { dead_letter_target: Some("arn:aws:sqs:r:1:q".into()), ..function() };
        function
            .granted(&Policy::allowing(&[]))
            .create(&scope().tags(), &with_code(&script))
            .await
            .expect_err("Lambda rejects the call")
    };
    let assumed = refused("The role defined for the function cannot be assumed by Lambda.").await;
    assert_eq!(assumed.class, Class::Propagating);
    let lacking =
        refused("The provided execution role does not have permissions to call SendMessage on SQS").await;
    assert_eq!(lacking.class, Class::Denied);
    assert!(lacking.message.contains("sqs:SendMessage on arn:aws:sqs:r:1:q"), "{lacking}");
}

#[tokio::test]
async fn reserved_concurrency_over_quota_has_a_hint() {
    let text = "Specified ReservedConcurrentExecutions for function decreases account's \
                UnreservedConcurrentExecution below its minimum value of [10].";
    let script =
        Script::new().on("PutFunctionConcurrency", fault(400, "InvalidParameterValueException", text));
    let desired = function().reserved_concurrency(Some(5));
    let error = update(&desired, &function(), &script.aws()).await.expect_err("the quota is exceeded");
    assert_eq!(error.class, Class::Quota);
    assert!(error.hint.expect("the error has a hint").contains("reserved_concurrency"));
}

#[test]
fn function_mistakes_are_found_without_a_call() {
    let mistakes = |function: Function| Resource::mistakes(&function, &Neighbours::default());
    assert_eq!(mistakes(function()), Vec::<String>::new());
    let wrong = [
        Function { name: "n".repeat(65), ..function() },
        function().memory_mb(127),
        function().memory_mb(10_241),
        function().timeout_s(901),
        function().timeout_s(0),
        Function { ephemeral_storage_mb: 511, ..function() },
        function().environment([("A".to_owned(), "x".repeat(4096))]),
        function().description("d".repeat(257)),
        function().layers((0..6).map(|number| LAYER.replace("layer:", &format!("layer:l{number}-")))),
        function().layers(vec![LAYER.to_owned(); 2]),
        function().layers([LAYER.to_owned(), format!("{LAYER}0")]),
        function().layers(["arn:aws:lambda:eu-central-1:111111111111:layer:tools".to_owned()]),
        function().reserved_concurrency(Some(-1)),
        function().tracing("active"),
        function().log_format("XML"),
        function().log_levels(Some("INFO".into()), None),
        function().log_format("JSON").log_levels(None, Some("ERROR".into())),
        function().subnets(["subnet-1".to_owned()]),
        function().security_groups(["sg-1".to_owned()]),
        in_vpc().subnets((0..17).map(|number| format!("subnet-{number}"))),
        function().dead_letter_target("arn:aws:s3:::dead-letters"),
        function().dead_letter_target(format!("{QUEUE}.fifo")),
        function().dead_letter_target(QUEUE.replace("eu-central-1", "eu-west-1")),
    ];
    let right = in_vpc().layers([LAYER.to_owned()]).dead_letter_target(QUEUE).tracing("Active");
    assert_eq!(mistakes(right.log_format("JSON").ephemeral_storage_mb(10_240)), Vec::<String>::new());
    for function in wrong {
        assert_eq!(mistakes(function.clone()).len(), 1, "{:?}", mistakes(function.clone()));
    }
}

#[test]
fn role_gets_the_permissions_that_settings_require() {
    let granted = |function: &Function| -> Vec<(String, String)> {
        let statements = function.starting().into_iter();
        statements.map(|statement| (statement.sid, statement.resources.concat())).collect()
    };
    let is = |sid: &str, resource: &str| vec![(sid.to_owned(), resource.to_owned())];
    assert_eq!(granted(&function()), Vec::new());
    assert_eq!(granted(&function().tracing("Active")), is("SendTraces", "*"));
    assert_eq!(granted(&in_vpc()), is("ManageNetworkInterfaces", "*"));
    for (target, action) in
        [(QUEUE, "sqs:SendMessage"), ("arn:aws:sns:eu-central-1:111111111111:dead", "sns:Publish")]
    {
        let function = function().dead_letter_target(target);
        assert_eq!(granted(&function), is("SendDeadLetters", target));
        assert_eq!(function.starting()[0].actions, [action]);
    }
}

/// Lambda makes these calls without the key of the condition; the code of the function has it.
#[test]
fn function_code_may_not_manage_network_interfaces() {
    let statement = &in_vpc().starting()[0];
    let own = "arn:aws:lambda:eu-central-1:111111111111:function:demo-dev-capture".to_owned();
    assert_eq!(statement.conditions, [("ArnNotEquals", "lambda:SourceFunctionArn".to_owned(), own)]);
}

#[test]
fn deployer_may_see_the_network_and_layers_of_functions() {
    let sids = |function: &Function| -> Vec<String> {
        function.deploying().into_iter().map(|statement| statement.sid).collect()
    };
    assert_eq!(sids(&function()), [""; 0]);
    assert_eq!(sids(&in_vpc().layers([LAYER.to_owned()])), ["FunctionsNetwork", "FunctionsLayers"]);
    assert_eq!(function().layers([LAYER.to_owned()]).deploying()[0].resources, [LAYER]);
}

/// Lambda fills in the levels of the format JSON, and drops them with the format text.
#[tokio::test]
async fn settings_are_created_and_changed_as_lambda_shows_them() {
    let desired = in_vpc()
        .layers([LAYER.to_owned()])
        .tracing("Active")
        .log_format("JSON")
        .log_levels(Some("WARN".into()), None)
        .ephemeral_storage_mb(1024)
        .dead_letter_target(QUEUE);
    let logging = json!({"LogFormat": "JSON", "LogGroup": "/aws/lambda/demo-dev-capture",
        "ApplicationLogLevel": "WARN", "SystemLogLevel": "INFO"});
    let same = json!({
        "TracingConfig": {"Mode": "Active"}, "LoggingConfig": logging, "EphemeralStorage": {"Size": 1024},
        "DeadLetterConfig": {"TargetArn": QUEUE},
    });
    let network = json!({"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]});
    let mut sent = same.clone();
    sent["VpcConfig"] = network.clone();
    sent["Layers"] = json!([LAYER]);
    let mut shown = same;
    shown["VpcConfig"] = network;
    shown["VpcConfig"]["VpcId"] = json!("vpc-1");
    shown["Layers"] = json!([{"Arn": LAYER, "CodeSize": 1}]);
    let live = live(shown).await;
    assert_eq!(diff(&live.state(), &desired.state()), Vec::new());

    let script =
        Script::new().on("UpdateFunctionConfiguration", body("{}")).on("GetFunction", got(json!({})));
    update(&desired, &function(), &script.aws()).await.expect("the update succeeds");
    assert_eq!(script.sent("UpdateFunctionConfiguration"), [sent]);
    let script =
        Script::new().on("UpdateFunctionConfiguration", body("{}")).on("GetFunction", got(json!({})));
    update(&function(), &desired, &script.aws()).await.expect("the update succeeds");
    let reset = json!({
        "TracingConfig": {"Mode": "PassThrough"}, "EphemeralStorage": {"Size": 512},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/demo-dev-capture"},
        "DeadLetterConfig": {"TargetArn": ""}, "Layers": [],
        "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
    });
    assert_eq!(script.sent("UpdateFunctionConfiguration"), [reset]);
}

#[test]
fn function_permissions_end_at_the_prefix() {
    let permissions = Function::permissions(&scope());
    for statement in &permissions {
        let on = match statement.sid.as_str() {
            "FunctionsList" => "*",
            "RolesPass" => "arn:aws:iam::111111111111:role/demo/dev/eu-central-1/*",
            _ => "arn:aws:lambda:eu-central-1:111111111111:function:demo-dev-*",
        };
        assert_eq!(statement.resources, [on]);
    }
    let pass =
        permissions.iter().find(|statement| statement.sid == "RolesPass").expect("the statement exists");
    let condition = ("StringEquals", "iam:PassedToService".to_owned(), "lambda.amazonaws.com".to_owned());
    assert_eq!(pass.conditions, [condition]);
}

/// Lambda quotes the whole environment when it is too large.
#[tokio::test]
async fn function_environment_is_left_out_of_errors() {
    let said = "Lambda was unable to configure your environment variables because the environment variables you have \
                provided exceeded the 4KB limit. String measured: {\"PASSWORD\":\"hunter2\"}";
    let refused = || fault(400, "InvalidParameterValueException", said);
    let script = Script::new().on("CreateFunction", refused()).on("UpdateFunctionConfiguration", refused());
    let aws = with_code(&script);
    let created = function().create(&Tags::new(), &aws).await.expect_err("the environment is too large");
    let live = function().memory_mb(256);
    let updated = update(&function(), &live, &aws).await.expect_err("the environment is too large");
    for error in [created, updated] {
        assert!(error.message.ends_with("exceeded the 4KB limit."), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn function_permissions_are_imported_with_the_function() {
    let one =
        json!({"Sid": "by-hand", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction"});
    let policy = Policy::from(json!({"Version": "2012-10-17", "Statement": [one]}));
    let function = Function { resource_policy: Some(policy), ..function() };
    let imports = Resource::import_ids(&function.recursive());
    let imports: Vec<_> = imports.iter().map(|import| (import.type_name, import.id.as_str())).collect();
    assert_eq!(
        imports,
        [
            ("aws_lambda_function", "demo-dev-capture"),
            ("aws_lambda_function_recursion_config", "demo-dev-capture"),
            ("aws_lambda_permission", "demo-dev-capture/by-hand"),
        ]
    );
}
