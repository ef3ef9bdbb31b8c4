//! Adopting and pruning resources, and the history of deployments.

use acceptance::{Cloud, Place, Run, differences};
use aws::{Aws, AwsNames};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{EventSourcePosition, FunctionCode, FunctionUrlAuthType, Runtime};
use engine::release::{Release, ReleaseRecord};
use engine::scope::Tags;
use serde_json::Value;

use crate::Test;

pub(crate) const TESTS: &[Test] = &[
    ("adopted_log_group_is_owned_from_then_on", adopted_log_group_is_owned_from_then_on),
    ("orphans_of_every_kind_go_on_demand", orphans_of_every_kind_go_on_demand),
    ("history_shows_who_deployed_what", history_shows_who_deployed_what),
    ("removed_handler_stops_and_a_colleagues_goes_on", removed_handler_stops_and_a_colleagues_goes_on),
    (
        "code_that_cannot_read_what_may_be_stored_is_refused",
        code_that_cannot_read_what_may_be_stored_is_refused,
    ),
    ("resources_that_lost_their_tags_are_retagged", resources_that_lost_their_tags_are_retagged),
];

/// A log group that Lambda created first stops `up`. Adopted by name, it gets the stack's settings, keeps its
/// other tags, and is deleted by `down`.
fn adopted_log_group_is_owned_from_then_on(cloud: &Cloud) {
    let place = cloud.place();
    let aws = place.aws("local");
    let group = format!("/aws/lambda/{}", aws.scope.name("add-item"));
    let id = format!("logs.log-group/{group}");
    cloud.wait(async {
        let create = aws.logs.create_log_group().log_group_name(&group).tags("team", "checkout");
        create.send().await.expect("the name is free");
    });
    let stopped = place.only_reads(&["up", "local"]);
    assert_eq!(stopped.code, Some(5), "{stopped:#?}");
    assert!(stopped.stderr.contains("--adopt"), "the hint names the option: {stopped:#?}");
    let wrong = place.only_reads(&["up", "local", "--adopt", "logs.log-group//aws/lambda/other"]);
    assert_eq!(wrong.code, Some(64), "{wrong:#?}");

    place.deploys(&["up", "local", "--adopt", &id]);
    assert_eq!(place.deployer(&["drift", "local"]).code, Some(0));
    let (retention, tags) = log_group(&place, &aws, &group).expect("the group exists");
    assert!(retention.is_some(), "the group has the stack's settings");
    assert_eq!(tags.get("team").map(String::as_str), Some("checkout"), "{tags:?}");

    place.deploys(&["down", "local"]);
    assert!(log_group(&place, &aws, &group).is_none());
}

