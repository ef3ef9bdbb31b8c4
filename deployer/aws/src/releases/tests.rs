//! Tests of the requests to S3 for the release record, and of S3's responses.

use std::collections::BTreeSet;
use std::sync::Mutex;

use engine::release::ReleaseState;
use serde_json::json;

use super::*;
use crate::testing::{Asked, Script, ScriptedAnswer, body, fault};

fn release(run: &str) -> Release {
    Release {
        schema: SCHEMA,
        run: run.into(),
        state: ReleaseState::Begun,
        release: Some("4b5b545-dirty".into()),
        by: "arn:aws:sts::111111111111:assumed-role/deployer/me@example.com".into(),
        changes: Default::default(),
        deployed: Default::default(),
        making: Default::default(),
        changing: Default::default(),
        identities: Default::default(),
        packages: Default::default(),
        reads: Default::default(),
    }
}

fn listing(keys: &[&str]) -> ScriptedAnswer {
    let contents = keys.iter().map(|key| {
        format!("<Contents><Key>{key}</Key><LastModified>2026-11-21T12:00:00.000Z</LastModified></Contents>")
    });
    body(format!("<ListBucketResult>{}</ListBucketResult>", contents.collect::<String>()))
}

fn object(release: &Release) -> ScriptedAnswer {
    body(json!(release))
}

fn absent() -> ScriptedAnswer {
    fault(404, "NoSuchBucket", "The specified bucket does not exist")
}

/// Returns the objects that were put, with their keys.
fn put(script: &Script) -> Vec<(String, Option<Release>)> {
    let puts = script.asked().into_iter().filter(|asked| asked.operation == "PutObject");
    puts.map(|Asked { uri, body, .. }| {
        let key = uri.split('?').next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        (key.to_owned(), serde_json::from_str(&body).ok())
    })
    .collect()
}

#[tokio::test]
async fn large_release_entry_is_read_back_unchanged() {
    let ids = |kind: &str| (0..1_000).map(|n| format!("{kind}//aws/lambda/demo-dev-function-{n}")).collect();
    let release = Release {
        deployed: ids("logs.log-group"),
        making: ids("lambda.function"),
        changing: ids("iam.role"),
        ..release("0a1b2c3d")
    };
    let script = Script::new()
        .on("PutObject", body(""))
        .on("ListObjectsV2", listing(&["releases/0000000007.json"]))
        .on("GetObject", object(&release));
    script.aws().record(&release, 7).await.expect("S3 stores the entry");
    assert_eq!(put(&script), [("0000000007.json".to_owned(), Some(release.clone()))]);
    assert_eq!(script.asked()[0].headers["if-none-match"], "*");
    let last = script.aws().last_release().await.expect("the record can be read").expect("there is an entry");
    assert_eq!((last.release, last.number), (release, 7));
    assert_eq!(last.at, Some("2026-11-21T12:00:00Z".parse().expect("the time is valid")));
}

#[tokio::test(start_paused = true)]
async fn release_bucket_is_created_by_first_entry_only() {
    let script =
        Script::new().on("PutObject", absent()).on("PutObject", body("")).on("CreateBucket", body(""));
    script.aws().record(&release("one"), 1).await.expect("the bucket is created");
    assert_eq!(script.calls(), ["CreateBucket", "PutObject", "PutObject"]);
    let made = script.asked().swap_remove(0);
    assert!(made.uri.contains("demo-dev-deployment-111111111111-eu-central-1-an"), "{}", made.uri);
    assert!(made.body.contains("<Key>deployer:environment</Key>"), "{}", made.body);

    // An adopted bucket has other tags.
    let tags = "<Tagging><TagSet><Tag><Key>team</Key><Value>x</Value></Tag></TagSet></Tagging>";
    let script = Script::new()
        .on("CreateBucket", fault(409, "BucketAlreadyOwnedByYou", "you have it"))
        .on("GetBucketTagging", body(tags))
        .on("PutObject", body(""));
    script.aws().record(&release("one"), 1).await.expect("the bucket exists already");

    let script = Script::new().on("PutObject", absent());
    let error = script.aws().record(&release("one"), 2).await.expect_err("the record was deleted");
    assert_eq!((error.class, script.calls().len()), (Class::Gone, 1));
}

