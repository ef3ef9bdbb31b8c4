//! Requests to S3, and the handling of answers that no emulator gives.

use super::*;
use crate::testing::{Script, body, fault, scope, update};

fn bucket() -> Bucket {
    Bucket::new(&scope(), "archive")
}

fn tagged(tags: &Tags) -> crate::testing::ScriptedAnswer {
    let tags: String = tags
        .iter()
        .map(|(key, value)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>"))
        .collect();
    body(format!("<Tagging><TagSet>{tags}</TagSet></Tagging>"))
}

fn absent() -> crate::testing::ScriptedAnswer {
    fault(404, "NoSuchBucket", "The specified bucket does not exist")
}

/// Answers as for a bucket that was just created.
fn new(script: Script) -> Script {
    let block = "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls>\
                 <IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy>\
                 <RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>";
    let ownership = "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>\
                     </OwnershipControls>";
    let unset = |code: &str| fault(404, code, "not set");
    let listed = "<ListAllMyBucketsResult><Buckets><Bucket>\
                  <Name>demo-dev-archive-111111111111-eu-central-1-an</Name>\
                  <CreationDate>2026-11-21T12:00:00.000Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>";
    script
        .on("ListBuckets", body(listed))
        .on("GetPublicAccessBlock", body(block))
        .on("GetBucketOwnershipControls", body(ownership))
        .on("GetBucketEncryption", unset("ServerSideEncryptionConfigurationNotFoundError"))
        .on("GetBucketVersioning", body("<VersioningConfiguration/>"))
        .on("GetBucketLifecycleConfiguration", unset("NoSuchLifecycleConfiguration"))
        .on("GetBucketPolicy", unset("NoSuchBucketPolicy"))
        .on("GetBucketCors", unset("NoSuchCORSConfiguration"))
        .on("GetBucketNotificationConfiguration", body("<NotificationConfiguration/>"))
}

fn taking(script: Script) -> Script {
    let calls = [
        "CreateBucket",
        "PutPublicAccessBlock",
        "PutBucketOwnershipControls",
        "PutBucketEncryption",
        "PutBucketVersioning",
        "PutBucketLifecycleConfiguration",
        "PutBucketPolicy",
        "PutBucketTagging",
        "DeleteBucketCors",
        "PutBucketNotificationConfiguration",
    ];
    calls.into_iter().fold(script, |script, call| script.on(call, body("")))
}

#[tokio::test(start_paused = true)]
async fn bucket_not_yet_propagated_is_waited_for() {
    let mut script = Script::new().on("GetBucketTagging", absent());
    // A minute and a half of "no such bucket", from different calls.
    for _ in 0..25 {
        script = script.on("GetBucketTagging", absent()).on("GetBucketTagging", tagged(&scope().tags()));
        script = script.on("GetBucketVersioning", absent());
    }
    let script = taking(new(script)).on("GetBucketTagging", tagged(&scope().tags()));
    bucket().create(&scope().tags(), &script.aws()).await.expect("the bucket becomes known");
    assert_eq!(
        script.writes(),
        ["CreateBucket", "PutBucketVersioning", "PutBucketLifecycleConfiguration", "PutBucketPolicy"],
    );
    let made = script
        .asked()
        .into_iter()
        .find(|asked| asked.operation == "CreateBucket")
        .expect("CreateBucket was called");
    assert!(made.body.contains("<LocationConstraint>eu-central-1</LocationConstraint>"), "{}", made.body);
    assert!(made.body.contains("<Key>deployer:stack</Key>"), "{}", made.body);
    assert_eq!(made.headers["x-amz-bucket-namespace"], "account-regional");
}

#[tokio::test(start_paused = true)]
async fn bucket_in_us_east_1_has_no_location_constraint() {
    let scope = Scope { region: "us-east-1".into(), ..scope() };
    let script = Script::new().on("GetBucketTagging", absent()).on("GetBucketTagging", tagged(&scope.tags()));
    let script = taking(new(script));
    let bucket = Bucket::new(&scope, "archive");
    bucket.create(&scope.tags(), &script.aws_of(scope.clone())).await.expect("the creation succeeds");
    let made = script
        .asked()
        .into_iter()
        .find(|asked| asked.operation == "CreateBucket")
        .expect("CreateBucket was called");
    assert!(!made.body.contains("LocationConstraint"), "{}", made.body);
}

#[tokio::test(start_paused = true)]
async fn bucket_of_an_interrupted_create_is_reused() {
    let script = taking(new(Script::new().on("GetBucketTagging", tagged(&scope().tags()))));
    bucket().create(&scope().tags(), &script.aws()).await.expect("the creation is finished");
    assert!(!script.calls().contains(&"CreateBucket".to_owned()));
}

#[tokio::test]
async fn bucket_identity_is_its_creation_time() {
    let script = new(Script::new().on("GetBucketTagging", tagged(&scope().tags())));
    let live = bucket().read(&script.aws()).await.expect("the read succeeds").expect("the resource exists");
    assert_eq!(live.identity.as_deref(), Some("1795262400"));
}

/// The deployer has no permission to read the owner of the other buckets.
#[tokio::test]
async fn bucket_listing_skips_unmanaged_names() {
    let names = [
        "demo-dev-archive-111111111111-eu-central-1-an",
        "demo-dev-reports",
        "demo-dev-archive-222222222222-eu-central-1",
        "demo-dev-111111111111-eu-central-1-an",
        "demo-development-archive-111111111111-eu-central-1-an",
    ];
    let listed: String = names.iter().map(|name| format!("<Bucket><Name>{name}</Name></Bucket>")).collect();
    let listed = format!("<ListAllMyBucketsResult><Buckets>{listed}</Buckets></ListAllMyBucketsResult>");
    let script = Script::new().on("ListBuckets", body(listed));
    let found = Bucket::list(&scope(), &script.aws()).await.expect("the listing succeeds");
    assert_eq!(found, [names[0]]);
}

#[tokio::test(start_paused = true)]
async fn unmanaged_bucket_in_same_account_is_not_adopted() {
    let theirs: Tags = [("team".to_owned(), "another".to_owned())].into();
    let script = Script::new().on("GetBucketTagging", absent()).on("GetBucketTagging", tagged(&theirs));
    let script = script.on("CreateBucket", fault(409, "BucketAlreadyOwnedByYou", "you have it"));
    let error = bucket().create(&scope().tags(), &script.aws()).await.expect_err("the resource is unmanaged");
    assert!(error.hint.expect("the error has a hint").contains("created meanwhile"));
    assert_eq!(script.writes(), ["CreateBucket"]);
}

#[tokio::test(start_paused = true)]
async fn bucket_name_taken_elsewhere_is_a_final_error() {
    let script = Script::new().on("GetBucketTagging", absent());
    let script = script.on("CreateBucket", fault(409, "BucketAlreadyExists", "not available"));
    let error = bucket().create(&scope().tags(), &script.aws()).await.expect_err("the name is taken");
    assert!(!error.class.passes());
    assert!(error.hint.expect("the error has a hint").contains("globally unique"));
}

#[tokio::test]
async fn bucket_in_another_region_names_the_region() {
    let moved = fault(301, "PermanentRedirect", "use another endpoint");
    let head = fault(301, "", "").header("x-amz-bucket-region", "eu-west-1");
    let script = new(Script::new().on("GetBucketTagging", moved).on("HeadBucket", head));
    let error = bucket().read(&script.aws()).await.expect_err("the bucket is in another Region");
    assert!(error.message.ends_with("is in eu-west-1"), "{error}");
}

#[tokio::test]
async fn bucket_with_denied_read_is_not_absent() {
    let denied = || fault(403, "AccessDenied", "Access Denied");
    let script = new(Script::new().on("GetBucketTagging", denied()).on("HeadBucket", denied()));
    let error = bucket().read(&script.aws()).await.expect_err("the read is denied");
    assert_eq!(error.class, Class::Denied);
    assert!(error.hint.expect("the error has a hint").contains("another account"));
}

#[tokio::test]
async fn bucket_settings_are_put_in_order() {
    let none = PublicAccessBlock::all(false);
    let live = Bucket {
        public_access_block: none,
        ownership: "ObjectWriter".into(),
        encryption: Encryption { algorithm: "aws:kms".into(), kms_key: None, bucket_key: false },
        versioning: false,
        lifecycle: BTreeMap::new(),
        policy: None,
        cors_origins: ["*".to_owned()].into(),
        notified: ["EventBridge".to_owned()].into(),
        ..bucket()
    };
    let script = taking(Script::new());
    update(&bucket(), &live, &script.aws()).await.expect("all settings are reset");
    assert_eq!(
        script.writes(),
        [
            "PutPublicAccessBlock",
            "PutBucketOwnershipControls",
            "PutBucketEncryption",
            "PutBucketVersioning",
            "PutBucketLifecycleConfiguration",
            "PutBucketPolicy",
            "DeleteBucketCors",
            "PutBucketNotificationConfiguration",
        ],
    );
}

#[tokio::test]
async fn bucket_expires_only_noncurrent_versions() {
    let script = taking(Script::new());
    let wanted = bucket().expiring_versions("progress/", 1);
    update(&wanted, &bucket(), &script.aws()).await.expect("the rule is added");
    assert_eq!(script.writes(), ["PutBucketLifecycleConfiguration"]);
    let sent = &script.asked()[0].body;
    let versions =
        "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>";
    // The call replaces all rules.
    for part in [
        "<ID>abort-uploads</ID>",
        "<ID>expire-versions-of-progress</ID>",
        "<Prefix>progress/</Prefix>",
        versions,
    ] {
        assert!(sent.contains(part), "{part} in {sent}");
    }
    assert!(!sent.contains("<Expiration>"), "{sent}");
}

#[test]
fn bucket_versions_that_expire_earlier_lose_data() {
    let effect = |live: &Bucket, desired: &Bucket| desired.effect(BucketFieldName::Lifecycle, live);
    let (loses, safe) = (Effect::InPlace(Risk::LosesData), Effect::InPlace(Risk::Safe));
    let expiring = |days: i32| bucket().expiring_versions("replays/", days);
    assert_eq!(effect(&bucket(), &expiring(1)), loses);
    assert_eq!(effect(&expiring(2), &expiring(1)), loses);
    assert_eq!(effect(&expiring(1), &expiring(2)), safe);
    assert_eq!(effect(&expiring(1), &bucket()), safe);
}

/// An object stays encrypted with the key that it was written with.
#[test]
fn bucket_key_change_without_former_key_loses_data() {
    let key = |id: &str| format!("arn:aws:kms:eu-central-1:111111111111:key/{id}");
    let loses = |live: &Bucket, desired: &Bucket| {
        desired.effect(BucketFieldName::Encryption, live) == Effect::InPlace(Risk::LosesData)
    };
    let encrypted = |id: &str| bucket().encrypted_with(Some(key(id)));
    for today in [Some(key("new")), None] {
        let desired = bucket().encrypted_with(today.clone());
        assert!(loses(&encrypted("old"), &desired));
        let desired = bucket().encrypted_with(Keys { today: today.clone(), former: vec![key("old")] });
        assert!(!loses(&encrypted("old"), &desired));
        let decrypting = desired.get("events/").also.expect("the keys are customer managed");
        assert!(decrypting.resources.contains(&key("old")), "{decrypting:?}");
        let encrypting = desired.write("events/").also.map(|key| key.resources);
        assert_eq!(encrypting, today.map(|key| vec![key]));
    }
    assert!(!loses(&bucket(), &encrypted("new")));
}

#[tokio::test]
async fn bucket_conflicting_change_is_retried() {
    let said = "A conflicting conditional operation is currently in progress against this resource.";
    let script = Script::new().on("PutBucketVersioning", fault(409, "OperationAborted", said));
    let live = Bucket { versioning: false, ..bucket() };
    let error = update(&bucket(), &live, &script.aws()).await.expect_err("the error is retryable");
    assert!(error.class.passes());
}

#[tokio::test]
async fn bucket_tagging_keeps_unmanaged_tags() {
    let theirs: Tags = [("team".to_owned(), "another".to_owned())].into();
    let script = taking(Script::new().on("GetBucketTagging", tagged(&theirs)));
    bucket().tag(&scope().tags(), &script.aws()).await.expect("the tags are set");
    let asked = script.asked();
    let sent = &asked.last().expect("the request was sent").body;
    assert!(sent.contains("<Key>team</Key>") && sent.contains("<Key>deployer:stack</Key>"), "{sent}");
}

#[tokio::test]
async fn bucket_settings_are_imported_only_if_set() {
    let types = |bucket: &Bucket| -> Vec<&str> {
        let name = bucket.name().to_owned();
        let imports = Resource::import_ids(bucket).into_iter();
        imports.inspect(|import| assert_eq!(import.id, name)).map(|import| import.type_name).collect()
    };
    let desired = [
        "aws_s3_bucket",
        "aws_s3_bucket_public_access_block",
        "aws_s3_bucket_ownership_controls",
        "aws_s3_bucket_server_side_encryption_configuration",
        "aws_s3_bucket_versioning",
        "aws_s3_bucket_lifecycle_configuration",
        "aws_s3_bucket_policy",
    ];
    assert_eq!(types(&bucket()), desired);
    let script = new(Script::new()).on("GetBucketTagging", tagged(&scope().tags()));
    let live = Resource::read(&bucket(), &script.aws()).await.expect("it is read").expect("it exists");
    assert_eq!(types(&live.resource), desired[..4], "a new bucket has neither versions, rules nor a policy");
    let (cors_origins, notified) = (["*".to_owned()].into(), ["EventBridge".to_owned()].into());
    let more = Bucket { cors_origins, notified, ..live.resource };
    assert_eq!(types(&more)[4..], ["aws_s3_bucket_cors_configuration", "aws_s3_bucket_notification"]);
}
