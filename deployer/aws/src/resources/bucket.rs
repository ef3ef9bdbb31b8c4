//! An S3 bucket: private, encrypted, versioned, accessible over TLS only.

mod changes;
mod emptying;
mod grants;
mod imports;
mod lifecycle;
mod mistakes;
mod permissions;
mod reads;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::time::Duration;

use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketNamespace, CreateBucketConfiguration, ObjectOwnership,
};
use engine::error::{Class, Error, GoneIsNone};
use engine::resource::{
    Changed, Effect, ImportId, KindInfo, LeftOut, Live, Neighbours, Resource, Risk, Tags,
};
use engine::scope::Scope;
use futures::{join, try_join};
use serde::{Deserialize, Serialize};
use serde_json::json;
use struct_to_enum::FieldName;

use self::lifecycle::Rule;
use crate::names::OWN_NAMESPACE;
use crate::policy::{Policy, Statement};
use crate::resources::created::{finish, retry_not_found};
use crate::resources::key::{self, Keys};
use crate::{Aws, AwsNames, Called};

/// Days until an unfinished upload is aborted.
const UPLOAD_DAYS: i32 = 7;

/// A bucket. Fields are changed in the order of their declaration.
#[derive(Debug, Clone, Serialize, FieldName)]
#[stem_name_derive(PartialOrd, Ord, Deserialize)]
#[stem_name_attr(serde(rename_all = "snake_case"))]
#[stem_name_attr(expect(missing_docs, reason = "the fields have them"))]
pub struct Bucket {
    name: String,
    #[serde(skip)]
    #[stem_name(skip)]
    arn: String,
    /// The owning account, which the ARN does not contain.
    #[serde(skip)]
    #[stem_name(skip)]
    account: String,
    #[serde(skip)]
    #[stem_name(skip)]
    thing: String,
    /// The environment variable that holds the bucket's name in a function.
    #[serde(skip)]
    #[stem_name(skip)]
    variable: Option<String>,
    /// Earlier KMS keys: existing objects may be encrypted with them.
    #[serde(skip)]
    #[stem_name(skip)]
    former_keys: Vec<String>,
    /// Changed before the policy, so that S3 rejects a policy that grants public access ("Blocking public
    /// access to your Amazon S3 storage", S3 user guide).
    public_access_block: PublicAccessBlock,
    ownership: String,
    encryption: Encryption,
    /// Off includes the status that S3 calls suspended: existing versions are kept.
    versioning: bool,
    /// Rules by id.
    lifecycle: BTreeMap<String, Rule>,
    policy: Option<Policy>,
    /// Web origins that CORS rules allow.
    cors_origins: BTreeSet<String>,
    /// ARNs that are notified about objects, or `EventBridge`.
    notified: BTreeSet<String>,
}

/// The settings that block public access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct PublicAccessBlock {
    block_acls: bool,
    ignore_acls: bool,
    block_policy: bool,
    restrict_buckets: bool,
}

/// The default encryption of objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Encryption {
    /// `AES256` or `aws:kms`.
    algorithm: String,
    kms_key: Option<String>,
    /// Whether one key serves many objects, which saves calls to KMS.
    bucket_key: bool,
}

impl Bucket {
    /// Returns the bucket for `thing`, versioned and accessible over TLS only.
    pub fn new(scope: &Scope, thing: &str) -> Self {
        let name = scope.bucket_name(thing);
        let arn = format!("arn:{}:s3:::{name}", scope.partition());
        Self {
            policy: Some(tls_only(&arn)),
            name,
            arn,
            account: scope.account.clone(),
            thing: thing.to_owned(),
            variable: None,
            former_keys: Vec::new(),
            public_access_block: PublicAccessBlock::all(true),
            ownership: ObjectOwnership::BucketOwnerEnforced.as_str().to_owned(),
            encryption: Encryption::with(None),
            versioning: true,
            lifecycle: [("abort-uploads".to_owned(), Rule::aborting_uploads(UPLOAD_DAYS))].into(),
            cors_origins: BTreeSet::new(),
            notified: BTreeSet::new(),
        }
    }

    /// Returns the bucket with a rule that deletes overwritten versions under this prefix after this number
    /// of days ("Lifecycle configuration elements", S3 user guide).
    pub fn expiring_versions(mut self, prefix: &str, days: i32) -> Self {
        let id = format!("expire-versions-of-{}", prefix.trim_end_matches('/'));
        self.lifecycle.insert(id, Rule::expiring_versions(prefix, days));
        self
    }

    /// Returns the bucket that requires TLS, or also accepts plain HTTP: a cloud on loopback has no TLS.
    pub fn tls_only(mut self, on: bool) -> Self {
        self.policy = on.then(|| tls_only(&self.arn));
        self
    }