/// One orphan of each kind is reported, kept by `up`, and deleted with `--prune`, those with data only if
/// they are named as well. Resources of `local-2` are kept.
fn orphans_of_every_kind_go_on_demand(cloud: &Cloud) {
    let place = cloud.place();
    place.deploys(&["up", "local"]);
    let aws = place.aws("local");
    cloud.wait(orphans(&aws, &aws.scope.name("old"), &aws.scope.tags()));
    let theirs = place.scope("local-2");
    cloud.wait(orphans(&aws, &theirs.name("old"), &theirs.tags()));
    let before = place.inventory();

    let drift = place.only_reads(&["drift", "local", "--format", "json"]);
    assert_eq!(drift.code, Some(6), "{drift:#?}");
    let name = aws.scope.name("old");
    let stateless = [
        format!("cloudwatch.alarm/{name}"),
        format!("iam.role/{name}"),
        format!("lambda.event-source-mapping/{name}/kinesis/{name}"),
        format!("lambda.function/{name}"),
        format!("lambda.url/{name}"),
    ];
    let stateful = [
        format!("dynamodb.table/{name}"),
        format!("kinesis.stream/{name}"),
        format!("logs.log-group//aws/lambda/{name}"),
        format!("s3.bucket/{}", aws.scope.bucket_name("old")),
    ];
    let mut all = [&stateless[..], &stateful[..]].concat();
    all.sort();
    assert_eq!(ids(&drift, "orphan"), all);

    let up = place.only_reads(&["up", "local"]);
    assert_eq!(up.code, Some(0), "{up:#?}");
    let pruned = place.deploys(&["up", "local", "--prune"]);
    assert!(pruned.stderr.contains("--allow"), "the hint names the option: {pruned:#?}");
    let drift = place.deployer(&["drift", "local", "--format", "json"]);
    assert_eq!(ids(&drift, "orphan"), stateful);

    let mut named = vec!["up", "local", "--prune"];
    named.extend(stateful.iter().flat_map(|id| ["--allow", id]));
    place.deploys(&named);
    let clean = place.deployer(&["drift", "local"]);
    assert_eq!(clean.code, Some(0), "{clean:#?}");
    let after = place.inventory();
    let went: Vec<&String> = before.keys().filter(|name| !after.contains_key(*name)).collect();
    assert!(went.iter().all(|gone| gone.contains(&name)), "{went:?}");
    assert_eq!(went.len(), 9, "{went:?}");
    assert!(after.keys().all(|name| before.contains_key(name)), "no resource was added");
}

/// A tool removes all tags from a bucket, a table, a role and a stream: `drift` reports it, and `up` adds the
/// tags again. A log group that was deleted and created again manually is unmanaged.
fn resources_that_lost_their_tags_are_retagged(cloud: &Cloud) {
    let place = cloud.place();
    place.deploys(&["up", "local"]);
    let (aws, before) = (place.aws("local"), place.inventory());
    let keys =
        || Some(["stack", "environment", "region", "stamp"].map(|key| format!("deployer:{key}")).to_vec());
    let (bucket, role, events) =
        (aws.scope.bucket_name("archive"), aws.scope.role_name("capture"), aws.scope.name("events"));
    cloud.wait(async {
        aws.s3.delete_bucket_tagging().bucket(&bucket).send().await.expect("the bucket exists");
        let table = aws.scope.arn("dynamodb", &format!("table/{events}"));
        let untag = aws.dynamodb.untag_resource().resource_arn(table).set_tag_keys(keys());
        untag.send().await.expect("the table exists");
        let untag = aws.iam.untag_role().role_name(&role).set_tag_keys(keys());
        untag.send().await.expect("the role exists");
        let untag = aws.kinesis.remove_tags_from_stream().stream_name(&events).set_tag_keys(keys());
        untag.send().await.expect("the stream exists");
    });
    let drift = place.only_reads(&["drift", "local", "--format", "json"]);
    assert_eq!(drift.code, Some(3), "{drift:#?}");
    let lost = [
        format!("dynamodb.table/{events}"),
        format!("iam.role/{role}"),
        format!("kinesis.stream/{events}"),
        format!("s3.bucket/{bucket}"),
    ];
    assert_eq!(ids(&drift, "drift"), lost);
    place.deploys(&["up", "local"]);
    assert_eq!(differences(&before, &place.inventory()), [""; 0]);

    let group = format!("/aws/lambda/{}", aws.scope.name("capture"));
    cloud.wait(async {
        aws.logs.delete_log_group().log_group_name(&group).send().await.expect("the group exists");
        aws.logs.create_log_group().log_group_name(&group).send().await.expect("the name is free");
    });
    let drift = place.only_reads(&["drift", "local", "--format", "json"]);
    assert_eq!(ids(&drift, "unmanaged"), [format!("logs.log-group/{group}")]);
    let down = place.deployer(&["down", "local"]);
    assert_eq!(down.code, Some(1), "{down:#?}");
    assert!(down.stderr.contains(&format!("logs.log-group/{group} was deployed here")), "{down:#?}");
    assert_eq!(place.inventory().len(), 2, "the log group and the record are kept");
}

