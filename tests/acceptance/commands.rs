//! The command line: accepted and refused arguments, and the output stream of each result.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::process::Stdio;

use acceptance::{Cloud, Hollow, Place, Run, until};
use aws::AwsNames;
use serde_json::{Value, json};

use crate::Test;

/// An empty account.
const NOBODY: &str = "000000000009";

pub(crate) const TESTS: &[Test] = &[
    ("usage_errors_are_refused_with_a_hint", usage_errors_are_refused_with_a_hint),
    ("outputs_agree_and_need_no_call", outputs_agree_and_need_no_call),
    ("import_blocks_name_everything_that_is_deployed", import_blocks_name_everything_that_is_deployed),
    ("functions_are_called_and_their_logs_read", functions_are_called_and_their_logs_read),
    ("plan_comes_in_four_forms", plan_comes_in_four_forms),
];

/// Errors in the command line or in a file are reported on standard error, with a hint; standard output is
/// empty, and the exit code is 64.
fn usage_errors_are_refused_with_a_hint(cloud: &Cloud) {
    let place = cloud.place();
    place.environment("key", "protekt = true\n");
    place.environment("type", "protect = \"yes\"\n");
    let cases: [(&[&str], &[&str]); 13] = [
        (&["up", "stagin"], &["stagin.toml", "hint:", "local"]),
        (&["plan", "../local"], &["`../local`", "hint:"]),
        (&["plan", "key"], &["key.toml:3:", "protekt", "hint:"]),
        (&["drift", "type"], &["type.toml:3:", "protect = \"yes\"", "hint:"]),
        (&["plan", "local", "--environments", "nowhere"], &["nowhere", "hint:"]),
        (&["frobnicate"], &["frobnicate", "--help"]),
        (&["up"], &["<ENVIRONMENT>", "usage:"]),
        (&["plan", "local", "--format", "yaml"], &["yaml", "markdown"]),
        (&["logs", "local", "--since", "soon"], &["soon", "10m"]),
        (&["logs", "local", "no-such"], &["no-such", "hint:", "add-item"]),
        (&["invoke", "local", "no-such"], &["no-such", "hint:", "add-item"]),
        (&["invoke", "local", "add-item", "--payload", "{cart"], &["not JSON", "hint:"]),
        (&["invoke", "local", "add-item", "--payload", "@missing.json"], &["missing.json"]),
    ];
    for (arguments, said) in cases {
        // `--environments` cannot be repeated.
        let run = if arguments.contains(&"--environments") {
            Run::of(std::process::Command::new(cloud.binary()).args(arguments))
        } else {
            place.deployer(arguments)
        };
        assert_eq!(run.code, Some(64), "{arguments:?}: {run:#?}");
        assert_eq!(run.stdout, "", "{arguments:?}: {run:#?}");
        for text in said {
            assert!(run.stderr.contains(text), "{arguments:?} does not contain `{text}`: {}", run.stderr);
        }
        plain(&run);
    }
}