#[tokio::test]
async fn taken_release_number_is_not_overwritten() {
    let taken =
        fault(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
    let script = Script::new().on("PutObject", taken);
    let error = script.aws().record(&release("one"), 2).await.expect_err("the number is taken");
    assert_eq!(error.class, Class::Exists);
    let busy = fault(409, "ConditionalRequestConflict", "a conflicting operation occurred");
    let script = Script::new().on("PutObject", busy);
    let error = script.aws().record(&release("one"), 2).await.expect_err("another put is in progress");
    assert!(error.class.passes(), "{error}");
}

#[tokio::test]
async fn release_record_without_bucket_is_empty() {
    let script = Script::new().on("ListObjectsV2", absent()).on("DeleteObject", absent());
    let script = script.on("GetObject", absent());
    let aws = script.aws();
    assert_eq!(aws.last_release().await.expect("a missing bucket is not an error"), None);
    assert_eq!(aws.releases(3).await.expect("a missing bucket is not an error"), []);
    aws.withdraw(3).await.expect("a missing bucket is not an error");
}

#[tokio::test]
async fn release_entries_are_read_in_order() {
    let runs = Mutex::new(BTreeSet::new());
    let script = Script::new()
        .on(
            "ListObjectsV2",
            listing(&[
                "releases/",
                "releases/0000000010.json",
                "releases/0000000011.json",
                "releases/99.json",
            ]),
        )
        .by("GetObject", move |asked| {
            let number = asked.uri.split(".json").next().and_then(|uri| uri.rsplit('/').next());
            let number = number.expect("the key is an entry's").to_owned();
            assert!(runs.lock().expect("the lock is not poisoned").insert(number.clone()), "{number} twice");
            // Old entries can be deleted while they are read.
            if number.ends_with('9') { fault(404, "NoSuchKey", "gone") } else { object(&release(&number)) }
        });
    let entries = script.aws().releases(9).await.expect("the entries can be read");
    let numbers: Vec<_> = entries.iter().map(|entry| (entry.number, entry.release.run.as_str())).collect();
    assert_eq!(numbers, [(10, "0000000010"), (11, "0000000011")]);
    let listing = script.asked().into_iter().find(|asked| asked.operation == "ListObjectsV2");
    let listed = listing.expect("the entries were listed").uri;
    assert!(listed.contains("start-after=releases%2F0000000009.json"), "{listed}");
}

#[tokio::test]
async fn old_release_entry_is_deleted() {
    let script = Script::new().on("PutObject", body("")).on("DeleteObject", body(""));
    let aws = script.aws();
    aws.record(&release("one"), 100).await.expect("S3 stores the entry");
    assert_eq!(script.calls(), ["PutObject"]);
    aws.record(&release("one"), 101).await.expect("S3 stores the entry");
    let deleted = script.asked().pop().expect("there was a call");
    assert_eq!(deleted.operation, "DeleteObject");
    assert!(deleted.uri.contains("/releases/0000000001.json"), "{}", deleted.uri);
}

#[tokio::test]
async fn unreadable_release_entry_is_an_error() {
    let later = json!(Release { schema: SCHEMA + 1, ..release("one") }).to_string();
    for text in ["", "hello", "{}", &later] {
        let listed = listing(&["releases/0000000001.json"]);
        let script = Script::new().on("ListObjectsV2", listed).on("GetObject", body(text));
        let error = script.aws().last_release().await.expect_err("the object is not an entry");
        assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("aws s3 rm s3://demo-dev-deployment-")));
    }
}
