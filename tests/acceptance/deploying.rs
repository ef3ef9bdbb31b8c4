//! `up`, `plan` and `down` from an empty account to an empty account.

use aws::AwsNames;
use engine::release::ReleaseRecord;
use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use acceptance::{Call, Cloud, Hollow, Inventory, Place, Run, differences};
use serde_json::Value;

use crate::Test;

pub(crate) const TESTS: &[Test] = &[
    ("up_is_idempotent_and_down_empties_the_account", up_is_idempotent_and_down_empties_the_account),
    ("code_that_does_not_compile_changes_nothing", code_that_does_not_compile_changes_nothing),
];

/// Neither in an empty account, nor if other resources have to be changed as well.
fn code_that_does_not_compile_changes_nothing(cloud: &Cloud) {
    let (place, hollow) = (cloud.place(), Hollow::of(cloud).expect("a temporary folder can be created"));
    let up = || Run::of(&mut hollow.command(&place, &["up", "local"]));
    hollow.break_code("get-cart").expect("the folder is writable");
    let refused = |before: &Inventory| {
        let run = up();
        assert_eq!(run.code, Some(1), "{run:#?}");
        for said in ["cannot find value `broken`", "cargo could not build", "nothing was changed"] {
            assert!(run.stderr.contains(said), "the output lacks `{said}`: {run:#?}");
        }
        assert_eq!(differences(before, &place.inventory()), [""; 0]);
    };
    refused(&Inventory::new());
    hollow.mend_code("get-cart").expect("the folder is writable");
    assert_eq!(up().code, Some(0));
    let before = place.inventory();
    hollow.break_code("get-cart").expect("the folder is writable");
    place.environment("local", "[local]\nport = 4566\n[functions]\nmemory_mb = 512\n");
    refused(&before);
}

/// The first `up` reports what it created, the second does nothing, orphans are reported and kept, and `down`
/// leaves an empty account.
fn up_is_idempotent_and_down_empties_the_account(cloud: &Cloud) {
    let place = cloud.place();
    let up = place.deploys(&["up", "local"]);
    for id in ids(&place.deploys(&["outputs", "local", "--format", "json"]).json()) {
        let done = up.stderr.lines().find(|line| line.contains(&format!("created {id} ")));
        assert!(done.is_some_and(|line| line.ends_with(" s")), "{id} has no duration: {}", up.stderr);
    }
    assert!(up.stderr.contains("local is up"), "{}", up.stderr);
    assert!(up.stderr.contains("invoke local open-cart"), "the next command is not suggested: {}", up.stderr);

    packages_are_stored(&place);
    nothing_to_do(&place);
    let orphans = make_orphans(&place);
    let before = place.inventory();
    let plan = place.only_reads(&["plan", "local"]);
    assert_eq!(plan.code, Some(6), "{plan:#?}");
    let up = place.only_reads(&["up", "local"]);
    assert_eq!(up.code, Some(0), "{up:#?}");
    for orphan in orphans {
        assert!(plan.stdout.contains(orphan), "{orphan} is not in the plan: {plan:#?}");
        assert!(up.stderr.contains(orphan), "up does not report {orphan}: {up:#?}");
    }
    assert_eq!(differences(&before, &place.inventory()), [""; 0]);

    fill_bucket(&place);
    // The events of this call are in flight when their functions are deleted, and must not leave resources.
    place.invoke("local", "open-cart", &serde_json::json!({}));
    let down = place.deploys(&["down", "local"]);
    assert!(down.stderr.contains(" cloudwatch.alarm, 1 cloudwatch.dashboard, "), "{}", down.stderr);
    assert_eq!(differences(&Inventory::new(), &place.inventory()), [""; 0]);
    let again = place.only_reads(&["down", "local"]);
    assert_eq!(again.code, Some(0), "{again:#?}");
    assert!(again.stderr.contains("nothing to remove"), "{again:#?}");
}

