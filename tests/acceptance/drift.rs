//! `drift`: manual changes are reported with their path, separately from changes that are not deployed yet,
//! and `up` repairs them.
//!
//! The table of drifts is in the folder of this name, by kind. Changes that the local cloud accepts but does
//! not store cannot be a row; for each such field, the kind's file names the unit test of the reader that
//! covers it.

mod alarm;
mod bucket;
mod complete;
mod dashboard;
mod function;
mod function_url;
mod log_group;
mod mapping;
mod noise;
mod role;
mod row;
mod stream;
mod table;

use acceptance::{Cloud, Place, Run};
use aws::AwsNames;
use aws_sdk_lambda::types::Environment;
use engine::scope::Scope;
use serde_json::{Value, json};

use self::row::Row;
use crate::Test;
use crate::operator::Operator;

pub(crate) const TESTS: &[Test] = &[
    ("drift_is_distinguished_from_pending_and_repaired", drift_is_distinguished_from_pending_and_repaired),
    ("drift_table_rows_are_all_reported_and_repaired", drift_table_rows_are_all_reported_and_repaired),
    ("fields_all_have_a_drift_row_or_test", fields_all_have_a_drift_row_or_test),
];

/// The environment of the table's tests. Its stream's retention can be made longer and shorter manually, and a
/// function has a URL.
pub(crate) const ENVIRONMENT: &str =
    "[functions.get-cart]\nurl = true\n\n[stream]\nretention_hours = 48\n\n[local]\nport = 4566\n";
/// The same, without a local cloud.
const ON_AWS: &str = "[functions.get-cart]\nurl = true\n\n[stream]\nretention_hours = 48\n";

/// Every row of the table is reported, alone and at its path, repaired, and in sync afterwards.
fn drift_table_rows_are_all_reported_and_repaired(cloud: &Cloud) {
    let place = cloud.place();
    place.environment("local", ENVIRONMENT);
    let root = Operator::of_root(&place);
    assert_eq!(root.run(&["up", "local"]).code, Some(0));
    whole_table(&place, &root);
    policy_of_the_bucket(&place, &root);
}

/// Every compared field has a row in the table, or a unit test of the reader if the local cloud cannot show
/// it.
fn fields_all_have_a_drift_row_or_test(cloud: &Cloud) {
    let scope = cloud.place().scope("local");
    let rows = rounds(&scope).into_iter().chain(bucket::of_the_policy(&scope)).flatten();
    let rows: Vec<_> = rows.flat_map(|row| row.places().collect::<Vec<_>>()).collect();
    complete::insist(&scope, &rows, &cloud.root().join("deployer/aws/src/resources"));
}

/// Checks the rows that a cloud without TLS can show, in a deployed environment.
pub(crate) fn whole_table(place: &Place<'_>, operator: &Operator<'_>) {
    quiet_about_noise(place, operator);
    for rows in rounds(&place.scope("local")) {
        row::round(place, operator, &rows);
    }
}

/// Checks the rows about the bucket's policy, which exists only outside of a local cloud. With this policy,
/// only root can access the bucket without TLS.
pub(crate) fn policy_of_the_bucket(place: &Place<'_>, root: &Operator<'_>) {
    place.environment("local", ON_AWS);
    let up = root.run(&["up", "local", "--yes"]);
    assert_eq!(up.code, Some(0), "{up:#?}");
    for rows in bucket::of_the_policy(&place.scope("local")) {
        row::round(place, root, &rows);
    }
    place.environment("local", ENVIRONMENT);
    let up = root.run(&["up", "local"]);
    assert_eq!(up.code, Some(0), "{up:#?}");
}

/// Returns the rows in rounds; the rows of a round do not affect each other.
fn rounds(scope: &Scope) -> [Vec<Row>; 4] {
    let first = [alarm::first, bucket::first, dashboard::first, function::first, function_url::first];
    let first =
        first.into_iter().chain([log_group::first, mapping::first, role::first, stream::first, table::first]);
    let second = [bucket::second, function::second, mapping::second, stream::second, table::second];
    let gone = [alarm::gone, dashboard::gone, function_url::gone, log_group::gone, mapping::gone, role::gone];
    let gone = gone.into_iter().chain([function::gone as fn(&Scope) -> Vec<Row>]);
    let stores = [bucket::gone, stream::gone, table::gone];
    [
        first.flat_map(|rows| rows(scope)).collect(),
        second.into_iter().flat_map(|rows| rows(scope)).collect(),
        gone.flat_map(|rows| rows(scope)).collect(),
        stores.into_iter().flat_map(|rows| rows(scope)).collect(),
    ]
}

/// Makes all calls that change nothing, and checks that nothing is reported.
fn quiet_about_noise(place: &Place<'_>, operator: &Operator<'_>) {
    let aws = place.aws("local");
    for (name, by_hand) in noise::NOISE {
        let made = place.cloud.wait(by_hand(&aws));
        made.unwrap_or_else(|error| panic!("`{name}` fails: {error:?}"));
    }
    row::clean(operator);
}

