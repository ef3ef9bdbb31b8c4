//! Conventions of the cart's stack, checked by tests: everything is deployed, readable and granted.

mod deletion;
mod functions;
mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aws::{Aws, AwsNames};
use cli::environment::{AppSettings, Environment};
use cli::permissions::{MANAGED_POLICY, deploying, document, documents, looking, size};
use engine::change::Change;
use engine::diff::diff;
use engine::stack::Stack;
use serde_json::Value;

use self::functions::{consumers, functions};
use super::stack;

/// Actions without a resource type ("Actions, resources, and condition keys", Service Authorization
/// Reference).
const WITHOUT_RESOURCE: [&str; 2] = ["dynamodb:liststreams", "kinesis:liststreams"];

/// The same for the actions of a deployment. The reference lists a resource for the first one, but composite
/// alarms are returned only to callers that may describe all alarms ("DescribeAlarms", CloudWatch API
/// reference).
const DEPLOYING_WITHOUT_RESOURCE: &[&str] = &[
    "cloudwatch:DescribeAlarms",
    "dynamodb:ListTables",
    "iam:ListRoles",
    "kinesis:DisableEnhancedMonitoring",
    "kinesis:EnableEnhancedMonitoring",
    "kinesis:ListStreams",
    "kinesis:UpdateShardCount",
    "kinesis:UpdateStreamMode",
    "lambda:CreateEventSourceMapping",
    "lambda:ListEventSourceMappings",
    "lambda:ListFunctions",
    "logs:DescribeLogGroups",
    "s3:ListAllMyBuckets",
];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn environment(name: &str) -> Environment {
    Environment::load(&root().join("environments"), name, AppSettings::NONE)
        .expect("a committed environment is valid")
}

fn dev() -> Stack<Aws> {
    stack(&environment("dev"))
}

/// Returns the states of a kind by resource name, without the environment's prefix.
fn states(stack: &Stack<Aws>, kind: &str) -> BTreeMap<String, Value> {
    let prefix = stack.scope.prefix();
    let of_kind = stack.resources.iter().filter(|node| node.id().kind() == kind);
    of_kind.map(|node| (node.id().name().replacen(&prefix, "", 1), node.state())).collect()
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().expect("an object").keys().cloned().collect()
}

/// Returns role, Sid and statement of every grant.
fn statements(stack: &Stack<Aws>) -> Vec<(String, String, Value)> {
    let roles = states(stack, "iam.role").into_iter();
    roles
        .flat_map(|(role, state)| {
            let statements = state["inline_policies"]["grants"]["statements"].clone();
            let statements = statements.as_object().expect("statements by Sid").clone();
            // A role is named after its function and the region.
            let role =
                role.strip_suffix("-eu-central-1").expect("a role's name ends with its region").to_owned();
            statements.into_iter().map(move |(sid, statement)| (role.clone(), sid, statement))
        })
        .collect()
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().expect("a list").iter().map(|item| item.as_str().expect("text")).collect()
}

#[test]
fn stack_kinds_are_all_registered() {
    let stack = dev();
    for node in &stack.resources {
        assert!(stack.kind(node.id().kind()).is_some(), "the kind of {} is not registered", node.id());
    }
}

#[test]
fn kinds_all_have_a_section_of_the_documents() {
    let page = include_str!("../../../docs/resources.md");
    for kind in dev().kinds {
        let name = kind.info.name;
        assert!(page.contains(&format!("\n## {name}\n")), "docs/resources.md has no section `## {name}`");
        assert!(page.contains(&format!("| [`{name}`](#")), "docs/resources.md has no row of `{name}`");
    }
}

/// Returns the fields in the table of a kind in `docs/resources.md`; of a nested field, the outer one.
fn documented_fields(kind: &str) -> BTreeSet<&'static str> {
    let page = include_str!("../../../docs/resources.md");
    let heading = format!("\n## {kind}\n");
    let (_, section) = page.split_once(&heading).expect("the kind has a section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let (_, table) = section.split_once("| field |").expect("the section has a table of fields");
    let rows = table.split("\n\n").next().unwrap_or_default().lines().skip(2);
    let cells = rows.filter_map(|row| row.strip_prefix("| ")?.split(" | ").next());
    // In a cell, every second part is in backticks.
    let names = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    names.map(|name| name.split('.').next().unwrap_or_default()).collect()
}