/// Names and ARNs are the same in all formats, and need no deployed environment and no connection.
fn outputs_agree_and_need_no_call(cloud: &Cloud) {
    let place = cloud.place();
    let outputs = |format: &str| {
        let mut command = place.command(&["outputs", "local", "--format", format]);
        // Nothing listens on port 9, so that a call would fail.
        let run = Run::of(command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9"));
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run:#?}");
        plain(&run);
        run
    };
    let json = outputs("json").json();
    assert_eq!((&json["schema"], &json["environment"]), (&json!(1), &json!("local")));
    let listed = json["outputs"].as_array().expect("outputs are a list");
    let (human, env) = (outputs("human").stdout, outputs("env").stdout);
    assert_eq!(human.lines().count(), listed.len());
    assert_eq!(env.lines().count(), listed.len());
    for (output, (human, env)) in listed.iter().zip(human.lines().zip(env.lines())) {
        let text = |key: &str| output[key].as_str().unwrap_or_default();
        let row: Vec<&str> = human.split_whitespace().collect();
        assert_eq!(row.join(" "), format!("{} {} {}", text("kind"), text("name"), text("arn")).trim());
        let (variable, value) = env.split_once('=').expect("each line for a shell is an assignment");
        assert_eq!(value, text("name"));
        assert!(variable.bytes().all(|byte| byte.is_ascii_uppercase() || b"_0123456789".contains(&byte)));
    }
    let scope = place.scope("local");
    for line in [
        format!("DYNAMODB_TABLE_EVENTS={}", scope.name("events")),
        format!("S3_BUCKET_ARCHIVE={}", scope.bucket_name("archive")),
        format!("IAM_ROLE_CAPTURE={}", scope.role_name("capture")),
    ] {
        assert!(env.lines().any(|known| known == line), "{line} is not in {env}");
    }
}

/// Terraform's import blocks need a deployed environment. They have the UUIDs of its mappings and all its
/// resources; one that was deleted by hand is left out with a warning. Reading them changes nothing.
fn import_blocks_name_everything_that_is_deployed(cloud: &Cloud) {
    let (place, hollow) = (cloud.place(), Hollow::of(cloud).expect("a temporary folder can be created"));
    let arguments = ["outputs", "local", "--format", "terraform-import"];
    let nothing = place.deployer(&arguments);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (Some(1), ""), "{nothing:#?}");
    assert!(nothing.stderr.contains("up local"), "{nothing:#?}");

    let up = Run::of(&mut hollow.command(&place, &["up", "local"]));
    assert_eq!(up.code, Some(0), "{up:#?}");
    let run = place.only_reads(&arguments);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run:#?}");
    plain(&run);
    let ids = ids_by_type(&run.stdout);
    let outputs = place.deploys(&["outputs", "local", "--format", "json"]).json();
    let outputs = outputs["outputs"].as_array().expect("outputs are a list");
    let names_of = |kind: &str| -> BTreeSet<String> {
        let of_kind = outputs.iter().filter(|output| output["kind"] == kind);
        of_kind.map(|output| output["name"].as_str().unwrap_or_default().to_owned()).collect()
    };
    for (type_name, kind) in [
        ("aws_cloudwatch_dashboard", "cloudwatch.dashboard"),
        ("aws_cloudwatch_log_group", "logs.log-group"),
        ("aws_cloudwatch_metric_alarm", "cloudwatch.alarm"),
        ("aws_dynamodb_table", "dynamodb.table"),
        ("aws_iam_role", "iam.role"),
        ("aws_kinesis_stream", "kinesis.stream"),
        ("aws_lambda_function", "lambda.function"),
        ("aws_s3_bucket", "s3.bucket"),
        ("aws_s3_bucket_versioning", "s3.bucket"),
    ] {
        assert_eq!(ids[type_name], names_of(kind), "{type_name}");
    }
    let aws = place.aws("local");
    let mappings = place.cloud.wait(aws.lambda.list_event_source_mappings().send());
    let mappings = mappings.expect("mappings can be listed").event_source_mappings.unwrap_or_default();
    let uuids: BTreeSet<String> = mappings.into_iter().filter_map(|mapping| mapping.uuid).collect();
    assert!(uuids.len() > 2, "{uuids:?}");
    assert_eq!(ids["aws_lambda_event_source_mapping"], uuids);

    let group = format!("/aws/lambda/{}", aws.scope.name("capture"));
    let deleted = place.cloud.wait(aws.logs.delete_log_group().log_group_name(&group).send());
    deleted.expect("the log group exists");
    let run = place.deploys(&arguments);
    assert!(run.stderr.contains(&format!("logs.log-group/{group} does not exist")), "{run:#?}");
    assert!(!ids_by_type(&run.stdout)["aws_cloudwatch_log_group"].contains(&group), "{run:#?}");
}