/// The value of a variable that was set manually; no output may show it.
const SECRET: &str = "hunter2-by-hand";

/// First everything is in sync, then a change is pending, then one resource has both drift and a pending
/// change, then only drift. Everything is repaired, but data is not lost without permission.
fn drift_is_distinguished_from_pending_and_repaired(cloud: &Cloud) {
    let place = cloud.place();
    configure(&place, 256);
    place.deploys(&["up", "local"]);
    insist(&place, 0, "in_sync");

    configure(&place, 320);
    let run = insist(&place, 2, "pending");
    let get_cart = format!("lambda.function/{}", place.scope("local").name("get-cart"));
    assert_eq!(of(&run, &get_cart)["verdicts"], json!(["pending"]));

    meddle(&place);
    let run = insist(&place, 3, "drift");
    assert_eq!(of(&run, &get_cart)["verdicts"], json!(["drift", "pending"]));
    let open_cart = get_cart.replace("get-cart", "open-cart");
    assert_eq!(of(&run, &open_cart)["verdicts"], json!(["pending"]));

    configure(&place, 256);
    let run = insist(&place, 3, "drift");
    assert_eq!(run.json()["verdicts"]["drift"], 2, "{}", run.stdout);
    masks(&place);

    losses_need_leave(&place);
    configure(&place, 256);
    place.deploys(&["up", "local"]);
    insist(&place, 0, "in_sync");
    missing_stamp(&place);
}

/// Compares, and checks the exit code, the gravest verdict, and that nothing was written.
fn insist(place: &Place<'_>, code: i32, verdict: &str) -> Run {
    let run = place.only_reads(&["drift", "local", "--format", "json"]);
    assert_eq!(run.code, Some(code), "{run:#?}");
    assert_eq!(run.json()["verdict"], verdict, "{run:#?}");
    run
}

/// Outside of a local cloud, shortening the stream's retention needs `--allow`.
fn losses_need_leave(place: &Place<'_>) {
    place.environment("local", "");
    let stream = format!("kinesis.stream/{}", place.scope("local").name("events"));
    let up = place.only_reads(&["up", "local", "--yes"]);
    assert_eq!(up.code, Some(1), "{up:#?}");
    assert!(up.stderr.contains(&format!("--allow {stream}")), "{up:#?}");
}

/// Without its stamp, a resource's drift cannot be detected: it is pending.
fn missing_stamp(place: &Place<'_>) {
    let aws = place.aws("local");
    let arn = aws.scope.arn("logs", "log-group:/aws/lambda/cart-local-add-item");
    let untag = aws.logs.untag_resource().resource_arn(arn).tag_keys("deployer:stamp");
    place.cloud.wait(untag.send()).expect("the group exists");
    let run = insist(place, 2, "pending");
    let group = of(&run, "logs.log-group//aws/lambda/cart-local-add-item");
    assert_eq!(paths(&group), ["tags.deployer:stamp"]);
    place.deploys(&["up", "local"]);
    insist(place, 0, "in_sync");
}

/// No format shows the values of variables.
fn masks(place: &Place<'_>) {
    for format in ["human", "json", "markdown", "github"] {
        let run = place.deployer(&["drift", "local", "--format", format]);
        assert_eq!(run.code, Some(3), "{run:#?}");
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(said.contains("sha256:"), "{format} hides the change: {said}");
        assert!(!said.contains(SECRET), "{format} shows a value: {said}");
    }
}

fn configure(place: &Place<'_>, memory_mb: u32) {
    place.environment("local", &format!("[functions]\nmemory_mb = {memory_mb}\n\n[local]\nport = 4566\n"));
}

/// Changes a function, with a secret, and the stream manually.
fn meddle(place: &Place<'_>) {
    let aws = place.aws("local");
    place.cloud.wait(async {
        let variables = Environment::builder().variables("PASSWORD", SECRET).build();
        let call = aws.lambda.update_function_configuration().function_name(aws.scope.name("get-cart"));
        call.memory_size(1024).environment(variables).send().await.expect("the function exists");
        let call = aws.kinesis.increase_stream_retention_period().stream_name(aws.scope.name("events"));
        call.retention_period_hours(48).send().await.expect("the stream exists");
    });
}

fn of(run: &Run, id: &str) -> Value {
    let json = run.json();
    let steps = json["resources"].as_array().expect("resources are a list");
    steps.iter().find(|step| step["id"] == id).unwrap_or_else(|| panic!("{id} is not in {json:#}")).clone()
}

fn paths(step: &Value) -> Vec<&str> {
    let changes = step["changes"].as_array().expect("changes are a list");
    changes.iter().filter_map(|change| change["path"].as_str()).collect()
}