/// A second `up` neither writes nor compiles: its cargo only reads the workspace's metadata, and fails at
/// everything else.
fn nothing_to_do(place: &Place<'_>) {
    let cargo = cargo_that_only_tells(place);
    let calls = place.folder().join("calls.jsonl");
    let mut command = place.command(&["up", "local"]);
    let up = Run::of(command.arg("--record-calls").arg(&calls).env("CARGO", &cargo));
    assert_eq!(up.code, Some(0), "{up:#?}");
    assert!(up.stderr.contains("Nothing to do"), "{}", up.stderr);
    let calls = Call::recorded(&calls);
    assert!(!calls.is_empty() && !calls.iter().any(Call::mutates), "{calls:#?}");
    // Checks that this works: a command that compiles fails.
    let build = Run::of(place.command(&["build", "local"]).env("CARGO", cargo));
    assert_eq!(build.code, Some(1), "{build:#?}");
}

fn cargo_that_only_tells(place: &Place<'_>) -> PathBuf {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let script = place.folder().join("cargo");
    let text = format!("#!/bin/sh\n[ \"$1\" = metadata ] || exit 1\nexec '{cargo}' \"$@\"\n");
    fs::write(&script, text).expect("a new folder is writable");
    fs::set_permissions(&script, Permissions::from_mode(0o755)).expect("the file is owned by this user");
    script
}

/// Creates resources that have the environment's tags but are not in the stack. Returns their ids in the
/// plan.
fn make_orphans(place: &Place<'_>) -> [&'static str; 2] {
    let aws = place.aws("local");
    let tags = aws.scope.tags();
    place.cloud.wait(async {
        let call = aws.logs.create_log_group().log_group_name("/aws/lambda/cart-local-old");
        call.set_tags(Some(tags.clone().into_iter().collect())).send().await.expect("the name is free");
        let trust = r#"{"Version":"2012-10-17","Statement":[]}"#;
        let mut call = aws.iam.create_role().role_name("cart-local-old").path(aws.scope.role_path());
        for (key, value) in tags {
            let tag = aws_sdk_iam::types::Tag::builder().key(key).value(value).build();
            call = call.tags(tag.expect("key and value are given"));
        }
        call.assume_role_policy_document(trust).send().await.expect("the name is free");
    });
    ["logs.log-group//aws/lambda/cart-local-old", "iam.role/cart-local-old"]
}

/// Checks that the package of every function is in the deployment bucket, and that the release record names
/// it.
fn packages_are_stored(place: &Place<'_>) {
    let aws = place.aws("local");
    let bucket = aws.scope.bucket_name("deployment");
    let (stored, functions, last) = place.cloud.wait(async {
        let stored = aws.s3.list_objects_v2().bucket(&bucket).prefix("packages/").send().await;
        let functions = aws.lambda.list_functions().into_paginator().items().send().try_collect().await;
        let last = aws.last_release().await.expect("the record can be read");
        (stored.expect("the bucket exists"), functions.expect("functions can be listed"), last)
    });
    let stored: BTreeSet<&str> = stored.contents().iter().filter_map(|object| object.key()).collect();
    let recorded = last.expect("`up` wrote a record").release.packages;
    let recorded_keys: BTreeSet<String> =
        recorded.values().map(|digest| format!("packages/{digest}.zip")).collect();
    assert_eq!(recorded_keys.iter().map(String::as_str).collect::<BTreeSet<_>>(), stored);
    let names = functions.iter().filter_map(|function| function.function_name());
    let ours: BTreeSet<&str> = names.filter(|name| name.starts_with(&aws.scope.prefix())).collect();
    assert_eq!(recorded.keys().map(String::as_str).collect::<BTreeSet<_>>(), ours);
}

/// Puts an object, an older version of it, and the delete marker of another object into the bucket.
fn fill_bucket(place: &Place<'_>) {
    let aws = place.aws("local");
    let bucket = aws.scope.bucket_name("archive");
    place.cloud.wait(async {
        for key in ["kept", "kept", "deleted"] {
            aws.s3.put_object().bucket(&bucket).key(key).send().await.expect("the bucket exists");
        }
        aws.s3.delete_object().bucket(&bucket).key("deleted").send().await.expect("the object exists");
        let versions = aws.s3.list_object_versions().bucket(&bucket).send().await;
        let versions = versions.expect("the bucket exists");
        assert!(versions.versions().len() >= 3, "the bucket has no versions: {versions:#?}");
    });
}

fn ids(outputs: &Value) -> Vec<String> {
    let outputs = outputs["outputs"].as_array().expect("outputs are a list");
    outputs.iter().map(|output| output["id"].as_str().unwrap_or_default().to_owned()).collect()
}