#[test]
fn documented_fields_are_those_of_the_kinds() {
    let stack = dev();
    let mut checked = BTreeSet::new();
    for node in &stack.resources {
        let kind = node.id().kind();
        if !checked.insert(kind) {
            continue;
        }
        let state = node.state();
        let fields = state.as_object().expect("a state is an object").keys().map(String::as_str);
        // The name is in the first table of the page.
        let fields: BTreeSet<&str> = fields.filter(|field| *field != "name").collect();
        assert_eq!(documented_fields(kind), fields, "the table of {kind} in docs/resources.md");
    }
    // A kind without a resource in the cart's stack is not checked.
    assert!(checked.len() > 5, "the kinds were not found: {checked:?}");
}

#[test]
fn grants_name_resources_where_aws_supports_it() {
    for (role, sid, statement) in statements(&dev()) {
        let actions = strings(&statement["Action"]);
        let everything = strings(&statement["Resource"]).contains(&"*");
        let supported = actions.iter().any(|action| !WITHOUT_RESOURCE.contains(action));
        assert!(!(everything && supported), "{role} {sid} grants {actions:?} on everything");
        assert!(actions.iter().all(|action| !action.contains('*')), "{role} {sid} grants {actions:?}");
    }
}

/// No emulator enforces what Lambda does on behalf of a function, so the grants are compared with Lambda's
/// developer guide: "Using Lambda to process records from Amazon Kinesis Data Streams: Configure execution
/// role permissions", "Using AWS Lambda with Amazon DynamoDB: Execution role permissions", "Retaining
/// discarded batches".
#[test]
fn lambda_service_permissions_are_exactly_as_required() {
    const LOGS: &[&str] = &["logs:createlogstream", "logs:putlogevents"];
    const TABLE: &[&str] = &["dynamodb:describestream", "dynamodb:getrecords", "dynamodb:getsharditerator"];
    const STREAM: &[&str] = &[
        "kinesis:describestream",
        "kinesis:describestreamsummary",
        "kinesis:getrecords",
        "kinesis:getsharditerator",
        "kinesis:listshards",
    ];
    let account = "eu-central-1:111111111111";
    let bucket = "arn:aws:s3:::cart-dev-archive-111111111111-eu-central-1-an";
    let lines = |function: &str| {
        let group = format!("arn:aws:logs:{account}:log-group:/aws/lambda/cart-dev-{function}");
        (function.to_owned(), LOGS, format!("{group}:log-stream:*"))
    };
    let stack = dev();
    let mut expected: BTreeSet<(String, &[&str], String)> =
        functions(&stack).iter().map(|function| lines(function)).collect();
    let table = format!("arn:aws:dynamodb:{account}:table/cart-dev-events/stream/*");
    let stream = format!("arn:aws:kinesis:{account}:stream/cart-dev-events");
    expected.extend([
        ("capture".into(), TABLE, table),
        ("capture".into(), &["dynamodb:liststreams"], "*".into()),
    ]);
    let of_the_stream = consumers(&stack);
    for consumer in of_the_stream.iter().cloned() {
        expected.insert((consumer.clone(), STREAM, stream.clone()));
        expected.insert((consumer, &["kinesis:liststreams"], "*".into()));
    }
    for consumer in of_the_stream.into_iter().chain(["capture".to_owned()]) {
        expected.insert((consumer.clone(), &["s3:putobject"], format!("{bucket}/aws/lambda/*")));
        expected.insert((consumer, &["s3:listbucket"], bucket.into()));
    }
    // The functions' own calls are enforced: tests/acceptance/least_privilege.rs.
    let own = [
        "LoadEvents",
        "AppendEvents",
        "ScanEvents",
        "PublishEvents",
        "WriteArchiveEvents",
        "WriteArchiveFailed",
        "WriteArchiveReplays",
        "GetArchiveEvents",
        "GetArchiveReplays",
        "BrowseArchive",
    ];
    // `replay` also invokes each handler.
    let own = |sid: &str| own.contains(&sid) || sid.starts_with("Invoke");

    let all = statements(&stack);
    let errands = all.iter().filter(|(_, sid, _)| !own(sid));
    let mut found = BTreeSet::new();
    for (role, sid, statement) in errands {
        let (actions, resources) = (strings(&statement["Action"]), strings(&statement["Resource"]));
        let [resource] = resources.as_slice() else { panic!("{role} {sid} is about one resource") };
        found.insert((role.clone(), actions, (*resource).to_owned()));
    }
    let expected: BTreeSet<_> =
        expected.into_iter().map(|(role, actions, resource)| (role, actions.to_vec(), resource)).collect();
    assert_eq!(found, expected);
}

