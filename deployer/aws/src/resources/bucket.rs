//! An S3 bucket: private, encrypted, versioned, reached over TLS only.

mod changes;
mod emptying;
mod grants;
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
use engine::resource::{Changed, Effect, KindInfo, LeftOut, Live, Neighbours, Resource, Risk, Tags};
use engine::scope::Scope;
use futures::{join, try_join};
use serde::{Deserialize, Serialize};
use serde_json::json;
use struct_to_enum::FieldName;

use self::lifecycle::Rule;
use crate::names::OWN_NAMESPACE;
use crate::policy::{Policy, Statement};
use crate::resources::key::{self, Keys};
use crate::resources::newborn::{finish, not_known_yet};
use crate::{Aws, AwsNames, Called};

/// Days that the parts of an upload are kept that nobody finishes.
const UPLOAD_DAYS: i32 = 7;

/// A bucket. Fields are changed in the order in which they stand here.
#[derive(Debug, Clone, Serialize, FieldName)]
#[stem_name_derive(PartialOrd, Ord, Deserialize)]
#[stem_name_attr(serde(rename_all = "snake_case"))]
#[stem_name_attr(expect(missing_docs, reason = "the fields have them"))]
pub struct Bucket {
    name: String,
    #[serde(skip)]
    #[stem_name(skip)]
    arn: String,
    /// The account that owns it, which its ARN does not say.
    #[serde(skip)]
    #[stem_name(skip)]
    account: String,
    #[serde(skip)]
    #[stem_name(skip)]
    thing: String,
    /// The environment variable that tells a function the name.
    #[serde(skip)]
    #[stem_name(skip)]
    variable: Option<String>,
    /// What is there already may be encrypted with these.
    #[serde(skip)]
    #[stem_name(skip)]
    former_keys: Vec<String>,
    /// Before the policy, which S3 would refuse.
    public_access_block: PublicAccessBlock,
    ownership: String,
    encryption: Encryption,
    /// Off is also what S3 calls suspended: versions that there are, stay.
    versioning: bool,
    /// By rule id.
    lifecycle: BTreeMap<String, Rule>,
    policy: Option<Policy>,
    /// Web origins that may use it.
    cors_origins: BTreeSet<String>,
    /// ARNs of what hears about objects, or `EventBridge`.
    notified: BTreeSet<String>,
}

/// What may never make an object public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct PublicAccessBlock {
    block_acls: bool,
    ignore_acls: bool,
    block_policy: bool,
    restrict_buckets: bool,
}

/// How objects are encrypted that say nothing themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Encryption {
    /// `AES256` or `aws:kms`.
    algorithm: String,
    kms_key: Option<String>,
    /// One key for many objects, which saves calls of KMS.
    bucket_key: bool,
}

impl Bucket {
    /// Returns the bucket of this thing, versioned and over TLS only.
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

    /// Returns the bucket that deletes what was overwritten under this prefix so many days after
    /// it was ("Lifecycle configuration elements", S3 user guide).
    pub fn expiring_versions(mut self, prefix: &str, days: i32) -> Self {
        let id = format!("expire-versions-of-{}", prefix.trim_end_matches('/'));
        self.lifecycle.insert(id, Rule::expiring_versions(prefix, days));
        self
    }

    /// Returns the bucket that answers over TLS only, or over plain HTTP too: a cloud on
    /// loopback has no TLS.
    pub fn tls_only(mut self, on: bool) -> Self {
        self.policy = on.then(|| tls_only(&self.arn));
        self
    }

    /// Returns the bucket encrypted with the KMS key of this ARN, or with S3's own.
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
        // Terraform waits so long for a lifecycle that reads the same several times
        // (terraform-provider-aws, internal/service/s3/bucket_lifecycle_configuration.go).
        settles_within: Duration::from_secs(180),
        left_out: &[
            LeftOut {
                what: "website, replication, logging, acceleration, request payment, inventory, analytics, metrics, \
                   object lock",
                why: "a call each for every look, for what a private archive does not use",
            },
            LeftOut { what: "ACLs", why: "they mean nothing while the bucket's owner owns every object" },
            LeftOut { what: "blocked encryption types", why: "S3 sets them by itself" },
            LeftOut {
                what: "details of CORS rules and notifications",
                why: "that there is one is a difference already",
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

    fn effect(&self, field: BucketFieldName, live: &Self) -> Effect {
        use BucketFieldName as Field;
        let live_key = live.encryption.kms_key.as_deref();
        match field {
            // An object that is overwritten is gone then.
            Field::Versioning if !self.versioning => Effect::InPlace(Risk::LosesData),
            Field::Lifecycle if lifecycle::deletes_more(&live.lifecycle, &self.lifecycle) => {
                Effect::InPlace(Risk::LosesData)
            }
            // Nobody may read the objects that there are.
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
        // Whether there is a bucket, its tags say; what else does not know it will.
        let (made, parts) = (made?, parts.map_err(not_known_yet)?);
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
        // In us-east-1, making a bucket that one has already succeeds, and resets its ACLs
        // ("CreateBucket", S3 API reference).
        match Self::tags(&self.name, aws).await? {
            Some(live) => {
                let exists =
                    Error::new(Class::Exists, "CreateBucket", format!("there is a bucket {}", self.name));
                take_over(exists, &live, aws)?;
            }
            None => self.make(tags, aws).await?,
        }
        finish(self, tags, aws).await
    }

    async fn update(&self, _live: &Self, changed: &Changed<Self>, aws: &Aws) -> Result<(), Error> {
        use BucketFieldName as Field;
        // One after another: S3 refuses two changes of one bucket at a time.
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
        // The call replaces them all.
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
            // Somebody wrote meanwhile; another attempt empties it again.
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
    /// Makes it with its tags and no settings, or takes over what an attempt of ours has made.
    pub(crate) async fn make(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        // The oldest region has no name here ("CreateBucket", S3 API reference).
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
                "somebody else has a bucket of this name, and bucket names are unique in the world: choose another \
                 name for the stack or for the environment",
            )),
            other => other.map(drop),
        }
    }
}

/// Takes over a bucket of our account that was not there when we looked. One without any tag
/// is what an attempt of ours left that was cut short before it had them.
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

/// Tells whether the permissions of who deploys cover a bucket of this name. Whose another one
/// is nobody may ask, and it cannot be ours.
fn can_be_ours(name: &str, scope: &Scope) -> bool {
    let whole = scope.bucket_name("*");
    let (begins, ends) = whole.split_once('*').expect("the name of the thing is in it");
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
