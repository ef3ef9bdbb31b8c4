//! A client that only reads: it refuses to send an operation that is not a known read.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
    FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use engine::progress;

/// Refuses every operation outside a list of reads.
#[derive(Debug, Clone, Default)]
pub struct ReadOnly {
    also: Vec<&'static str>,
}

impl ReadOnly {
    /// Allows additional reads, those of kinds from other crates.
    pub fn also(also: Vec<&'static str>) -> Self {
        Self { also }
    }
}

/// Counts the calls of the running step that may change a resource, except those that AWS refused.
#[derive(Debug, Clone, Copy)]
pub struct Noted;

impl Intercept for Noted {
    fn name(&self) -> &'static str {
        "Noted"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if may_change_something(config) {
            progress::sending();
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let blames_caller = context.response().is_some_and(|response| response.status().is_client_error());
        if blames_caller && may_change_something(config) {
            progress::refused();
        }
        Ok(())
    }
}

fn may_change_something(config: &ConfigBag) -> bool {
    !config.load::<Metadata>().is_some_and(|metadata| only_reads(metadata.name()))
}

/// The read operations of a survey, sorted. They are a list of names, not a pattern: a pattern would also
/// allow `GetRecords`.
pub const READS: &[&str] = &[
    "DescribeAlarms",
    "DescribeContinuousBackups",
    "DescribeLogGroups",
    "DescribeStreamSummary",
    "DescribeTable",
    "DescribeTimeToLive",
    "GetBucketCors",
    "GetBucketEncryption",
    "GetBucketLifecycleConfiguration",
    "GetBucketNotificationConfiguration",
    "GetBucketOwnershipControls",
    "GetBucketPolicy",
    "GetBucketTagging",
    "GetBucketVersioning",
    "GetCallerIdentity",
    "GetDashboard",
    "GetEventSourceMapping",
    "GetFunction",
    "GetFunctionRecursionConfig",
    "GetFunctionUrlConfig",
    "GetObject",
    "GetPolicy",
    "GetPublicAccessBlock",
    "GetResourcePolicy",
    "GetRole",
    "GetRolePolicy",
    "HeadBucket",
    "ListAttachedRolePolicies",
    "ListBuckets",
    "ListEventSourceMappings",
    "ListFunctions",
    "ListObjectsV2",
    "ListRolePolicies",
    "ListRoles",
    "ListStreams",
    "ListTables",
    "ListTags",
    "ListTagsForResource",
    "ListTagsForStream",
    "ListTagsOfResource",
];

/// The operations that read events and log lines, sorted. `plan` and `drift` do not use them.
const READS_OF_EVENTS: &[&str] = &["FilterLogEvents", "Query", "Scan"];

/// Returns whether an operation is a known read.
pub(super) fn only_reads(operation: &str) -> bool {
    READS.contains(&operation) || READS_OF_EVENTS.contains(&operation)
}

