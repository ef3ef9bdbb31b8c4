//! Everything in an account, described by AWS's own answers and not by the deployer, for comparisons before
//! and after.
//!
//! Values that change by themselves are left out: states of alarms, results of polling, stored bytes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws::Aws;

use crate::place::Place;

/// Descriptions by kind and name: `table cart-dev-events`.
pub type Inventory = BTreeMap<String, String>;

impl Place<'_> {
    /// Returns everything in the account.
    ///
    /// # Panics
    /// Panics if a listing fails.
    pub fn inventory(&self) -> Inventory {
        let aws = self.aws("inventory");
        self.cloud.wait(async {
            let (tables, streams, buckets, functions, roles, alarms, rest) = futures::join!(
                tables(&aws),
                streams(&aws),
                buckets(&aws),
                functions(&aws),
                roles(&aws),
                alarms(&aws),
                async {
                    let (mappings, log_groups) = (mappings(&aws).await, log_groups(&aws).await);
                    [mappings, log_groups, dashboards(&aws).await].concat()
                },
            );
            [tables, streams, buckets, functions, roles, alarms, rest].concat().into_iter().collect()
        })
    }
}

/// Returns what was added, removed or changed between two inventories, in words.
pub fn differences(before: &Inventory, after: &Inventory) -> Vec<String> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differing = names.into_iter().filter_map(|name| match (before.get(name), after.get(name)) {
        (before, after) if before == after => None,
        (None, Some(_)) => Some(format!("{name} was added")),
        (Some(_), None) => Some(format!("{name} was removed")),
        (before, after) => Some(format!("{name} changed from {before:?} to {after:?}")),
    });
    differing.collect()
}

type Things = Vec<(String, String)>;

async fn tables(aws: &Aws) -> Things {
    let names = aws.dynamodb.list_tables().send().await.expect("tables can be listed").table_names;
    let mut things = Things::new();
    for name in names.unwrap_or_default() {
        let table = aws.dynamodb.describe_table().table_name(&name).send().await.ok();
        let table = table.and_then(|answer| answer.table);
        let arn = table.as_ref().and_then(|table| table.table_arn.clone()).unwrap_or_default();
        let backups = aws.dynamodb.describe_continuous_backups().table_name(&name).send().await.ok();
        // The window that can be restored moves with time.
        let backups = backups
            .and_then(|answer| answer.continuous_backups_description?.point_in_time_recovery_description)
            .map(|pitr| (pitr.point_in_time_recovery_status, pitr.recovery_period_in_days));
        let tags = aws.dynamodb.list_tags_of_resource().resource_arn(arn).send().await.ok();
        let tags = tags.and_then(|answer| answer.tags);
        things.push((format!("table {name}"), format!("{table:?} {backups:?} {}", sorted(tags))));
    }
    things
}

async fn streams(aws: &Aws) -> Things {
    let names = aws.kinesis.list_streams().send().await.expect("streams can be listed").stream_names;
    let mut things = Things::new();
    for name in names {
        let stream = aws.kinesis.describe_stream_summary().stream_name(&name).send().await.ok();
        let stream = stream.and_then(|answer| answer.stream_description_summary);
        let tags = aws.kinesis.list_tags_for_stream().stream_name(&name).send().await.ok();
        let tags = tags.map(|answer| answer.tags);
        things.push((format!("stream {name}"), format!("{stream:?} {}", sorted(tags))));
    }
    things
}

async fn buckets(aws: &Aws) -> Things {
    let buckets = aws.s3.list_buckets().send().await.expect("buckets can be listed").buckets;
    let mut things = Things::new();
    for name in buckets.unwrap_or_default().into_iter().filter_map(|bucket| bucket.name) {
        // A setting that was never set is answered with an error, which is an answer too.
        let s3 = &aws.s3;
        let versioning = s3.get_bucket_versioning().bucket(&name).send().await.ok();
        let encryption = s3.get_bucket_encryption().bucket(&name).send().await.ok();
        let access = s3.get_public_access_block().bucket(&name).send().await.ok();
        let ownership = s3.get_bucket_ownership_controls().bucket(&name).send().await.ok();
        let lifecycle = s3.get_bucket_lifecycle_configuration().bucket(&name).send().await.ok();
        let policy = s3.get_bucket_policy().bucket(&name).send().await.ok();
        let tags = s3.get_bucket_tagging().bucket(&name).send().await.ok();
        let objects = s3.list_object_versions().bucket(&name).send().await.ok();
        // Release records differ each time, and so do packages of functions that are built in different
        // folders.
        let kept = ["releases/", "packages/"];
        let entry =
            |key: Option<&str>| key.is_some_and(|key| kept.iter().any(|prefix| key.starts_with(prefix)));
        let objects = objects.map(|answer| {
            let (mut versions, mut markers) = (answer.versions, answer.delete_markers);
            versions.iter_mut().for_each(|all| all.retain(|object| !entry(object.key())));
            markers.iter_mut().for_each(|all| all.retain(|marker| !entry(marker.key())));
            (versions.filter(|all| !all.is_empty()), markers.filter(|all| !all.is_empty()))
        });
        let description = format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {} {:?}",
            versioning.map(|answer| answer.status),
            encryption.map(|answer| answer.server_side_encryption_configuration),
            access.map(|answer| answer.public_access_block_configuration),
            ownership.map(|answer| answer.ownership_controls),
            lifecycle.map(|answer| answer.rules),
            policy.map(|answer| answer.policy),
            sorted(tags.map(|answer| answer.tag_set)),
            objects,
        );
        things.push((format!("bucket {name}"), description));
    }
    things
}

