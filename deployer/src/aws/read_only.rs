//! A client that only reads: whatever is not known to change nothing is refused before it
//! leaves this machine.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Refuses every operation outside a list of reads.
#[derive(Debug, Clone, Copy)]
pub struct ReadOnly;

/// The operations that looking needs, sorted. A list of names and no pattern: `GetRecords`
/// reads, too, and has no place here.
pub(crate) const READS: &[&str] = &[
    "DescribeAlarms",
    "DescribeContinuousBackups",
    "DescribeLogGroups",
    "DescribeStreamSummary",
    "DescribeTable",
    "DescribeTimeToLive",
    "GetAccountSettings",
    "GetBucketCors",
    "GetBucketEncryption",
    "GetBucketLifecycleConfiguration",
    "GetBucketNotificationConfiguration",
    "GetBucketOwnershipControls",
    "GetBucketPolicy",
    "GetBucketTagging",
    "GetBucketVersioning",
    "GetCallerIdentity",
    "GetEventSourceMapping",
    "GetFunction",
    "GetFunctionConfiguration",
    "GetParameter",
    "GetParameterHistory",
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
    "ListRolePolicies",
    "ListRoles",
    "ListStreams",
    "ListTables",
    "ListTags",
    "ListTagsForResource",
    "ListTagsForStream",
    "ListTagsOfResource",
];

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
        if READS.contains(&operation) {
            return Ok(());
        }
        Err(format!("{operation} is not known to only read, so this command does not send it").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{Aws, Credentials, Target};
    use crate::scope::Scope;

    async fn connected(read_only: bool) -> Aws {
        let scope = Scope {
            stack: "cart".into(),
            environment: "dev".into(),
            account: "111111111111".into(),
            region: "eu-central-1".into(),
            extra_tags: Default::default(),
        };
        // Nobody listens on the discard port: what is sent is not answered.
        let endpoint = Some("http://127.0.0.1:9".to_owned());
        let credentials = Credentials::Fixed("test", "test");
        Aws::connect(scope, &Target { endpoint, credentials, call_log: None, read_only }).await
    }

    fn refused<T, E: std::error::Error + 'static>(answer: Result<T, E>) -> bool {
        let error = answer.err().expect("nobody answers");
        let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |cause| cause.source());
        causes.map(ToString::to_string).any(|text| text.contains("not known to only read"))
    }

    #[tokio::test]
    async fn what_may_change_something_is_not_sent() {
        let aws = connected(true).await;
        assert!(refused(aws.dynamodb.delete_table().table_name("t").send().await));
        assert!(refused(
            aws.iam.put_role_policy().role_name("r").policy_name("p").policy_document("{}").send().await
        ));
        assert!(refused(aws.lambda.invoke().function_name("f").send().await));
        assert!(refused(aws.s3.put_object().bucket("b").key("k").send().await));
        assert!(!refused(aws.dynamodb.describe_table().table_name("t").send().await));
    }

    #[tokio::test]
    async fn who_may_write_does() {
        let aws = connected(false).await;
        assert!(!refused(aws.dynamodb.delete_table().table_name("t").send().await));
    }

    #[test]
    fn the_list_names_reads_only() {
        assert!(READS.is_sorted());
        for operation in READS {
            assert!(["Get", "List", "Describe", "Head"].iter().any(|verb| operation.starts_with(verb)));
        }
    }
}