/// A later release was deployed, with a newer version of an event: this release would store carts that
/// neither release can read completely.
fn code_that_cannot_read_what_may_be_stored_is_refused(cloud: &Cloud) {
    let place = cloud.place();
    place.deploys(&["up", "local"]);
    let aws = place.aws("local");
    let last = cloud.wait(aws.last_release()).expect("the record can be read").expect("there is a record");
    assert_eq!(last.release.reads.get("cart/ItemAdded"), Some(&1), "{last:#?}");
    let mut later = Release { run: "later".to_owned(), ..last.release };
    later.reads.insert("cart/ItemAdded".to_owned(), 2);
    cloud.wait(aws.record(&later, last.number + 1)).expect("the record can be written");

    let refused = place.only_reads(&["up", "local"]);
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    let id = "stored.schema/cart/ItemAdded";
    let said = [id, "version 2 was deployed here", "reads up to version 1", "nothing was changed"];
    assert!(said.iter().all(|said| refused.stderr.contains(said)), "{refused:#?}");
    assert_eq!(place.only_reads(&["drift", "local"]).code, Some(2));

    place.deploys(&["up", "local", "--allow", id]);
    assert_eq!(place.only_reads(&["drift", "local"]).code, Some(0));
}

/// An orphaned mapping that reads its stream is disabled by the next `up` from a checkout whose history
/// contains the commit that created it. Otherwise it is kept enabled, and `up` reports why.
fn removed_handler_stops_and_a_colleagues_goes_on(cloud: &Cloud) {
    let place = cloud.place();
    place.deploys(&["up", "local"]);
    let aws = place.aws("local");
    let (function, stream) = (aws.scope.name("log-events"), aws.scope.name("old"));
    let uuid = cloud.wait(orphaned_mapping(&aws, &function, &stream));
    let id = format!("lambda.event-source-mapping/{function}/kinesis/{stream}");
    let enabled = || {
        let mapping = cloud.wait(aws.lambda.get_event_source_mapping().uuid(&uuid).send());
        mapping.expect("the mapping exists").state() == Some("Enabled")
    };
    let last =
        cloud.wait(aws.last_release()).expect("the record can be read").expect("there is a record").release;
    let made_by = |commit: Option<&str>| {
        let run = |run: &str| Release { run: run.to_owned(), ..last.clone() };
        let mut maker = Release { release: commit.map(str::to_owned), ..run("maker") };
        maker.deployed.insert(id.clone());
        for entry in [run("before"), maker] {
            let before = cloud.wait(aws.last_release()).expect("the record can be read");
            let number = before.expect("there is a record").number + 1;
            cloud.wait(aws.record(&entry, number)).expect("the record can be written");
        }
    };
    let goes_on = |why: &str| {
        let up = place.only_reads(&["up", "local"]);
        assert_eq!(up.code, Some(0), "{up:#?}");
        let warning = up.stderr.split("warning: ").nth(1).unwrap_or_default();
        assert!(warning.contains(&id) && warning.contains(why), "{why}: {up:#?}");
        assert!(warning.contains("up local --prune`") && enabled(), "{up:#?}");
    };

    goes_on("the release record does not say which commit created it");
    made_by(Some("0123456789012345678901234567890123456789"));
    goes_on("which is not in the known history");
    made_by(last.release.as_deref());
    let up = place.deploys(&["up", "local"]);
    assert!(up.stderr.contains(&format!("✓ disabled {id} ")) && !enabled(), "{up:#?}");
    let again = place.only_reads(&["up", "local"]);
    assert_eq!(again.code, Some(0), "{again:#?}");
    assert!(!again.stderr.contains("still reads"), "{again:#?}");
    place.deploys(&["down", "local"]);
}

