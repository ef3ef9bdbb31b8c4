//! Permissions that the caller needs for streams.
//!
//! Turning encryption on and off is authorized on the stream and on the key ("Actions, resources, and
//! condition keys for Amazon Kinesis Data Streams", Service Authorization Reference), and administering a
//! stream needs `kms:DescribeKey` ("Permissions to use user-generated KMS keys", Kinesis developer guide).
//! The key may be in any account, and a key set by hand can be any key.

use engine::scope::Scope;

use crate::AwsNames;
use crate::policy::Statement;

/// Returns the permissions for all calls about the scope's streams.
pub(super) fn permissions(scope: &Scope) -> Vec<Statement> {
    let streams = scope.arn("kinesis", &format!("stream/{}*", scope.prefix()));
    let keys = format!("arn:{}:kms:{}:*:key/*", scope.partition(), scope.region);
    // Equal resource lists become one statement. No other action here is authorized on a key.
    let both = [streams, keys];
    vec![
        // AWS supports no resource for these ("Actions, resources, and condition keys for Amazon
        // Kinesis Data Streams", Service Authorization Reference), although the last four change
        // one stream each.
        Statement::new("StreamsList", ["kinesis:ListStreams"], ["*".into()]),
        Statement::new(
            "StreamsScale",
            [
                "kinesis:DisableEnhancedMonitoring",
                "kinesis:EnableEnhancedMonitoring",
                "kinesis:UpdateShardCount",
                "kinesis:UpdateStreamMode",
            ],
            ["*".into()],
        ),
        Statement::new(
            "StreamsRead",
            ["kinesis:DescribeStreamSummary", "kinesis:GetResourcePolicy", "kinesis:ListTagsForStream"],
            both.clone(),
        ),
        Statement::new(
            "StreamsWrite",
            [
                "kinesis:AddTagsToStream",
                "kinesis:CreateStream",
                "kinesis:DecreaseStreamRetentionPeriod",
                "kinesis:DeleteResourcePolicy",
                "kinesis:DeleteStream",
                "kinesis:IncreaseStreamRetentionPeriod",
                "kinesis:StartStreamEncryption",
                "kinesis:StopStreamEncryption",
                "kinesis:UpdateMaxRecordSize",
                "kinesis:UpdateStreamRecordDistributionStrategy",
                "kms:DescribeKey",
            ],
            both,
        ),
    ]
}