/// The ARN of a bucket has only its name, and names are globally unique: after the bucket is deleted, any
/// account can create one with this name.
#[test]
fn roles_reach_buckets_of_their_own_account_only() {
    for (role, sid, statement) in statements(&dev()) {
        let of_s3 = strings(&statement["Action"]).iter().any(|action| action.starts_with("s3:"));
        let account = &statement["Condition"]["stringequals"]["s3:resourceaccount"];
        assert!(!of_s3 || *account == Value::from(vec!["111111111111"]), "{role} {sid}: {statement}");
    }
}

/// Returns an environment whose organisation has a key for each kind of resource, a former key, and a
/// permissions boundary.
fn organised() -> Stack<Aws> {
    stack(&organisation(&[key("former")]))
}

/// Returns an environment with this file.
fn environment_of(text: &str) -> Environment {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    std::fs::write(folder.path().join("dev.toml"), text).expect("a new folder can be written");
    Environment::load(folder.path(), "dev", AppSettings::NONE).expect("the environment is valid")
}

#[test]
fn function_settings_of_an_environment_override_those_of_all() {
    const LEAST: &str =
        "region = \"eu-central-1\"\naccount = \"111111111111\"\n[functions]\nmemory_mb = 320\n";
    let own = "[functions.add-item]\nmemory_mb = 512\ntimeout_s = 9\nlog_retention_days = 1\n";
    let stack = super::stack(&environment_of(&format!("{LEAST}{own}")));
    let functions = states(&stack, "lambda.function");
    let setting = |name: &str, key: &str| functions[name][key].as_i64();
    assert_eq!((setting("add-item", "memory_mb"), setting("add-item", "timeout_s")), (Some(512), Some(9)));
    assert_eq!((setting("get-cart", "memory_mb"), setting("get-cart", "timeout_s")), (Some(320), Some(30)));
    let groups = stack.resources.iter().filter(|node| node.id().kind() == "logs.log-group");
    let retention = groups.map(|node| (node.id().name().to_owned(), node.state()["retention_days"].as_i64()));
    let retention: BTreeMap<String, Option<i64>> = retention.collect();
    assert_eq!(retention["/aws/lambda/cart-dev-add-item"], Some(1));
    assert_eq!(retention["/aws/lambda/cart-dev-get-cart"], Some(14));
    assert!(stack.mistakes().is_empty());

    // A setting that would have no effect is a mistake.
    let fixed = super::stack(&environment_of(&format!("{LEAST}[functions.capture]\ntimeout_s = 10\n")));
    let mistakes: Vec<String> = fixed.mistakes().into_iter().map(|(_, mistake)| mistake).collect();
    let said = "the code fixes its timeout: remove `timeout_s` of `capture` from the environment file";
    assert_eq!(mistakes, [said]);
}

fn organisation(former: &[String]) -> Environment {
    let keys: String = ["table", "stream", "bucket", "logs", "functions"]
        .map(|thing| format!("{thing} = \"{}\"\n", key(thing)))
        .concat();
    let text = format!(
        "region = \"eu-central-1\"\naccount = \"111111111111\"\n\
         [org]\npermissions_boundary = \"{BOUNDARY}\"\n[org.kms]\n{keys}former = {former:?}\n",
    );
    environment_of(&text)
}

const BOUNDARY: &str = "arn:aws:iam::111111111111:policy/boundary";

fn key(thing: &str) -> String {
    format!("arn:aws:kms:eu-central-1:333333333333:key/{thing}")
}

#[test]
fn roles_all_have_the_organisations_boundary() {
    for (role, state) in states(&organised(), "iam.role") {
        assert_eq!(state["permissions_boundary"], BOUNDARY, "{role}");
    }
    assert!(states(&dev(), "iam.role").values().all(|state| state["permissions_boundary"].is_null()));
}

