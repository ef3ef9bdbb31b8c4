//! Manual calls that change nothing: none of them may be reported.
//!
//! AWS's own tags (`aws:…`) cannot be created by a call. Like other unmanaged tags they are ignored: only the
//! deployer's tags are compared.

use aws::{Aws, AwsNames};
use aws_sdk_dynamodb::types::{SseSpecification, TimeToLiveSpecification};
use aws_sdk_lambda::types::{
    EphemeralStorage, FilterCriteria, LogFormat, LoggingConfig, TracingConfig, TracingMode, VpcConfig,
};
use aws_sdk_s3::types::{BucketLifecycleConfiguration, NotificationConfiguration, Tag, Tagging};
use futures::FutureExt;
use serde_json::{Value, json};

use super::function::configured;
use super::mapping::changed;
use super::row::{ByHand, sent};

/// All such calls, with their names.
pub(super) const NOISE: &[(&str, ByHand)] = &[
    ("defaults of a function put by name", |aws| {
        let logging = LoggingConfig::builder().log_format(LogFormat::Text);
        let logging = logging.log_group(format!("/aws/lambda/{}", aws.scope.name("get-cart"))).build();
        configured(aws, "get-cart", |call| {
            call.timeout(30)
                .logging_config(logging)
                .tracing_config(TracingConfig::builder().mode(TracingMode::PassThrough).build())
                .ephemeral_storage(EphemeralStorage::builder().size(512).build().expect("complete"))
                .vpc_config(VpcConfig::builder().set_subnet_ids(Some(vec![])).build())
                .set_layers(Some(vec![]))
                .kms_key_arn("")
        })
    }),
    ("defaults of a mapping put by name", |aws| {
        changed(aws, "archive", |call| {
            call.filter_criteria(FilterCriteria::builder().build())
                .maximum_retry_attempts(-1)
                .parallelization_factor(1)
                .bisect_batch_on_function_error(false)
        })
    }),
    ("an expiry that is off", |aws| {
        async {
            let off = TimeToLiveSpecification::builder().attribute_name("ByHand").enabled(false).build()?;
            let call = aws.dynamodb.update_time_to_live().table_name(aws.scope.name("events"));
            call.time_to_live_specification(off).send().await?;
            Ok(())
        }
        .boxed()
    }),
    ("encryption of a table that is DynamoDB's own", |aws| {
        let call = aws.dynamodb.update_table().table_name(aws.scope.name("events"));
        let call = call.sse_specification(SseSpecification::builder().enabled(false).build());
        sent(call.send())
    }),
    ("no notifications", |aws| {
        let none = NotificationConfiguration::builder().build();
        let call = aws.s3.put_bucket_notification_configuration();
        let call = call.bucket(aws.scope.bucket_name("archive")).notification_configuration(none);
        sent(call.send())
    }),
    ("the same lifecycle again", |aws| lifecycle(aws).boxed()),
    ("a policy in other words", |aws| reworded(aws, "open-cart").boxed()),
    ("a trust in other words", |aws| {
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": {
                "Sid": "Service",
                "Action": ["STS:assumeRole"],
                "Principal": {"Service": ["lambda.amazonaws.com"]},
                "Effect": "Allow",
            },
        });
        let call = aws.iam.update_assume_role_policy().role_name(aws.scope.role_name("open-cart"));
        sent(call.policy_document(trust.to_string()).send())
    }),
    ("a tag on a function", |aws| {
        let arn = aws.scope.arn("lambda", &format!("function:{}", aws.scope.name("get-cart")));
        let call = aws.lambda.tag_resource().resource(arn).tags(KEY, VALUE);
        sent(call.send())
    }),
    ("a tag on a role", |aws| {
        async {
            let tag = aws_sdk_iam::types::Tag::builder().key(KEY).value(VALUE).build()?;
            aws.iam.tag_role().role_name(aws.scope.role_name("get-cart")).tags(tag).send().await?;
            Ok(())
        }
        .boxed()
    }),
    ("a tag on a log group", |aws| {
        let group = format!("log-group:/aws/lambda/{}", aws.scope.name("get-cart"));
        let call = aws.logs.tag_resource().resource_arn(aws.scope.arn("logs", &group)).tags(KEY, VALUE);
        sent(call.send())
    }),
    ("a tag on an alarm", |aws| {
        let alarm = format!("alarm:{}", aws.scope.name("capture-failing"));
        let tag = aws_sdk_cloudwatch::types::Tag::builder().key(KEY).value(VALUE).build();
        let call = aws.cloudwatch.tag_resource().resource_arn(aws.scope.arn("cloudwatch", &alarm)).tags(tag);
        sent(call.send())
    }),
    ("a tag on a table", |aws| {
        async {
            let table = format!("table/{}", aws.scope.name("events"));
            let tag = aws_sdk_dynamodb::types::Tag::builder().key(KEY).value(VALUE).build()?;
            let call = aws.dynamodb.tag_resource().resource_arn(aws.scope.arn("dynamodb", &table));
            call.tags(tag).send().await?;
            Ok(())
        }
        .boxed()
    }),
    ("a tag on a stream", |aws| {
        let call = aws.kinesis.add_tags_to_stream().stream_name(aws.scope.name("events")).tags(KEY, VALUE);
        sent(call.send())
    }),
    ("a tag on a bucket", |aws| tagged(aws).boxed()),
];

const KEY: &str = "cost-center";
const VALUE: &str = "1234";

type Done = Result<(), Box<dyn std::error::Error + Send + Sync>>;

async fn lifecycle(aws: &Aws) -> Done {
    let bucket = aws.scope.bucket_name("archive");
    let rules = aws.s3.get_bucket_lifecycle_configuration().bucket(&bucket).send().await?.rules;
    let all = BucketLifecycleConfiguration::builder().set_rules(rules).build()?;
    let call = aws.s3.put_bucket_lifecycle_configuration().bucket(&bucket);
    call.lifecycle_configuration(all).send().await?;
    Ok(())
}

/// Adds a tag; the call replaces all tags of a bucket.
async fn tagged(aws: &Aws) -> Done {
    let bucket = aws.scope.bucket_name("archive");
    let mut tags = aws.s3.get_bucket_tagging().bucket(&bucket).send().await?.tag_set;
    tags.push(Tag::builder().key(KEY).value(VALUE).build()?);
    let tagging = Tagging::builder().set_tag_set(Some(tags)).build()?;
    aws.s3.put_bucket_tagging().bucket(&bucket).tagging(tagging).send().await?;
    Ok(())
}

/// Puts the grants of a role again in another order, with other capitalization and other brackets.
async fn reworded(aws: &Aws, thing: &str) -> Done {
    let role = aws.scope.role_name(thing);
    let read = aws.iam.get_role_policy().role_name(&role).policy_name("grants").send().await?;
    let document = aws::policy::Policy::parse(&read.policy_document)?.to_json();
    let mut document: Value = serde_json::from_str(&document)?;
    let statements = document["Statement"].as_array_mut().ok_or("statements are a list")?;
    statements.reverse();
    for statement in statements {
        let actions = statement["Action"].as_array_mut().ok_or("actions are a list")?;
        actions.reverse();
        for action in actions.iter_mut() {
            *action = json!(action.as_str().ok_or("an action is text")?.to_uppercase());
        }
        if let Some([only]) = statement["Resource"].as_array().map(Vec::as_slice) {
            statement["Resource"] = only.clone();
        }
    }
    let call = aws.iam.put_role_policy().role_name(&role).policy_name("grants");
    call.policy_document(document.to_string()).send().await?;
    Ok(())
}
