//! The table is gone, and every cart comes back from the archive, as it was.

use std::collections::BTreeMap;

use acceptance::{Cloud, Deployed, Events, Moment, Signal, Storm, until};
use serde_json::{Value, json};

use crate::Test;

pub(crate) const TESTS: &[Test] =
    &[("lost_table_is_restored_from_the_archive", lost_table_is_restored_from_the_archive)];

const RESTORE: [&str; 6] = ["audit", "local", "--restore", "--yes", "--grace", "1s"];

/// The table is deleted by hand, an empty one made and filled from the archive, killed half-way
/// and run again. Each cart answers as before, nothing is published a second time, and the next
/// command goes on where the last one was.
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
    up.wait(delete.send()).expect("there is no deletion protection here");
    place.deploys(&["up", "local", "--allow", "dynamodb.table/cart-local-events"]);
    assert_eq!(up.answer("get-cart", &json!({ "cart_id": cart }))["error"], "CartNotFound");
    let lost = place.deployer(&["audit", "local", "--grace", "1s"]);
    assert_eq!(lost.code, Some(3), "{lost:#?}");

    let killed = place.trapped(place.command(&RESTORE), Some(Moment::Changing(90)), &[Signal::KILL]);
    assert_eq!(killed.run.code, None, "it was over before it was killed: {killed:#?}");
    let half = written(&up);
    assert!((1..table.len() + 2).contains(&half), "{half} commits were written: {killed:#?}");
    place.deploys(&RESTORE);
    place.deploys(&["audit", "local", "--grace", "1s"]);

    assert_eq!(answers(&up, &table), before, "every cart is as it was");
    assert_eq!(up.answer("get-cart", &json!({ "cart_id": cart })), open);
    let added = up.answer("add-item", &json!({ "cart_id": cart, "item": "tea" }));
    assert_eq!((&added["version"], &added["items"]), (&json!(3), &json!([{ "item": "tea", "quantity": 2 }])));
    // It is behind everything that was restored, in the stream of the table too.
    until("what happened afterwards in the archive", || {
        (up.archived().len() > published.len()).then_some(())
    });
    let since = up.records().split_off(published.len());
    let since: Vec<Value> =
        since.iter().map(|record| serde_json::from_str(&record.data).expect("JSON")).collect();
    assert_eq!(since.len(), 1, "only what is new is published: {since:#?}");
    assert_eq!((&since[0]["aggregate_id"], &since[0]["version"]), (&cart, &json!(3)));
    place.deploys(&["audit", "local", "--grace", "1s"]);
}

/// Returns what get-cart answers of each cart.
fn answers(up: &Deployed<'_>, table: &Events) -> BTreeMap<String, Value> {
    let carts = table.keys().filter(|(_, version)| *version == 1).map(|(cart, _)| cart.to_string());
    carts.map(|cart| (cart.clone(), up.answer("get-cart", &json!({ "cart_id": cart })))).collect()
}

/// Returns how many commits are in the table.
fn written(up: &Deployed<'_>) -> usize {
    let scan = up.aws.dynamodb.scan().table_name(up.aws.scope.name("events"));
    up.wait(scan.send()).expect("the table can be read").items().len()
}