#[test]
fn resources_are_encrypted_with_the_organisations_keys() {
    let of = [
        ("dynamodb.table", "/kms_key", "table"),
        ("kinesis.stream", "/kms_key", "stream"),
        ("s3.bucket", "/encryption/kms_key", "bucket"),
        ("logs.log-group", "/kms_key", "logs"),
        ("lambda.function", "/kms_key", "functions"),
    ];
    let (organised, dev) = (organised(), dev());
    for (kind, path, thing) in of {
        let found = states(&organised, kind);
        assert!(!found.is_empty(), "{kind}");
        for (name, state) in found {
            assert_eq!(state.pointer(path), Some(&Value::from(key(thing))), "{kind} {name}");
        }
        assert!(states(&dev, kind).values().all(|state| state.pointer(path) == Some(&Value::Null)), "{kind}");
    }
}

/// No emulator enforces this. The rules are those of "DynamoDB encryption at rest: How it works" (DynamoDB
/// developer guide), "Permissions to use user-generated KMS keys" (Kinesis developer guide), "Using
/// server-side encryption with AWS KMS keys" (S3 user guide) and "Securing Lambda environment variables"
/// (Lambda developer guide).
#[test]
fn roles_may_use_only_keys_of_their_resources() {
    let may = |role: &str, action: &str, thing: &str, service: &str| {
        (
            role.to_owned(),
            format!("kms:{action}"),
            key(thing),
            format!("{service}.eu-central-1.amazonaws.com"),
        )
    };
    let reads = |role: &str, thing: &str, service: &str| {
        ["former", thing].map(|key| may(role, "decrypt", key, service))
    };
    let mut expected = BTreeSet::new();
    let of_the_stream = consumers(&organised());
    for function in functions(&organised()) {
        expected.insert(may(&function, "decrypt", "functions", "lambda"));
    }
    // Lambda reads the table's stream for `capture`.
    for role in ["open-cart", "add-item", "close-cart", "get-cart", "replay", "capture"] {
        expected.extend(reads(role, "table", "dynamodb"));
    }
    expected.insert(may("capture", "generatedatakey", "stream", "kinesis"));
    for role in &of_the_stream {
        expected.extend(reads(role, "stream", "kinesis"));
        expected.insert(may(role, "generatedatakey", "bucket", "s3"));
    }
    for role in ["capture", "replay"] {
        expected.insert(may(role, "generatedatakey", "bucket", "s3"));
    }
    expected.extend(reads("replay", "bucket", "s3"));
    let mut found = BTreeSet::new();
    for (role, sid, statement) in statements(&organised()) {
        let (actions, resources) = (strings(&statement["Action"]), strings(&statement["Resource"]));
        if !actions.iter().any(|action| action.starts_with("kms:")) {
            continue;
        }
        let via = strings(&statement["Condition"]["stringequals"]["kms:viaservice"]);
        let ([action], [via]) = (actions.as_slice(), via.as_slice()) else {
            panic!("{role} {sid} is about one action and one service");
        };
        for resource in resources {
            let is_new = found.insert((role.clone(), (*action).into(), resource.into(), (*via).into()));
            assert!(is_new, "{role} {sid} is granted twice");
        }
    }
    assert_eq!(found, expected);
    let without = statements(&dev());
    assert!(
        without.iter().all(|(_, sid, _)| !sid.starts_with("Decrypt") && !sid.starts_with("GenerateDataKey"))
    );
}

/// Returns the names of all environments with a file.
fn environments() -> BTreeSet<String> {
    let files = std::fs::read_dir(root().join("environments")).expect("the folder is committed");
    let paths = files.map(|file| file.expect("a readable folder").path());
    let paths = paths.filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    paths.map(|path| path.file_stem().expect("a file has a name").to_string_lossy().into_owned()).collect()
}

/// Returns all resources of an environment, by id.
fn everything(environment: &Environment) -> Value {
    let stack = stack(environment);
    stack.resources.iter().map(|node| (node.id().to_string(), node.state())).collect()
}

/// Returns the same resources with the names, account and region of `dev`.
fn as_in_dev(everything: &Value, environment: &Environment) -> Value {
    let (scope, dev) = (environment.scope(super::NAME), dev().scope);
    let names = [
        (scope.prefix(), dev.prefix()),
        (scope.role_path(), dev.role_path()),
        (scope.account.clone(), dev.account.clone()),
        (scope.region.clone(), dev.region.clone()),
    ];
    let text = names.iter().fold(everything.to_string(), |text, (ours, devs)| text.replace(ours, devs));
    serde_json::from_str(&text).expect("only text inside of strings was changed")
}

