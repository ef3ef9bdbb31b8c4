//! Global and local indexes: what a read shows, what a change does, and what it costs.

use super::live_table::LiveTable;
use super::*;

/// Returns a live global index with a hash key only.
fn live_index(name: &str, attribute: &str, status: &str) -> Value {
    json!({
        "IndexName": name,
        "IndexStatus": status,
        "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    })
}

/// Returns the fields of a table with these global indexes, with `Owner` and `Size` among the attributes.
fn indexed(indexes: Value) -> Value {
    json!({
        "AttributeDefinitions": [
            {"AttributeName": "Size", "AttributeType": "N"},
            {"AttributeName": "Id", "AttributeType": "S"},
            {"AttributeName": "Owner", "AttributeType": "S"},
            {"AttributeName": "Version", "AttributeType": "N"},
        ],
        "GlobalSecondaryIndexes": indexes,
    })
}

fn by_owner() -> PrimaryKey {
    PrimaryKey::hash("Owner", KeyType::String)
}

/// Returns the events table with an index of all attributes by owner.
fn with_owner() -> Table {
    table().global_index("by-owner", by_owner(), Projection::All)
}

/// Returns the differences between a live table with these fields and the desired one.
async fn differences(extra: Value, desired: &Table) -> Vec<(String, Value, Value)> {
    let script = bare(Script::new()).on("DescribeTable", body(description("ACTIVE", extra)));
    let live = live(&script).await;
    let state = |table: &Table| serde_json::to_value(table).expect("the table serializes to JSON");
    let changes = engine::diff::diff(&state(&live), &state(desired));
    changes.into_iter().map(|change| (change.path, change.live, change.desired)).collect()
}

/// Returns the changes of indexes that were sent, in order.
fn sent(script: &Script) -> Vec<Value> {
    let sent = script.sent("UpdateTable").into_iter();
    sent.map(|mut sent| sent["GlobalSecondaryIndexUpdates"].take()).collect()
}

/// The paths and values that a plan shows.
#[tokio::test]
async fn index_drift_names_index_and_field() {
    let units = json!({"MaxReadRequestUnits": 5, "MaxWriteRequestUnits": 5});
    let cases = [
        (json!({}), "global_indexes.by-owner", json!(null)),
        (
            json!({"KeySchema": [
                {"AttributeName": "Size", "KeyType": "RANGE"},
                {"AttributeName": "Owner", "KeyType": "HASH"},
            ]}),
            "global_indexes.by-owner.key",
            json!(["Owner HASH S", "Size RANGE N"]),
        ),
        // AWS supports up to four attributes for each role.
        (
            json!({"KeySchema": [
                {"AttributeName": "Owner", "KeyType": "HASH"},
                {"AttributeName": "Id", "KeyType": "HASH"},
            ]}),
            "global_indexes.by-owner.key",
            json!(["Owner HASH S", "Id HASH S"]),
        ),
        (
            json!({"Projection": {"ProjectionType": "KEYS_ONLY"}}),
            "global_indexes.by-owner.projection",
            json!("KEYS_ONLY"),
        ),
        (
            json!({"Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["Title", "Note"]}}),
            "global_indexes.by-owner.projection",
            json!(["Note", "Title"]),
        ),
        (
            json!({"OnDemandThroughput": units}),
            "global_indexes.by-owner.own_billing",
            json!({"mode": "on_demand", "max_read_units": 5, "max_write_units": 5}),
        ),
    ];
    for (by_hand, path, shown) in cases {
        let mut index = live_index("by-owner", "Owner", "ACTIVE");
        let is_missing = by_hand == json!({});
        index.as_object_mut().expect("an object").extend(by_hand.as_object().expect("an object").clone());
        let indexes = if is_missing { json!([]) } else { json!([index]) };
        let found = differences(indexed(indexes), &with_owner()).await;
        let found: Vec<_> = found.into_iter().map(|(path, live, _)| (path, live)).collect();
        assert_eq!(found, [(path.to_owned(), shown)]);
    }
    let added = json!([live_index("by-owner", "Owner", "ACTIVE"), live_index("by-hand", "Size", "ACTIVE")]);
    let found = differences(indexed(added), &with_owner()).await;
    let hand = json!({"key": ["Size HASH N"], "projection": "ALL"});
    assert_eq!(found, [("global_indexes.by-hand".to_owned(), hand, Value::Null)]);
    let deleting = json!([live_index("by-owner", "Owner", "DELETING")]);
    let found = differences(indexed(deleting), &with_owner()).await;
    let desired = json!({"key": ["Owner HASH S"], "projection": "ALL"});
    assert_eq!(found, [("global_indexes.by-owner".to_owned(), Value::Null, desired)]);
}

#[tokio::test]
async fn local_index_drift_names_index_and_field() {
    let local = json!({
        "AttributeDefinitions": indexed(json!([]))["AttributeDefinitions"],
        "LocalSecondaryIndexes": [{
            "IndexName": "by-size",
            "KeySchema": [
                {"AttributeName": "Id", "KeyType": "HASH"},
                {"AttributeName": "Size", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }],
    });
    let desired = |projection| table().local_index("by-size", "Size", KeyType::Number, projection);
    assert_eq!(differences(local.clone(), &desired(Projection::KeysOnly)).await, []);
    assert_eq!(
        differences(local.clone(), &desired(Projection::All)).await,
        [("local_indexes.by-size.projection".to_owned(), json!("KEYS_ONLY"), json!("ALL"))]
    );
    let key = json!(["Id HASH S", "Size RANGE N"]);
    assert_eq!(
        differences(local, &table()).await,
        [("local_indexes.by-size".to_owned(), json!({"key": key, "projection": "KEYS_ONLY"}), Value::Null)]
    );
}

#[tokio::test(start_paused = true)]
async fn indexes_are_changed_one_at_a_time_deletions_first() {
    let live_table = LiveTable::with(indexed(json!([
        live_index("by-hand", "Size", "ACTIVE"),
        live_index("by-owner", "Owner", "ACTIVE"),
    ])));
    let script = live_table.script();
    let live = live(&script).await;
    // Another type of `Owner` can only be declared after the earlier index is gone.
    let owner = PrimaryKey::hash("Owner", KeyType::Binary);
    let desired = table().global_index("by-owner", owner, Projection::All).global_index(
        "by-time",
        PrimaryKey::hash("At", KeyType::Number),
        Projection::KeysOnly,
    );
    update(&desired, &live, &script.aws()).await.expect("the indexes are changed");
    let names: Vec<Value> = sent(&script)
        .iter()
        .map(|sent| match sent[0].get("Delete") {
            Some(delete) => json!(["Delete", delete["IndexName"]]),
            None => json!(["Create", sent[0]["Create"]["IndexName"]]),
        })
        .collect();
    assert_eq!(
        names,
        [
            json!(["Delete", "by-hand"]),
            json!(["Delete", "by-owner"]),
            json!(["Create", "by-owner"]),
            json!(["Create", "by-time"]),
        ]
    );
    let built = live_table.now()["GlobalSecondaryIndexes"].clone();
    assert!(built.as_array().expect("a list").iter().all(|index| index["IndexStatus"] == json!("ACTIVE")));
}

/// An index without use would else be built for hours before it can be deleted.
#[tokio::test(start_paused = true)]
async fn unwanted_index_is_deleted_while_it_is_backfilled() {
    let mut index = live_index("by-hand", "Size", "CREATING");
    index["Backfilling"] = json!(true);
    let script = bare(Script::new())
        .on("DescribeTable", body(description("ACTIVE", indexed(json!([index])))))
        .on("DescribeTable", body(description("ACTIVE", indexed(json!([index])))))
        .on("DescribeTable", body(description("ACTIVE", indexed(json!([])))))
        .on("UpdateTable", body("{}"));
    let live = live(&script).await;
    update(&table(), &live, &script.aws()).await.expect("the index is deleted");
    assert_eq!(sent(&script), [json!([{"Delete": {"IndexName": "by-hand"}}])]);
}

#[tokio::test(start_paused = true)]
async fn table_is_ready_when_its_indexes_are() {
    let of = |status: &str| {
        let index = live_index("by-owner", "Owner", status);
        body(description("ACTIVE", indexed(json!([index]))))
    };
    let script = bare(Script::new())
        .on("DescribeTable", of("CREATING"))
        .on("DescribeTable", of("CREATING"))
        .on("DescribeTable", of("ACTIVE"));
    with_owner().ready(&script.aws()).await.expect("the index becomes ACTIVE");
    assert_eq!(script.calls(), ["DescribeTable"; 3]);
}

#[tokio::test(start_paused = true)]
async fn index_changes_with_lost_answers_are_no_errors() {
    let said = "Attempting to create an index which already exists";
    let built = indexed(json!([live_index("by-owner", "Owner", "ACTIVE")]));
    let script = bare(described(described(described(Script::new(), "ACTIVE"), "ACTIVE"), "ACTIVE"))
        .on("DescribeTable", body(description("ACTIVE", built.clone())))
        .on("UpdateTable", fault(400, "ValidationException", said));
    let without = live(&script).await;
    update(&with_owner(), &without, &script.aws()).await.expect("the index exists");

    let script = bare(Script::new())
        .on("DescribeTable", body(description("ACTIVE", built.clone())))
        .on("DescribeTable", body(description("ACTIVE", built)))
        .on("UpdateTable", fault(400, "ResourceNotFoundException", "Requested resource not found"));
    let with = live(&script).await;
    let script = described(script, "ACTIVE");
    update(&table(), &with, &script.aws()).await.expect("the index is gone");
}

#[tokio::test(start_paused = true)]
async fn provisioned_indexes_have_the_units_of_the_table() {
    let live_table = LiveTable::with(indexed(json!([live_index("by-owner", "Owner", "ACTIVE")])));
    let script = live_table.script();
    let units = |number| Billing::Provisioned { read_units: number, write_units: 1 };
    let with_units = |number| json!({"ReadCapacityUnits": number, "WriteCapacityUnits": 1});
    let desired = with_owner().billing(units(2)).global_index(
        "by-size",
        PrimaryKey::hash("Size", KeyType::Number),
        Projection::All,
    );
    update(&desired, &live(&script).await, &script.aws()).await.expect("the billing is changed");
    let changes = script.sent("UpdateTable");
    assert_eq!(changes.len(), 2, "the index is created on demand, then everything gets units: {changes:?}");
    assert_eq!(
        changes[1]["GlobalSecondaryIndexUpdates"],
        json!([
            {"Update": {"IndexName": "by-owner", "ProvisionedThroughput": with_units(2)}},
            {"Update": {"IndexName": "by-size", "ProvisionedThroughput": with_units(2)}},
        ])
    );

    // Other units: the table first, then each index.
    let script = live_table.script();
    update(&desired.billing(units(5)), &live(&script).await, &script.aws()).await.expect("units are changed");
    let changes = script.sent("UpdateTable");
    assert_eq!(changes[0]["ProvisionedThroughput"], with_units(5));
    assert_eq!(changes.len(), 3);
    for index in live_table.now()["GlobalSecondaryIndexes"].as_array().expect("a list") {
        assert_eq!(index["ProvisionedThroughput"], with_units(5), "{index}");
    }
}

/// A killed run left the index, which may take hours.
#[tokio::test(start_paused = true)]
async fn billing_is_changed_when_the_indexes_are_built() {
    let live_table = LiveTable::with(indexed(json!([live_index("by-owner", "Owner", "CREATING")])));
    let script = live_table.script();
    let desired = with_owner().billing(Billing::Provisioned { read_units: 2, write_units: 1 });
    update(&desired, &live(&script).await, &script.aws()).await.expect("the billing is changed");
    assert_eq!(script.writes(), ["UpdateTable"]);
}

#[test]
fn index_deletion_and_replacement_interrupt() {
    let effect = |live: &Table, desired: &Table| desired.effect(TableFieldName::GlobalIndexes, live);
    let (safe, interrupts) = (Effect::InPlace(Risk::Safe), Effect::InPlace(Risk::Interrupts));
    assert_eq!(effect(&table(), &with_owner()), safe, "nothing queries it yet");
    assert_eq!(effect(&with_owner(), &table()), interrupts);
    let keys = table().global_index("by-owner", by_owner(), Projection::KeysOnly);
    assert_eq!(effect(&keys, &with_owner()), interrupts, "it is deleted and created again");
    let mut billed = with_owner();
    for index in billed.global_indexes.values_mut() {
        index.own_billing = Some(Billing::on_demand());
    }
    assert_eq!(effect(&billed, &with_owner()), safe);
}

#[test]
fn local_index_change_is_refused() {
    let with = table().local_index("by-size", "Size", KeyType::Number, Projection::All);
    for (live, desired) in [(&table(), &with), (&with, &table())] {
        let effect = desired.effect(TableFieldName::LocalIndexes, live);
        let Effect::Refuse(why) = effect else { panic!("it is refused: {effect:?}") };
        assert!(why.contains("copy the items to a table of another name"), "{why}");
    }
}
