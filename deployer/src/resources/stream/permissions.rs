//! What the caller has to be allowed for streams.
//!
//! With a KMS key of one's own also `kms:DescribeKey` and `kms:GenerateDataKey` on the key
//! ("Permissions to use user-generated KMS keys", Kinesis developer guide).

use crate::policy::Statement;
use crate::scope::Scope;

/// Returns what all calls about the scope's streams take.
pub(super) fn permissions(scope: &Scope) -> Vec<Statement> {
    let streams = scope.arn("kinesis", &format!("stream/{}*", scope.prefix()));
    vec![
        // AWS supports no resource for it ("Actions, resources, and condition keys for Amazon
        // Kinesis Data Streams", Service Authorization Reference).
        Statement::new("StreamsList", ["kinesis:ListStreams"], ["*".into()]),
        Statement::new(
            "StreamsRead",
            ["kinesis:DescribeStreamSummary", "kinesis:GetResourcePolicy", "kinesis:ListTagsForStream"],
            [streams.clone()],
        ),
        Statement::new(
            "StreamsWrite",
            [
                "kinesis:AddTagsToStream",
                "kinesis:CreateStream",
                "kinesis:DecreaseStreamRetentionPeriod",
                "kinesis:DeleteResourcePolicy",
                "kinesis:DeleteStream",
                "kinesis:DisableEnhancedMonitoring",
                "kinesis:EnableEnhancedMonitoring",
                "kinesis:IncreaseStreamRetentionPeriod",
                "kinesis:StartStreamEncryption",
                "kinesis:StopStreamEncryption",
                "kinesis:UpdateMaxRecordSize",
                "kinesis:UpdateShardCount",
                "kinesis:UpdateStreamMode",
                "kinesis:UpdateStreamRecordDistributionStrategy",
            ],
            [streams],
        ),
    ]
}