/// The snapshot of `dev` is complete; those of other environments have only the differences.
#[test]
fn stack_of_each_environment_is_as_reviewed() {
    let dev = everything(&environment("dev"));
    insta::assert_json_snapshot!("dev", dev);
    for name in environments().iter().filter(|name| *name != "dev") {
        let environment = environment(name);
        let differences = diff(&dev, &as_in_dev(&everything(&environment), &environment));
        let differences = differences.iter().map(|change| {
            let Change { path, live, desired, .. } = change;
            format!("{path}: {live} -> {desired}")
        });
        insta::assert_snapshot!(format!("{name}-beside-dev"), differences.collect::<Vec<_>>().join("\n"));
    }
}

#[test]
fn deploy_policy_of_dev_is_as_reviewed_and_fits() {
    let environment = environment("dev");
    let stack = stack(&environment);
    let whole = deploying(&environment, &stack);
    insta::assert_json_snapshot!("policy-dev", document(&whole));
    insta::assert_json_snapshot!("policy-dev-read-only", document(&looking(&environment, &stack)));
    // With everything that an organisation can require, except former keys, it may need several policies.
    let organisation = organisation(&[]);
    let organised = super::stack(&organisation);
    let sizes: Vec<usize> = documents(&deploying(&organisation, &organised)).iter().map(size).collect();
    assert!(
        sizes.iter().all(|size| *size <= MANAGED_POLICY),
        "a managed policy has {MANAGED_POLICY}: {sizes:?}"
    );
    let size = size(&document(&whole));
    assert!(
        size <= MANAGED_POLICY,
        "the policy of dev has {size} characters and needs two managed policies now: put actions on the same \
         resources into one statement, or remove actions that no call needs; if neither is possible, say in \
         docs/commands.md that dev needs two, and change this test"
    );
}

#[test]
fn deploy_policy_names_resources_where_aws_supports_it() {
    let environment = environment("dev");
    let stack = stack(&environment);
    for statement in deploying(&environment, &stack) {
        for resource in &statement.resources {
            let wide: Vec<_> = statement
                .actions
                .iter()
                .filter(|action| !DEPLOYING_WITHOUT_RESOURCE.contains(action))
                .collect();
            assert!(
                resource != "*" || wide.is_empty(),
                "{wide:?} on {resource}: name the resource or, where AWS supports none, add it to \
                 DEPLOYING_WITHOUT_RESOURCE"
            );
        }
        assert!(statement.actions.iter().all(|action| !action.contains('*')), "{statement:?}");
    }
}

/// A statement with ARNs denies an action without a resource type ("Actions, resources, and condition keys",
/// Service Authorization Reference: "you must specify all resources").
#[test]
fn actions_without_a_resource_are_allowed_on_every_resource() {
    let environment = environment("dev");
    let statements = deploying(&environment, &stack(&environment));
    for action in DEPLOYING_WITHOUT_RESOURCE {
        let on: Vec<_> = statements.iter().filter(|statement| statement.actions.contains(action)).collect();
        assert!(
            on.iter().any(|statement| statement.resources == ["*"]),
            "{action} is only allowed on {on:?}"
        );
    }
}

/// "At a minimum, DynamoDB requires the following permissions on a customer managed key"
/// ("DynamoDB encryption at rest: usage notes", DynamoDB developer guide).
#[test]
fn deploy_policy_grants_the_table_key_as_dynamodb_requires() {
    const LEAST: [&str; 6] = [
        "kms:CreateGrant",
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey*",
        "kms:ReEncrypt*",
    ];
    let environment = organisation(&[]);
    let statements = deploying(&environment, &stack(&environment));
    let of_table: Vec<_> = statements.iter().filter(|one| one.resources == [key("table")]).collect();
    let [statement] = of_table.as_slice() else { panic!("one statement is about the key: {of_table:?}") };
    assert_eq!(statement.actions, LEAST);
    let via = ("StringEquals", "kms:ViaService".to_owned(), "dynamodb.eu-central-1.amazonaws.com".to_owned());
    assert_eq!(statement.conditions, [via]);
}