/// Creates a stream of the environment that is not in the stack, and a mapping with which a function reads
/// it.
async fn orphaned_mapping(aws: &Aws, function: &str, stream: &str) -> String {
    aws.kinesis.create_stream().stream_name(stream).shard_count(1).send().await.expect("the name is free");
    let tags = Some(aws.scope.tags().into_iter().collect());
    let tag = aws.kinesis.add_tags_to_stream().stream_name(stream).set_tags(tags);
    tag.send().await.expect("the stream exists");
    let mapping = aws.lambda.create_event_source_mapping().function_name(function);
    let mapping = mapping.event_source_arn(aws.scope.arn("kinesis", &format!("stream/{stream}")));
    let mapping = mapping.starting_position(EventSourcePosition::TrimHorizon).send().await;
    mapping.expect("function and stream exist").uuid.expect("a mapping has a UUID")
}

/// Each run that changed something is listed, the latest first, with its user and outcome.
fn history_shows_who_deployed_what(cloud: &Cloud) {
    let place = cloud.place();
    let nothing = place.deploys(&["history", "local", "--format", "json"]);
    assert_eq!(nothing.json()["runs"], Value::Array(Vec::new()));
    place.deploys(&["up", "local"]);
    place.environment("local", "[local]\nport = 4566\n[functions]\nmemory_mb = 512\n");
    place.deploys(&["up", "local"]);
    place.deploys(&["up", "local"]);

    let history = place.only_reads(&["history", "local", "--format", "json"]).json();
    let runs = history["runs"].as_array().expect("runs are a list");
    assert_eq!(runs.len(), 2, "a run that changed nothing is not listed: {history:#}");
    let ids = runs[1]["deployed"].as_array().expect("ids are a list");
    let functions = ids.iter().filter(|id| id.as_str().is_some_and(|id| id.starts_with("lambda.function/")));
    // `replay` has more memory than the new default.
    let changed = functions.count() - 1;
    assert_eq!(runs[0]["changes"], serde_json::json!({ "update": changed }), "{history:#}");
    let deployed = runs[1]["deployed"].as_array().map(Vec::len);
    assert_eq!(runs[1]["changes"]["create"].as_u64(), deployed.map(|number| number as u64), "{history:#}");
    for run in runs {
        assert_eq!(run["ending"], "done");
        assert!(run["by"].as_str().is_some_and(|by| by.contains(&place.account)), "{history:#}");
        assert!(run["at"].is_string(), "{history:#}");
    }
    let printed = place.deploys(&["history", "local"]).stdout;
    assert_eq!(printed.lines().count(), 2, "{printed}");
    place.deploys(&["down", "local"]);
    let nothing = place.deploys(&["history", "local"]);
    assert!(nothing.stdout.is_empty() && nothing.stderr.contains("nothing was deployed"), "{nothing:#?}");
}

