//! `policy`: a user with only these permissions can deploy, compare, repair and destroy, and all of the
//! permissions are needed for that.
//!
//! MiniStack enforces policies under `AUTH=true`, with its own names for some resources; see [`local`]. It
//! does not check `iam:PassRole`, nor the permissions for tags at creation: those count as needed by the
//! calls for which the Service Authorization Reference lists them.

mod local;
mod needed;

use aws::AwsNames;
use std::collections::BTreeSet;

use acceptance::{Cloud, Place, Run};
use aws_sdk_cloudwatch::types::{ComparisonOperator, Statistic, Tag};
use aws_sdk_iam::types::AccessKey;
use serde_json::{Value, json};

use self::needed::{UNREACHED, needed_by};
use crate::operator::Operator;
use crate::{Test, drift};

pub(crate) const TESTS: &[Test] = &[
    ("deploy_policy_is_sufficient_and_minimal", deploy_policy_is_sufficient_and_minimal),
    ("missing_policy_action_is_named", missing_policy_action_is_named),
    ("read_only_policy_is_enough_to_read", read_only_policy_is_enough_to_read),
];

/// A user with exactly this policy deploys everything, repairs every drift of the table, prunes, and destroys
/// everything. Each action of the policy is needed by some call.
fn deploy_policy_is_sufficient_and_minimal(cloud: &Cloud) {
    let place = cloud.place();
    place.environment("local", drift::ENVIRONMENT);
    let policy = policy(&place, &["policy", "local"]);
    let (root, user) = (Operator::of_root(&place), user(&place, &policy));
    succeeds(&user, &["up", "local"]);
    drift::whole_table(&place, &user);
    // With the bucket's policy, only root can access the bucket without TLS.
    drift::policy_of_the_bucket(&place, &root);
    demands_of_an_organisation(&place, &root);
    leave_something_to_prune(&place);
    succeeds(&user, &["up", "local", "--prune"]);
    succeeds(&user, &["history", "local"]);
    leave_something_to_empty(&place);
    succeeds(&user, &["down", "local"]);

    let calls = [user.calls(), root.calls()].concat();
    let used: BTreeSet<String> =
        calls.iter().flat_map(|call| needed_by(&call.service, &call.operation)).collect();
    let granted = actions(&policy);
    let lacking: Vec<_> = used.difference(&granted).collect();
    let unreached: BTreeSet<String> = UNREACHED.iter().map(|(action, _)| (*action).to_owned()).collect();
    let idle: Vec<_> = granted.difference(&used).filter(|action| !unreached.contains(*action)).collect();
    let reached: Vec<_> =
        unreached.iter().filter(|action| used.contains(*action) || !granted.contains(*action)).collect();
    assert!(
        lacking.is_empty() && idle.is_empty() && reached.is_empty(),
        "missing {lacking:#?}, not needed by any call {idle:#?}, listed as unreached but used or not granted {reached:#?}",
    );
}

/// Actions of several services are removed from the policy: resources that need them fail, with the action in
/// the message, and all other resources are created.
fn missing_policy_action_is_named(cloud: &Cloud) {
    const TAKEN: [&str; 4] =
        ["dynamodb:CreateTable", "iam:PutRolePolicy", "kinesis:CreateStream", "s3:PutBucketVersioning"];
    let place = cloud.place();
    let whole = policy(&place, &["policy", "local"]);
    let run = user(&place, &without(&whole, &TAKEN)).run(&["up", "local"]);
    assert_eq!(run.code, Some(1), "{run:#?}");
    for action in TAKEN {
        assert!(run.stderr.contains(action), "{action} is not named: {}", run.stderr);
    }
    let run = user(&place, &without(&whole, &["dynamodb:DescribeTable"])).run(&["up", "local"]);
    assert_eq!(run.code, Some(4), "{run:#?}");
    assert!(run.stderr.contains("dynamodb:DescribeTable"), "{run:#?}");
}

/// A user with the read-only policy can read everything, and changes nothing.
fn read_only_policy_is_enough_to_read(cloud: &Cloud) {
    let place = cloud.place();
    let policy = policy(&place, &["policy", "local", "--read-only"]);
    let user = user(&place, &policy);
    for (code, arguments) in [(2, ["plan", "local"]), (2, ["drift", "local"])] {
        let run = user.run(&arguments);
        assert_eq!(run.code, Some(code), "{run:#?}");
    }
    place.deploys(&["up", "local"]);
    succeeds(&user, &["drift", "local"]);
    succeeds(&user, &["outputs", "local", "--format", "terraform-import"]);
    let up = user.run(&["down", "local"]);
    assert_eq!(up.code, Some(1), "{up:#?}");
    assert!(place.deployer(&["drift", "local"]).code == Some(0), "{up:#?}");
}

