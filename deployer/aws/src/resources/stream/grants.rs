//! Permissions of functions on a stream, and of Lambda on their behalf.

use super::Stream;
use crate::policy::Statement;
use crate::resources::sid::sid;
use crate::resources::{Grant, key};

impl Stream {
    /// Grants adding records.
    pub fn publish(&self) -> Grant {
        let variable = self.variable.clone();
        let name = sid(&["publish", &self.thing]);
        let statement = Statement::new(name, ["kinesis:PutRecords"], [self.arn.clone()]);
        Grant {
            also: self.key("kms:GenerateDataKey", &self.kms_key),
            variable: variable.map(|variable| (variable, self.name.clone())),
            ..Grant::own::<Self>(&self.name, statement)
        }
    }

    /// Returns the permissions that Lambda needs to invoke a function with records of the stream.
    pub fn polling(&self) -> Vec<Statement> {
        let mut polling = vec![
            Statement::new(
                sid(&["poll", "stream", &self.thing]),
                [
                    "kinesis:DescribeStream",
                    "kinesis:DescribeStreamSummary",
                    "kinesis:GetRecords",
                    "kinesis:GetShardIterator",
                    "kinesis:ListShards",
                ],
                [self.arn.clone()],
            ),
            // AWS supports no resource for it ("Actions, resources, and condition keys for
            // Amazon Kinesis Data Streams", Service Authorization Reference).
            Statement::new(
                sid(&["list", "streams", "for", "stream", &self.thing]),
                ["kinesis:ListStreams"],
                ["*".into()],
            ),
        ];
        polling.extend(self.key("kms:Decrypt", self.kms_key.iter().chain(&self.former_keys)));
        polling
    }

    /// Returns the permission on the keys to put records into the stream, or to get them ("Permissions to use
    /// user-generated KMS keys", Kinesis developer guide).
    fn key<'a>(&self, action: &'static str, keys: impl IntoIterator<Item = &'a String>) -> Option<Statement> {
        key::through("kinesis", action, keys, &["stream", &self.thing])
    }
}