    /// Returns the bucket encrypted with the KMS key of this ARN, or with S3's own key.
    pub fn encrypted_with(mut self, keys: impl Into<Keys>) -> Self {
        let Keys { today, former } = keys.into();
        self.encryption = Encryption::with(today);
        self.former_keys = former;
        self
    }

    /// Returns the bucket whose name functions read from this environment variable.
    pub fn known_as(mut self, variable: impl Display) -> Self {
        self.variable = Some(variable.to_string());
        self
    }

    /// Returns the ARN.
    pub fn arn(&self) -> &str {
        &self.arn
    }
}

impl Resource for Bucket {
    type Cloud = Aws;
    type Field = BucketFieldName;
    const INFO: KindInfo = KindInfo {
        stateful: true,
        // Terraform waits this long until several reads of a lifecycle are equal (terraform-provider-aws,
        // internal/service/s3/bucket_lifecycle_configuration.go).
        settles_within: Duration::from_secs(180),
        left_out: &[
            LeftOut {
                what: "website, replication, logging, acceleration, request payment, inventory, analytics, metrics, \
                   object lock",
                why: "one more call each on every read, for features that a private archive does not use",
            },
            LeftOut { what: "ACLs", why: "they have no effect while the bucket's owner owns every object" },
            LeftOut { what: "blocked encryption types", why: "S3 sets them by itself" },
            LeftOut {
                what: "details of CORS rules and notifications",
                why: "any rule or notification is a difference already",
            },
        ],
        ..KindInfo::new("s3.bucket")
    };

    fn name(&self) -> &str {
        &self.name
    }

    fn arn(&self) -> Option<&str> {
        Some(&self.arn)
    }

    fn import_ids(&self) -> Vec<ImportId> {
        self.imported()
    }

    fn effect(&self, field: BucketFieldName, live: &Self) -> Effect {
        use BucketFieldName as Field;
        let live_key = live.encryption.kms_key.as_deref();
        match field {
            // Without versioning, an overwritten object is lost.
            Field::Versioning if !self.versioning => Effect::InPlace(Risk::LosesData),
            Field::Lifecycle if lifecycle::deletes_more(&live.lifecycle, &self.lifecycle) => {
                Effect::InPlace(Risk::LosesData)
            }
            // Functions can no longer read the existing objects.
            Field::Encryption
                if live_key != self.encryption.kms_key.as_deref()
                    && key::is_left_behind(live_key, &self.former_keys) =>
            {
                Effect::InPlace(Risk::LosesData)
            }
            Field::CorsOrigins | Field::Notified => Effect::InPlace(Risk::Interrupts),
            Field::Name
            | Field::PublicAccessBlock
            | Field::Ownership
            | Field::Encryption
            | Field::Versioning
            | Field::Lifecycle
            | Field::Policy => Effect::InPlace(Risk::Safe),
        }
    }

    fn mistakes(&self, _stack: &Neighbours<'_>) -> Vec<String> {
        self.found_mistakes()
    }

    fn permissions(scope: &Scope) -> Vec<Statement> {
        permissions::permissions(scope)
    }

    async fn read(&self, aws: &Aws) -> Result<Option<Live<Self>>, Error> {
        let name = &self.name;
        let (tags, made, parts) = join!(reads::tags(name, aws), reads::made(name, aws), async {
            try_join!(
                reads::public_access_block(name, aws),
                reads::ownership(name, aws),
                reads::encryption(name, aws),
                reads::versioning(name, aws),
                reads::lifecycle(name, aws),
                reads::policy(name, aws),
                reads::cors_origins(name, aws),
                reads::notified(name, aws),
            )
        });
        let tags = match tags.gone_is_none() {
            Ok(Some(tags)) => tags,
            Ok(None) => return Ok(None),
            Err(error) => return Err(reads::explained(error, name, aws).await),
        };
        // The tags decide whether the bucket exists. Other reads may not find a new bucket yet.
        let (made, parts) = (made?, parts.map_err(retry_not_found)?);
        let (public_access_block, ownership, encryption, versioning, lifecycle, policy, cors, notified) =
            parts;
        Ok(Some(Live {
            resource: Self {
                public_access_block,
                ownership,
                encryption,
                versioning,
                lifecycle,
                policy,
                cors_origins: cors,
                notified,
                ..self.clone()
            },
            tags: Some(tags),
            identity: made.map(|made| made.to_string()),
        }))
    }

    async fn create(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        // In us-east-1, creating a bucket that the account already owns succeeds, and resets its ACLs
        // ("CreateBucket", S3 API reference).
        match Self::tags(&self.name, aws).await? {
            Some(live) => {
                let exists = Error::new(
                    Class::Exists,
                    "CreateBucket",
                    format!("the bucket {} exists already", self.name),
                );
                take_over(exists, &live, aws)?;
            }
            None => self.make(tags, aws).await?,
        }
        finish(self, tags, aws).await
    }

