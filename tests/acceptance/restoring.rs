//! The table is lost, and every cart is restored from the archive unchanged.

use std::collections::BTreeMap;

use acceptance::{Cloud, Deployed, Events, Moment, Signal, Storm, until};
use serde_json::{Value, json};

use crate::Test;

pub(crate) const TESTS: &[Test] =
    &[("lost_table_is_restored_from_the_archive", lost_table_is_restored_from_the_archive)];

const RESTORE: [&str; 6] = ["audit", "local", "--restore", "--yes", "--grace", "1s"];

/// The table is deleted manually. A new one is created and filled from the archive, by a run that is killed
/// half-way and by another. Each cart has the same state as before, nothing is published again, and the next
/// command continues from the last version.
fn lost_table_is_restored_from_the_archive(cloud: &Cloud) {
    let place = cloud.place();
    let up = Deployed::local(&place);
    let table = Storm { events: 200, carts: 20 }.quietly(&place, &up);
    let cart = up.answer("open-cart", &json!({}))["cart_id"].clone();
    let open = up.answer("add-item", &json!({ "cart_id": cart, "item": "tea" }));
    let before = answers(&up, &table);
    let published = until("the last two events in the archive", || {
        let records = up.records();
        (up.archived().len() == table.len() + 2 && records.len() == table.len() + 2).then_some(records)
    });

    let delete = up.aws.dynamodb.delete_table().table_name(up.aws.scope.name("events"));
    up.wait(delete.send()).expect("the table has no deletion protection");
    place.deploys(&["up", "local", "--allow", "dynamodb.table/cart-local-events"]);
    assert_eq!(up.answer("get-cart", &json!({ "cart_id": cart }))["error"], "CartNotFound");
    let lost = place.deployer(&["audit", "local", "--grace", "1s"]);
    assert_eq!(lost.code, Some(3), "{lost:#?}");

    let killed = place.trapped(place.command(&RESTORE), Some(Moment::Changing(90)), &[Signal::KILL]);
    assert_eq!(killed.run.code, None, "the run ended before it was killed: {killed:#?}");
    let half = written(&up);
    assert!((1..table.len() + 2).contains(&half), "{half} commits were written: {killed:#?}");
    place.deploys(&RESTORE);
    place.deploys(&["audit", "local", "--grace", "1s"]);

    assert_eq!(answers(&up, &table), before, "every cart has the same state as before");
    assert_eq!(up.answer("get-cart", &json!({ "cart_id": cart })), open);
    let added = up.answer("add-item", &json!({ "cart_id": cart, "item": "tea" }));
    assert_eq!((&added["version"], &added["items"]), (&json!(3), &json!([{ "item": "tea", "quantity": 2 }])));
    // The new event comes after all restored ones, also in the table's stream.
    until("the new event in the archive", || (up.archived().len() > published.len()).then_some(()));
    let since = up.records().split_off(published.len());
    let since: Vec<Value> =
        since.iter().map(|record| serde_json::from_str(&record.data).expect("JSON")).collect();
    assert_eq!(since.len(), 1, "only the new event is published: {since:#?}");
    assert_eq!((&since[0]["aggregate_id"], &since[0]["version"]), (&cart, &json!(3)));
    place.deploys(&["audit", "local", "--grace", "1s"]);
}

/// Returns the answer of get-cart for each cart.
fn answers(up: &Deployed<'_>, table: &Events) -> BTreeMap<String, Value> {
    let carts = table.keys().filter(|(_, version)| *version == 1).map(|(cart, _)| cart.to_string());
    carts.map(|cart| (cart.clone(), up.answer("get-cart", &json!({ "cart_id": cart })))).collect()
}

/// Returns how many commits are in the table.
fn written(up: &Deployed<'_>) -> usize {
    let scan = up.aws.dynamodb.scan().table_name(up.aws.scope.name("events"));
    up.wait(scan.send()).expect("the table can be read").items().len()
}