async fn functions(aws: &Aws) -> Things {
    let functions = aws.lambda.list_functions().into_paginator().items().send();
    let functions = functions.try_collect().await.expect("functions can be listed");
    let mut things = Things::new();
    for name in functions.into_iter().filter_map(|function| function.function_name) {
        let answer = aws.lambda.get_function().function_name(&name).send().await.ok();
        let (mut configuration, tags, concurrency) =
            answer.map(|answer| (answer.configuration, answer.tags, answer.concurrency)).unwrap_or_default();
        // The order of a map's debug output is random.
        let environment = configuration.as_mut().and_then(|configuration| configuration.environment.take());
        let environment = by_key(environment.and_then(|environment| environment.variables));
        let policy = aws.lambda.get_policy().function_name(&name).send().await.ok();
        let policy = policy.and_then(|answer| answer.policy);
        let url = aws.lambda.get_function_url_config().function_name(&name).send().await.ok();
        things.extend(url.map(|url| {
            let settings = (url.function_url, url.auth_type, url.invoke_mode, url.cors);
            (format!("url {name}"), format!("{settings:?}"))
        }));
        let tags = by_key(tags);
        let description = format!("{configuration:?} {environment:?} {tags:?} {concurrency:?} {policy:?}");
        things.push((format!("function {name}"), description));
    }
    things
}

async fn mappings(aws: &Aws) -> Things {
    let mappings = aws.lambda.list_event_source_mappings().into_paginator().items().send();
    let mappings = mappings.try_collect().await.expect("mappings can be listed");
    let described = mappings.into_iter().map(|mut mapping| {
        mapping.last_processing_result = None;
        let function = mapping.function_arn().and_then(|arn| arn.rsplit(':').next()).unwrap_or_default();
        let name = format!("mapping {function} {}", mapping.uuid().unwrap_or_default());
        (name, format!("{mapping:?}"))
    });
    described.collect()
}

async fn roles(aws: &Aws) -> Things {
    let roles = aws.iam.list_roles().into_paginator().items().send();
    let roles = roles.try_collect().await.expect("roles can be listed");
    let mut things = Things::new();
    for name in roles.into_iter().map(|role| role.role_name) {
        let role = aws.iam.get_role().role_name(&name).send().await.ok().and_then(|answer| answer.role);
        let role = role.map(|mut role| {
            role.role_last_used = None;
            (sorted(role.tags.take()), role)
        });
        let attached = aws.iam.list_attached_role_policies().role_name(&name).send().await.ok();
        let attached = sorted(attached.and_then(|answer| answer.attached_policies));
        let inline = aws.iam.list_role_policies().role_name(&name).send().await.ok();
        let mut policies = BTreeMap::new();
        for policy in inline.map(|answer| answer.policy_names).unwrap_or_default() {
            let answer = aws.iam.get_role_policy().role_name(&name).policy_name(&policy).send().await.ok();
            policies.insert(policy, answer.map(|answer| answer.policy_document));
        }
        things.push((format!("role {name}"), format!("{role:?} {attached} {policies:?}")));
    }
    things
}

async fn log_groups(aws: &Aws) -> Things {
    let groups = aws.logs.describe_log_groups().into_paginator().items().send();
    let groups = groups.try_collect().await.expect("log groups can be listed");
    let mut things = Things::new();
    for mut group in groups {
        group.stored_bytes = None;
        let arn = group.arn().unwrap_or_default().trim_end_matches(":*").to_owned();
        let tags = aws.logs.list_tags_for_resource().resource_arn(arn).send().await.ok();
        let tags = by_key(tags.and_then(|answer| answer.tags));
        let name = group.log_group_name().unwrap_or_default();
        things.push((format!("log group {name}"), format!("{group:?} {tags:?}")));
    }
    things
}

async fn alarms(aws: &Aws) -> Things {
    let pages = aws.cloudwatch.describe_alarms().into_paginator().send();
    let pages = pages.try_collect().await.expect("alarms can be listed");
    let mut things = Things::new();
    for mut alarm in pages.into_iter().flat_map(|page| page.metric_alarms.unwrap_or_default()) {
        alarm.state_value = None;
        alarm.state_reason = None;
        alarm.state_reason_data = None;
        alarm.state_updated_timestamp = None;
        alarm.state_transitioned_timestamp = None;
        let arn = alarm.alarm_arn().unwrap_or_default();
        let tags = aws.cloudwatch.list_tags_for_resource().resource_arn(arn).send().await.ok();
        let tags = sorted(tags.and_then(|answer| answer.tags));
        let name = alarm.alarm_name().unwrap_or_default();
        things.push((format!("alarm {name}"), format!("{alarm:?} {tags}")));
    }
    things
}

/// MiniStack's listing of dashboards has dates in a form that the SDK rejects, so dashboards are read by the
/// names of all environments in tests.
async fn dashboards(aws: &Aws) -> Things {
    let mut things = Things::new();
    for environment in ["base", "dev", "dev-2", "local", "other", "prod"] {
        let name = format!("{}-{environment}-overview-{}", aws.scope.stack, aws.scope.region);
        let body = aws.cloudwatch.get_dashboard().dashboard_name(&name).send().await.ok();
        let body = body.and_then(|answer| answer.dashboard_body);
        things.extend(body.map(|body| (format!("dashboard {name}"), body)));
    }
    things
}

/// Returns a description of items in any order.
fn sorted<T: std::fmt::Debug>(things: Option<Vec<T>>) -> String {
    let mut things: Vec<String> =
        things.unwrap_or_default().iter().map(|thing| format!("{thing:?}")).collect();
    things.sort();
    things.join(" ")
}

fn by_key(map: Option<HashMap<String, String>>) -> BTreeMap<String, String> {
    map.unwrap_or_default().into_iter().collect()
}
