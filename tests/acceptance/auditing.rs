//! `audit` detects lost archive objects and restores them; `events` shows the history of a cart.

use acceptance::{Cloud, Deployed, Place, Run, Storm};
use aws::AwsNames;
use serde_json::{Value, json};

use crate::Test;

pub(crate) const TESTS: &[Test] = &[
    ("lost_archive_object_is_detected_and_repaired", lost_archive_object_is_detected_and_repaired),
    ("cart_has_a_time_line", cart_has_a_time_line),
];

/// An object of the archive is deleted manually: `audit` lists the missing events and exits with code 3, and
/// `--repair` republishes them until the archive has them again.
fn lost_archive_object_is_detected_and_repaired(cloud: &Cloud) {
    let place = cloud.place();
    let up = Deployed::local(&place);
    let table = Storm { events: 60, carts: 6 }.quietly(&place, &up);
    assert_eq!(audit(&place, &[]).code, Some(0));

    let (key, whole) = up.objects("events/").into_iter().next().expect("the archive has an object");
    let bucket = up.aws.scope.bucket_name("archive");
    let put =
        async |body: Vec<u8>| up.aws.s3.put_object().bucket(&bucket).key(&key).body(body.into()).send().await;
    let lines = up.archived().len();
    up.wait(put(b"no events".to_vec())).expect("objects are not protected here");
    let refused = audit(&place, &["--repair", "--yes"]);
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(refused.stderr.contains("1 object of the archive cannot be read"), "{refused:#?}");
    up.wait(put(whole)).expect("objects are not protected here");
    assert_eq!(audit(&place, &[]).code, Some(0), "every event is archived");
    let nothing = audit(&place, &["--repair", "--yes"]);
    assert!(
        nothing.code == Some(0) && nothing.stderr.contains("there is nothing to publish"),
        "{nothing:#?}"
    );
    assert_eq!(nothing.stdout.matches("equal: ").count(), 1, "the totals are shown once: {nothing:#?}");
    assert_eq!(up.archived().len(), lines, "no event was republished");

    let delete = up.aws.s3.delete_object().bucket(&bucket).key(&key);
    up.wait(delete.send()).expect("objects are not protected here");
    let left = up.archived().len();
    let answer = audit(&place, &[]);
    assert_eq!(answer.code, Some(3), "{answer:#?}");
    assert!(answer.stdout.contains("not in the archive") && answer.stdout.contains("cart#"), "{answer:#?}");
    let report = audit(&place, &["--format", "json"]).json();
    assert_eq!(report["verdict"], "different", "{report:#}");
    assert_eq!(report["report"]["archive"]["events"], left, "{report:#}");

    let repaired = audit(&place, &["--repair", "--yes"]);
    assert_eq!(repaired.code, Some(0), "{repaired:#?}");
    assert_eq!(audit(&place, &[]).code, Some(0));
    let mut archived: Vec<String> = up.archived();
    archived.sort();
    archived.dedup();
    assert_eq!(archived.len(), table.len(), "each event is archived again, unchanged");
}

/// Shows the events of a cart, and its state at a version and at a time.
fn cart_has_a_time_line(cloud: &Cloud) {
    let place = cloud.place();
    let up = Deployed::local(&place);
    let opened = up.answer("open-cart", &json!({}));
    let cart = opened["cart_id"].as_str().expect("a cart has an id");
    let added = up.answer("add-item", &json!({ "cart_id": cart, "item": "tea", "quantity": 2 }));
    up.answer("close-cart", &json!({ "cart_id": cart }));

    let answer = place.deploys(&["events", "local", cart, "--format", "json"]).json();
    let events = answer["events"].as_array().expect("a time line is a list");
    let types: Vec<&Value> = events.iter().map(|event| &event["type"]).collect();
    assert_eq!(types, ["CartOpened", "ItemAdded", "CartClosed"]);
    let then = events[1]["occurred_at"].as_str().expect("each event has a time");
    for at in ["2", then] {
        let answer = place.deploys(&["events", "local", cart, "--at", at, "--format", "json"]).json();
        assert_eq!((&answer["version"], &answer["of_versions"]), (&json!(2), &json!(3)), "{answer:#}");
        assert_eq!(answer["state"], added, "the state that the caller got at that time");
    }
    let human = place.deploys(&["events", "local", cart]);
    assert!(types.iter().all(|kind| human.stdout.contains(kind.as_str().unwrap_or("?"))), "{human:#?}");
    let early = place.deployer(&["events", "local", cart, "--at", "2020-01-01T00:00:00Z"]);
    assert_eq!(early.code, Some(1), "{early:#?}");
}

fn audit(place: &Place<'_>, options: &[&str]) -> Run {
    place.deployer(&[&["audit", "local", "--grace", "1s"], options].concat())
}