impl Intercept for ReadOnly {
    fn name(&self) -> &'static str {
        "ReadOnly"
    }

    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>().map_or("an unknown operation", Metadata::name);
        if only_reads(operation) || self.also.contains(&operation) {
            return Ok(());
        }
        Err(format!("{operation} is not a known read operation, and this command only reads").into())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::ffi::OsStr;
    use std::fs;
    use std::path::Path;

    use engine::progress::SentCalls;

    use super::*;
    use crate::testing::{Script, fault, scope};
    use crate::{Aws, Credentials, Target};

    async fn connected(read_only: Option<ReadOnly>) -> Aws {
        // No server listens on the discard port, so calls that are sent fail.
        let endpoint = Some("http://127.0.0.1:9".to_owned());
        let credentials = Credentials::Fixed("test", "test");
        Aws::connect(scope(), &Target { endpoint, credentials, call_log: None, read_only }).await
    }

    fn refused<T, E: std::error::Error + 'static>(answer: Result<T, E>) -> bool {
        let error = answer.err().expect("no server answers");
        let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |cause| cause.source());
        causes.map(ToString::to_string).any(|text| text.contains("not a known read operation"))
    }

    #[tokio::test]
    async fn read_only_connection_refuses_writes() {
        let aws = connected(Some(ReadOnly::default())).await;
        assert!(refused(aws.dynamodb.delete_table().table_name("t").send().await));
        assert!(refused(
            aws.iam.put_role_policy().role_name("r").policy_name("p").policy_document("{}").send().await
        ));
        assert!(refused(aws.lambda.invoke().function_name("f").send().await));
        assert!(refused(aws.s3.put_object().bucket("b").key("k").send().await));
        assert!(!refused(aws.dynamodb.describe_table().table_name("t").send().await));
        assert!(!refused(aws.logs.filter_log_events().log_group_name("g").send().await));
    }

    #[tokio::test]
    async fn external_kind_declares_its_read_operations() {
        let looks = async |aws: Aws| aws.logs.describe_metric_filters().send().await;
        assert!(refused(looks(connected(Some(ReadOnly::default())).await).await));
        assert!(!refused(looks(connected(Some(ReadOnly::also(vec!["DescribeMetricFilters"]))).await).await));
    }

    #[tokio::test]
    async fn sent_writes_are_noted_and_reads_are_not() {
        let aws = connected(None).await;
        let (reads, writes) = (SentCalls::default(), SentCalls::default());
        let _ = reads.noting(aws.dynamodb.describe_table().table_name("t").send()).await;
        let _ = writes.noting(aws.dynamodb.delete_table().table_name("t").send()).await;
        assert_eq!((reads.any(), writes.any()), (false, true));
    }

    #[tokio::test]
    async fn refused_write_does_not_count_as_sent() {
        let sends = async |status, code| {
            let aws = Script::new().on("DeleteTable", fault(status, code, "no")).aws();
            let sent = SentCalls::default();
            let _ = sent.noting(aws.dynamodb.delete_table().table_name("t").send()).await;
            sent.any()
        };
        assert!(!sends(400, "AccessDeniedException").await);
        assert!(sends(500, "InternalServerError").await, "the call may have succeeded");
    }

    #[tokio::test]
    async fn writable_connection_sends_writes() {
        let aws = connected(None).await;
        assert!(!refused(aws.dynamodb.delete_table().table_name("t").send().await));
    }

    /// Reads that only writing commands need, to empty a bucket.
    const OF_WRITES: [&str; 2] = ["ListMultipartUploads", "ListObjectVersions"];

    const VERBS: [&str; 4] = ["describe", "get", "head", "list"];

    /// Methods of collections and cells whose names look like reads.
    const NOT_OF_AWS: [&str; 3] = ["get_mut", "get_or_init", "get_or_try_init"];

    /// Returns the operation of a client method.
    fn operation(method: &str) -> String {
        let words = method.split('_');
        let capitals = words.map(|word| word[..1].to_uppercase() + &word[1..]);
        capitals.collect()
    }

    /// Collects the reads that the code below a folder calls, from the names of the client methods.
    fn gather(folder: &Path, called: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).expect("the folder exists").flatten() {
            let path = entry.path();
            if path.is_dir() {
                gather(&path, called);
            } else if name(&path) != "tests.rs" {
                let text = fs::read_to_string(&path).expect("sources are text");
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                let methods = code.split('.').skip(1).filter_map(|behind| Some(behind.split_once('(')?.0));
                let reads =
                    methods.filter(|method| VERBS.iter().any(|verb| method.starts_with(&format!("{verb}_"))));
                called.extend(reads.filter(|method| !NOT_OF_AWS.contains(method)).map(operation));
            }
        }
    }

    fn name(path: &Path) -> &str {
        path.file_name().and_then(OsStr::to_str).unwrap_or_default()
    }

    /// Without an entry, `plan` fails at its first survey; a superfluous entry is an unnecessary permission.
    #[test]
    fn read_operations_list_matches_the_calls() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut called = BTreeSet::new();
        gather(&source, &mut called);
        called.retain(|operation| !OF_WRITES.contains(&operation.as_str()));
        let listed: BTreeSet<String> = READS.iter().map(|name| (*name).to_owned()).collect();
        let missing: Vec<_> = called.difference(&listed).collect();
        let unused: Vec<_> = listed.difference(&called).collect();
        assert!(missing.is_empty(), "READS lacks operations that the code calls: {missing:?}");
        assert!(unused.is_empty(), "READS has operations that no code calls: {unused:?}");
    }

    #[test]
    fn read_operations_list_names_reads_only() {
        assert!(READS.is_sorted());
        let reads = |operation: &&str| VERBS.iter().any(|verb| operation.to_lowercase().starts_with(verb));
        assert!(READS.iter().all(reads));
    }
}