/// Deploys with a permissions boundary and a key, and removes both again. Both need another policy, that of
/// an environment with these settings.
fn demands_of_an_organisation(place: &Place<'_>, root: &Operator<'_>) {
    let key = format!("arn:aws:kms:us-east-1:{}:key/11111111-2222-3333-4444-555555555555", place.account);
    let org = format!(
        "[org]\npermissions_boundary = \"arn:aws:iam::aws:policy/PowerUserAccess\"\n\n\
         [org.kms]\nstream = \"{key}\"\ntable = \"{key}\"\n\n{}",
        drift::ENVIRONMENT,
    );
    for environment in [org.as_str(), drift::ENVIRONMENT] {
        place.environment("local", environment);
        succeeds(root, &["up", "local"]);
    }
}

pub(crate) fn succeeds(who: &Operator<'_>, arguments: &[&str]) -> Run {
    let run = who.run(arguments);
    // The output starts with the plan, which has a line for every resource.
    let failed = |line: &&str| !line.trim_start().starts_with(['+', '~', '✓']);
    let said: Vec<&str> = run.stderr.lines().filter(failed).collect();
    assert_eq!(run.code, Some(0), "{arguments:?}: {said:#?}");
    run
}

/// Runs the command, which makes no call. Returns the document, with lists instead of single values.
pub(crate) fn policy(place: &Place<'_>, arguments: &[&str]) -> Value {
    let mut command = place.command(arguments);
    // No endpoint answers, and there are no credentials.
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").env_remove("AWS_ACCESS_KEY_ID");
    let run = Run::of(command.env_remove("AWS_SECRET_ACCESS_KEY"));
    assert_eq!(run.code, Some(0), "{run:#?}");
    let mut policy = run.json();
    for statement in policy["Statement"].as_array_mut().expect("statements are a list") {
        for field in ["Action", "Resource"] {
            let value = statement[field].take();
            statement[field] = if value.is_array() { value } else { json!([value]) };
        }
    }
    policy
}

/// Creates a user with only this policy.
pub(crate) fn user<'a>(place: &'a Place<'a>, policy: &Value) -> Operator<'a> {
    let iam = &place.aws("local").iam;
    let name = format!("user-{}", uuid::Uuid::new_v4());
    let key: AccessKey = place.cloud.wait(async {
        iam.create_user().user_name(&name).send().await.expect("root may create users");
        let document = local::as_checked_here(policy).to_string();
        let made = iam.create_policy().policy_name(&name).policy_document(document).send().await;
        let arn = made
            .expect("the document is a policy")
            .policy
            .and_then(|policy| policy.arn)
            .expect("a policy has an ARN");
        let attached = iam.attach_user_policy().user_name(&name).policy_arn(arn).send().await;
        attached.expect("user and policy exist");
        let key = iam.create_access_key().user_name(&name).send().await.expect("the user exists");
        key.access_key.expect("the key was created")
    });
    Operator::of_user(place, key.access_key_id(), key.secret_access_key())
}

/// Creates an alarm with the environment's tags that is not in the stack.
fn leave_something_to_prune(place: &Place<'_>) {
    let aws = place.aws("local");
    let tags = aws.scope.tags().into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let call = aws.cloudwatch.put_metric_alarm().alarm_name(aws.scope.name("left-over"));
    let call = call.namespace("ByHand").metric_name("ByHand").statistic(Statistic::Sum).period(60);
    let call = call.evaluation_periods(1).threshold(1.0);
    let call = call.comparison_operator(ComparisonOperator::GreaterThanThreshold);
    place.cloud.wait(call.set_tags(Some(tags.collect())).send()).expect("root may create alarms");
}

/// Puts versions and an unfinished upload into the bucket, which have to be deleted before it.
fn leave_something_to_empty(place: &Place<'_>) {
    let aws = place.aws("local");
    let bucket = aws.scope.bucket_name("archive");
    place.cloud.wait(async {
        for key in ["twice", "twice"] {
            aws.s3.put_object().bucket(&bucket).key(key).send().await.expect("root may write");
        }
        aws.s3
            .create_multipart_upload()
            .bucket(&bucket)
            .key("begun")
            .send()
            .await
            .expect("root may start an upload");
    });
}

/// Returns the document without these actions.
fn without(policy: &Value, taken: &[&str]) -> Value {
    let mut policy = policy.clone();
    for statement in policy["Statement"].as_array_mut().expect("statements are a list") {
        let actions = statement["Action"].as_array_mut().expect("actions are a list");
        actions.retain(|action| !taken.iter().any(|taken| action == taken));
    }
    policy["Statement"]
        .as_array_mut()
        .expect("statements are a list")
        .retain(|one| one["Action"] != json!([]));
    policy
}

/// Returns all actions of a document.
fn actions(policy: &Value) -> BTreeSet<String> {
    let statements = policy["Statement"].as_array().expect("statements are a list").iter();
    let actions =
        statements.flat_map(|statement| statement["Action"].as_array().expect("actions are a list"));
    actions.map(|action| action.as_str().expect("an action is text").to_owned()).collect()
}