/// Creates one resource of each kind with this name and these tags.
async fn orphans(aws: &Aws, name: &str, tags: &Tags) {
    let plain = || Some(tags.clone().into_iter().collect());
    table(aws, name, tags).await;
    aws.kinesis.create_stream().stream_name(name).shard_count(1).send().await.expect("the name is free");
    let tag = aws.kinesis.add_tags_to_stream().stream_name(name).set_tags(plain());
    tag.send().await.expect("the stream exists");

    let bucket = format!("{name}-{}-{}-an", aws.scope.account, aws.scope.region);
    aws.s3.create_bucket().bucket(&bucket).send().await.expect("the name is free");
    let set = tags.iter().map(|(key, value)| {
        aws_sdk_s3::types::Tag::builder().key(key).value(value).build().expect("both are given")
    });
    let set = aws_sdk_s3::types::Tagging::builder().set_tag_set(Some(set.collect())).build();
    let tag = aws.s3.put_bucket_tagging().bucket(&bucket).tagging(set.expect("tags are given"));
    tag.send().await.expect("the bucket exists");

    let role = aws.iam.create_role().role_name(name).path(aws.scope.role_path());
    let role = role.assume_role_policy_document(r#"{"Version":"2012-10-17","Statement":[]}"#);
    let set = tags.iter().map(|(key, value)| {
        aws_sdk_iam::types::Tag::builder().key(key).value(value).build().expect("both are given")
    });
    role.set_tags(Some(set.collect())).send().await.expect("the name is free");

    let group = aws.logs.create_log_group().log_group_name(format!("/aws/lambda/{name}"));
    group.set_tags(plain()).send().await.expect("the name is free");

    let empty = [&b"PK\x05\x06"[..], &[0; 18]].concat();
    let function = aws.lambda.create_function().function_name(name).runtime(Runtime::Providedal2023);
    let function = function.handler("bootstrap").role(aws.scope.iam_arn(&format!("role/{name}")));
    let function = function.code(FunctionCode::builder().zip_file(Blob::new(empty)).build());
    function.set_tags(plain()).send().await.expect("the name is free");

    let url = aws.lambda.create_function_url_config().function_name(name);
    url.auth_type(FunctionUrlAuthType::AwsIam).send().await.expect("the function exists");

    let mapping = aws.lambda.create_event_source_mapping().function_name(name).enabled(false);
    let mapping = mapping.event_source_arn(aws.scope.arn("kinesis", &format!("stream/{name}")));
    let mapping = mapping.starting_position(EventSourcePosition::TrimHorizon);
    mapping.send().await.expect("function and stream exist");

    let alarm = aws.cloudwatch.put_metric_alarm().alarm_name(name).namespace("AWS/Lambda");
    let alarm = alarm.metric_name("Errors").statistic("Sum".into()).period(60).evaluation_periods(1);
    let alarm = alarm.threshold(1.0).comparison_operator("GreaterThanThreshold".into());
    let set = tags
        .iter()
        .map(|(key, value)| aws_sdk_cloudwatch::types::Tag::builder().key(key).value(value).build());
    alarm.set_tags(Some(set.collect())).send().await.expect("the name is free");
}

async fn table(aws: &Aws, name: &str, tags: &Tags) {
    let key = AttributeDefinition::builder().attribute_name("Id").attribute_type(ScalarAttributeType::S);
    let hash = KeySchemaElement::builder().attribute_name("Id").key_type(KeyType::Hash);
    let set = tags.iter().map(|(key, value)| {
        aws_sdk_dynamodb::types::Tag::builder().key(key).value(value).build().expect("both are given")
    });
    let create = aws.dynamodb.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    let create = create.attribute_definitions(key.build().expect("both are given"));
    let create = create.key_schema(hash.build().expect("both are given"));
    create.set_tags(Some(set.collect())).send().await.expect("the name is free");
}

/// Returns the retention and the tags of a log group, if it exists.
fn log_group(place: &Place<'_>, aws: &Aws, name: &str) -> Option<(Option<i32>, Tags)> {
    place.cloud.wait(async {
        let groups = aws.logs.describe_log_groups().log_group_name_prefix(name).send().await;
        let groups = groups.expect("groups can be listed").log_groups.unwrap_or_default();
        let group = groups.into_iter().find(|group| group.log_group_name() == Some(name))?;
        let arn = group.log_group_arn().expect("every group has an ARN");
        let tags = aws.logs.list_tags_for_resource().resource_arn(arn).send().await;
        let tags = tags.expect("tags can be read").tags.unwrap_or_default();
        Some((group.retention_in_days(), tags.into_iter().collect()))
    })
}

/// Returns the ids with this verdict, sorted.
fn ids(run: &Run, verdict: &str) -> Vec<String> {
    let json = run.json();
    let steps = json["resources"].as_array().expect("resources are a list");
    let having = steps.iter().filter(|step| {
        step["verdicts"].as_array().is_some_and(|verdicts| verdicts.contains(&verdict.into()))
    });
    let mut ids: Vec<String> = having.filter_map(|step| step["id"].as_str().map(str::to_owned)).collect();
    ids.sort();
    ids
}