    async fn update(&self, _live: &Self, changed: &Changed<Self>, aws: &Aws) -> Result<(), Error> {
        use BucketFieldName as Field;
        // One after another: S3 rejects concurrent changes of a bucket.
        for field in changed {
            match field {
                Field::PublicAccessBlock => self.put_public_access_block(aws).await?,
                Field::Ownership => self.put_ownership(aws).await?,
                Field::Encryption => self.put_encryption(aws).await?,
                Field::Versioning => self.put_versioning(aws).await?,
                Field::Lifecycle => self.put_lifecycle(aws).await?,
                Field::Policy => self.put_policy(aws).await?,
                Field::CorsOrigins => self.delete_cors(aws).await?,
                Field::Notified => self.delete_notifications(aws).await?,
                Field::Name => {}
            }
        }
        Ok(())
    }

    async fn tag(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        // The call replaces all tags.
        let mut all = reads::tags(&self.name, aws).await?;
        all.extend(tags.clone());
        self.put_tags(&all, aws).await
    }

    async fn delete(name: &str, aws: &Aws) -> Result<(), Error> {
        if emptying::empty(name, aws).await.gone_is_none()?.is_none() {
            return Ok(());
        }
        let deleted = aws.s3.delete_bucket().bucket(name).send().await.called();
        match deleted {
            // Objects were written in the meantime; the next attempt empties the bucket again.
            Err(error) if error.code.as_deref() == Some("BucketNotEmpty") => {
                let class = Class::InProgress;
                Err(Error { class, ..error })
            }
            other => other.gone_is_none().map(drop),
        }
    }

    async fn list(scope: &Scope, aws: &Aws) -> Result<Vec<String>, Error> {
        let names = aws.buckets().await?.iter().filter_map(|bucket| bucket.name.clone());
        Ok(names.filter(|name| can_be_ours(name, scope)).collect())
    }

    async fn tags(name: &str, aws: &Aws) -> Result<Option<Tags>, Error> {
        reads::tags(name, aws).await.gone_is_none()
    }
}

impl Bucket {
    /// Creates the bucket with its tags and without settings, or adopts the bucket of an earlier attempt.
    pub(crate) async fn make(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        // The oldest Region has no name here ("CreateBucket", S3 API reference).
        let region = &aws.scope.region;
        let elsewhere = (region != "us-east-1").then(|| BucketLocationConstraint::from(region.as_str()));
        let configuration = CreateBucketConfiguration::builder()
            .set_location_constraint(elsewhere)
            .set_tags(Some(changes::to_sdk(tags)?));
        let own = self.name.ends_with(OWN_NAMESPACE).then_some(BucketNamespace::AccountRegional);
        let call = aws.s3.create_bucket().bucket(&self.name).set_bucket_namespace(own);
        let call = call.create_bucket_configuration(configuration.build());
        match call.send().await.called() {
            Err(error) if error.code.as_deref() == Some("BucketAlreadyOwnedByYou") => {
                take_over(error, &Self::tags(&self.name, aws).await?.unwrap_or_default(), aws)
            }
            Err(error) if error.class == Class::Exists => Err(error.hint(
                "another account has a bucket with this name, and bucket names are globally unique: choose another \
                 name for the stack or for the environment",
            )),
            other => other.map(drop),
        }
    }
}

/// Adopts a bucket of this account that did not exist when the plan was made. A bucket without tags was left
/// by an attempt that was interrupted before it set them.
fn take_over(exists: Error, live: &Tags, aws: &Aws) -> Result<(), Error> {
    if live.is_empty() { Ok(()) } else { aws.adopt(exists, Some(live)) }
}

impl PublicAccessBlock {
    fn all(on: bool) -> Self {
        Self { block_acls: on, ignore_acls: on, block_policy: on, restrict_buckets: on }
    }
}

impl Encryption {
    fn with(kms_key: Option<String>) -> Self {
        Self {
            algorithm: if kms_key.is_some() { "aws:kms" } else { "AES256" }.to_owned(),
            bucket_key: kms_key.is_some(),
            kms_key,
        }
    }
}

/// Returns whether a bucket with this name can belong to the environment. The permissions of the deployer do
/// not cover other names, so it could not read the tags of those buckets.
fn can_be_ours(name: &str, scope: &Scope) -> bool {
    let whole = scope.bucket_name("*");
    let (begins, ends) = whole.split_once('*').expect("the bucket name contains the `*`");
    name.strip_prefix(begins).is_some_and(|rest| rest.ends_with(ends))
}

fn tls_only(arn: &str) -> Policy {
    Policy::from(json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, format!("{arn}/*")],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }],
    }))
}

#[cfg(test)]
mod tests;