/// Returns the ids of import blocks by type, after a check of the form that `terraform fmt` gives a block.
fn ids_by_type(blocks: &str) -> BTreeMap<String, BTreeSet<String>> {
    let (mut ids, mut addresses) = (BTreeMap::<_, BTreeSet<_>>::new(), BTreeSet::new());
    let (_comment, blocks) = blocks.split_once("\n\n").expect("a comment is before the first block");
    for block in blocks.split("\n\n") {
        let lines: Vec<&str> = block.lines().collect();
        let ["import {", to, id, "}"] = lines.as_slice() else { panic!("not an import block: {block}") };
        let address = to.strip_prefix("  to = ").expect("the address is first");
        let id = id.strip_prefix("  id = ").expect("the id is second");
        let (type_name, label) = address.split_once('.').expect("an address is a type and a name");
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(label.chars().all(is_word) && !label.starts_with(|c: char| c.is_ascii_digit()), "{label}");
        assert!(addresses.insert(address), "{address} is there twice");
        let id = serde_json::from_str(id).expect("the ids here have no templates of HCL");
        ids.entry(type_name.to_owned()).or_default().insert(id);
    }
    ids
}

/// `invoke` prints only the answer to standard output, reads requests in three ways, shows the end of the log
/// as well, and fails if the function fails; `logs` shows the functions' log lines.
fn functions_are_called_and_their_logs_read(cloud: &Cloud) {
    let place = cloud.place();
    place.deploys(&["up", "local"]);
    let opened = place.deploys(&["invoke", "local", "open-cart"]);
    assert_eq!(opened.stderr, "", "{opened:#?}");
    let cart = opened.json()["cart_id"].clone();
    let request = json!({"cart_id": cart, "item": "apple", "quantity": 2}).to_string();
    let file = place.folder().join("request.json");
    fs::write(&file, &request).expect("a new folder is writable");
    let file = format!("@{}", file.display());
    let added = place.deploys(&["invoke", "local", "cart-local-add-item", "--payload", &file]);
    assert_eq!(added.json()["items"], json!([{"item": "apple", "quantity": 2}]));
    let piped = piped(&place, &["invoke", "local", "add-item", "--payload", "-", "--tail"], &request);
    assert_eq!(piped.json()["items"], json!([{"item": "apple", "quantity": 4}]));
    assert!(piped.stderr.contains("decided") && !opened.stderr.contains("decided"), "{piped:#?}");
    let refused =
        place.deploys(&["invoke", "local", "add-item", "--payload", r#"{"cart_id":"x","item":"y"}"#]);
    assert!(refused.json()["error"].is_string(), "a violated rule is an answer: {refused:#?}");

    shows_logs(&place, cart.as_str().unwrap_or_default());
    break_function(&place, "get-cart");
    let broken = until("the function to fail", || {
        let run = place.deployer(&["invoke", "local", "get-cart", "--payload", &request_of(&cart)]);
        (run.code == Some(1)).then_some(run)
    });
    assert!(broken.json()["errorMessage"].is_string(), "{broken:#?}");
    assert!(broken.stderr.contains("logs local get-cart"), "{broken:#?}");
    let absent = Run::of(place.command(&["invoke", "local", "get-cart"]).env("AWS_ACCESS_KEY_ID", NOBODY));
    assert_eq!((absent.code, absent.stdout.as_str()), (Some(1), ""), "{absent:#?}");
    assert!(absent.stderr.contains("up local"), "{absent:#?}");
    for run in [opened, added, broken, absent] {
        plain(&run);
    }
}

/// Log lines come from all functions or the named one, within the requested time, filtered.
fn shows_logs(place: &Place<'_>, cart: &str) {
    let logs = |arguments: &[&str]| place.deploys(&[&["logs", "local"], arguments].concat()).stdout;
    let all = until("the consumer's log line", || {
        let lines = logs(&["--since", "1h"]);
        lines.lines().any(|line| line.contains(" log-events ") && line.contains(cart)).then_some(lines)
    });
    assert!(all.lines().any(|line| line.contains(" capture ")), "{all}");
    let one = logs(&["log-events"]);
    assert!(!one.is_empty() && one.lines().all(|line| line.contains(" log-events ")), "{one}");
    let filtered = logs(&["log-events", "--filter", cart]);
    assert!(!filtered.is_empty() && filtered.lines().all(|line| line.contains(cart)), "{filtered}");
    assert_eq!(logs(&["log-events", "--filter", "no-such-text"]), "");
    assert_eq!(logs(&["log-events", "--since", "0s"]), "");
}

/// The JSON of a plan has the documented shape. Markdown and GitHub's annotations have their formats. No
/// format, and no plan in text, has colours when written to a pipe.
fn plan_comes_in_four_forms(cloud: &Cloud) {
    let place = cloud.place();
    let plan = |format: &str| {
        let run = place.only_reads(&["plan", "local", "--format", format]);
        assert_eq!((run.code, run.stderr.as_str()), (Some(2), ""), "{run:#?}");
        plain(&run);
        run
    };
    let json = plan("json").json();
    let keys = |value: &Value| value.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>());
    let top = ["actions", "compared", "environment", "resources", "schema", "verdict", "verdicts"];
    assert_eq!(keys(&json), Some(top.map(str::to_owned).to_vec()));
    assert_eq!(json["schema"], 1);
    assert_eq!((&json["environment"], &json["verdict"]), (&json!("local"), &json!("pending")));
    let resources = json["resources"].as_array().expect("resources are a list");
    let creates = json!({
        "create": resources.len(), "update": 0, "recreate": 0, "disable": 0, "delete": 0, "refuse": 0, "keep": 0
    });
    assert_eq!(json["actions"], creates);
    let pending = json!({
        "in_sync": 0, "drift": 0, "pending": resources.len(), "unknown": 0, "unmanaged": 0, "orphan": 0
    });
    assert_eq!(json["verdicts"], pending);
    let name = place.scope("local").name("add-item");
    let expected = json!({
        "id": format!("lambda.function/{name}"), "kind": "lambda.function", "name": name,
        "action": "create", "verdicts": ["pending"], "risk": "safe", "changes": [],
    });
    assert!(resources.contains(&expected), "{expected:#} is not in {json:#}");

    let (human, markdown, github) = (plan("human"), plan("markdown"), plan("github"));
    let heading = "<!-- deployer:plan:cart-local -->\n### Plan of `cart-local`";
    assert!(markdown.stdout.starts_with(heading), "{markdown:#?}");
    assert!(github.stdout.contains(heading), "{github:#?}");
    for resource in resources {
        let id = resource["id"].as_str().expect("an id is text");
        for run in [&human, &markdown, &github] {
            assert!(run.stdout.contains(id), "{id} is not in {run:#?}");
        }
    }
}

/// Runs the deployer with this text on its standard input.
fn piped(place: &Place<'_>, arguments: &[&str], text: &str) -> Run {
    let mut command = place.command(arguments);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary exists");
    let mut stdin = child.stdin.take().expect("standard input is piped");
    stdin.write_all(text.as_bytes()).expect("the deployer reads its input");
    drop(stdin);
    Run::from(child.wait_with_output().expect("the process is a child"))
}

/// Removes the permissions from the role of a function.
fn break_function(place: &Place<'_>, function: &str) {
    let aws = place.aws("local");
    let role = aws.scope.role_name(function);
    place.cloud.wait(async {
        let policies = aws.iam.list_role_policies().role_name(&role).send().await;
        for policy in policies.expect("the role exists").policy_names {
            let call = aws.iam.delete_role_policy().role_name(&role).policy_name(policy);
            call.send().await.expect("the policy was listed");
        }
    });
}

fn request_of(cart: &Value) -> String {
    json!({ "cart_id": cart }).to_string()
}

/// Output to a pipe must have no colours.
fn plain(run: &Run) {
    assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'), "{run:#?}");
}
