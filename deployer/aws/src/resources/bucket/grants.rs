//! Permissions of functions on a bucket, and of Lambda on their behalf.
//!
//! All of them are limited to the account. The ARN of a bucket contains no account, and bucket names are
//! globally unique: after the bucket is deleted, another account can take its name, and would receive all
//! events ("Security best practices for Amazon S3 destinations", Lambda developer guide).

use super::Bucket;
use crate::policy::Statement;
use crate::resources::sid::sid;
use crate::resources::{Grant, key};

impl Bucket {
    /// Grants writing objects under this prefix.
    pub fn write(&self, prefix: &str) -> Grant {
        self.grant(self.put(&["write", &self.thing, prefix], prefix), self.encrypting())
    }

    /// Grants reading objects under this prefix.
    pub fn get(&self, prefix: &str) -> Grant {
        let name = sid(&["get", &self.thing, prefix]);
        let objects = format!("{}/{prefix}*", self.arn);
        self.grant(self.own(Statement::new(name, ["s3:GetObject"], [objects])), self.decrypting())
    }

    /// Grants listing the keys of objects. Without it, S3 answers "forbidden" for a missing object
    /// ("GetObject: Permissions", S3 API reference).
    pub fn browse(&self) -> Grant {
        let name = sid(&["browse", &self.thing]);
        self.grant(self.listing(name), None)
    }

    /// Returns the permissions that Lambda needs to store discarded batches in the bucket.
    pub fn storing_discarded_batches(&self) -> Vec<Statement> {
        let mut statements = vec![
            // Lambda names such an object `aws/lambda/<mapping>/<shard>/<date>/…` ("Retaining
            // discarded batches", Lambda developer guide).
            self.put(&["store", "discarded", "batches", "in", &self.thing], "aws/lambda/"),
            self.listing(sid(&["list", &self.thing])),
        ];
        statements.extend(self.encrypting());
        statements
    }

    /// Returns the permission on the key to write an object ("Using server-side encryption with AWS KMS keys:
    /// Permissions", S3 user guide).
    fn encrypting(&self) -> Option<Statement> {
        key::through("s3", "kms:GenerateDataKey", &self.encryption.kms_key, &["bucket", &self.thing])
    }

    /// Returns the permission on the keys to read an object (ibid.): an object stays encrypted with the key
    /// that it was written with.
    fn decrypting(&self) -> Option<Statement> {
        let keys = self.encryption.kms_key.iter().chain(&self.former_keys);
        key::through("s3", "kms:Decrypt", keys, &["bucket", &self.thing])
    }

    fn grant(&self, statement: Statement, key: Option<Statement>) -> Grant {
        let variable = self.variable.clone().map(|variable| (variable, self.name.clone()));
        Grant { also: key, variable, ..Grant::own::<Self>(&self.name, statement) }
    }

    fn put(&self, name: &[&str], prefix: &str) -> Statement {
        self.own(Statement::new(sid(name), ["s3:PutObject"], [format!("{}/{prefix}*", self.arn)]))
    }

    fn listing(&self, name: String) -> Statement {
        self.own(Statement::new(name, ["s3:ListBucket"], [self.arn.clone()]))
    }

    /// Returns the statement with the condition that the account owns the bucket. Each of these actions
    /// supports the condition key ("Actions, resources, and condition keys for Amazon S3", Service
    /// Authorization Reference).
    fn own(&self, statement: Statement) -> Statement {
        statement.when("StringEquals", "s3:ResourceAccount", &self.account)
    }
}

#[cfg(test)]
mod tests {
    use engine::scope::Scope;

    use super::*;
    use crate::testing::scope;

    #[test]
    fn bucket_grants_have_a_sid_per_prefix() {
        let scope = Scope { region: "cn-north-1".into(), ..scope() };
        let bucket = Bucket::new(&scope, "archive").known_as("ARCHIVE");
        let (events, failed) = (bucket.write("events/"), bucket.write("failed/"));
        assert_eq!(events.statement.sid, "WriteArchiveEvents");
        assert_eq!(failed.statement.sid, "WriteArchiveFailed");
        assert_eq!(
            events.statement.resources,
            ["arn:aws-cn:s3:::demo-dev-archive-111111111111-cn-north-1-an/events/*"],
        );
    }
}
