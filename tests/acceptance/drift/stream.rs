//! Manual changes to a Kinesis stream.
//!
//! MiniStack cannot switch a stream to on-demand mode, cannot change the size or distribution of its records,
//! and does not show shard-level metrics: [`super::complete`] names the unit tests that cover them.

use aws::AwsNames;
use aws_sdk_kinesis::types::{EncryptionType, ScalingType};
use engine::scope::Scope;
use serde_json::json;

use super::row::{GONE, Row, sent};

pub(super) fn first(scope: &Scope) -> Vec<Row> {
    let id = id(scope);
    vec![
        Row::new("longer retention", &id, &["retention_hours"], |aws| {
            let call = aws.kinesis.increase_stream_retention_period().stream_name(aws.scope.name("events"));
            sent(call.retention_period_hours(72).send())
        }),
        Row::new("shards", &id, &["capacity.shards"], |aws| {
            let call = aws.kinesis.update_shard_count().stream_name(aws.scope.name("events"));
            let call = call.target_shard_count(2).scaling_type(ScalingType::UniformScaling);
            sent(call.send())
        }),
        Row::new("encryption", &id, &["kms_key"], |aws| {
            let call = aws.kinesis.start_stream_encryption().stream_name(aws.scope.name("events"));
            let call = call.encryption_type(EncryptionType::Kms).key_id("alias/aws/kinesis");
            sent(call.send())
        }),
    ]
}

pub(super) fn second(scope: &Scope) -> Vec<Row> {
    let id = id(scope);
    vec![
        Row::new("shorter retention", &id, &["retention_hours"], |aws| {
            let call = aws.kinesis.decrease_stream_retention_period().stream_name(aws.scope.name("events"));
            sent(call.retention_period_hours(24).send())
        }),
        Row::new("access granted to another account", &id, &["resource_policy"], |aws| {
            let arn = aws.scope.arn("kinesis", &format!("stream/{}", aws.scope.name("events")));
            let policy = json!({"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"},
                "Action": "kinesis:GetRecords", "Resource": arn,
            }]});
            let call = aws.kinesis.put_resource_policy().resource_arn(arn).policy(policy.to_string());
            sent(call.send())
        }),
    ]
}

pub(super) fn gone(scope: &Scope) -> Vec<Row> {
    vec![Row::new("stream deleted", id(scope), GONE, |aws| {
        let call = aws.kinesis.delete_stream().stream_name(aws.scope.name("events"));
        sent(call.send())
    })]
}

fn id(scope: &Scope) -> String {
    format!("kinesis.stream/{}", scope.name("events"))
}
