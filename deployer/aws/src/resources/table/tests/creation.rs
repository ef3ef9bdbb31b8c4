//! The creation of a table with indexes.

use super::*;

/// What AWS is asked for reads back as desired, so nothing else is written.
#[tokio::test(start_paused = true)]
async fn table_is_created_with_its_indexes() {
    let key = PrimaryKey::hash("Id", KeyType::Binary).range("At", KeyType::Number);
    let owner = PrimaryKey::hash("Owner", KeyType::String).range("At", KeyType::Number);
    let table = Table::new(&scope(), "events", key)
        .stream(StreamView::NewImage)
        .billing(Billing::Provisioned { read_units: 2, write_units: 1 })
        .global_index("by-owner", owner, Projection::including(["Title", "Note"]))
        .local_index("by-size", "Size", KeyType::Number, Projection::KeysOnly);
    let definitions = json!([
        {"AttributeName": "At", "AttributeType": "N"},
        {"AttributeName": "Id", "AttributeType": "B"},
        {"AttributeName": "Owner", "AttributeType": "S"},
        {"AttributeName": "Size", "AttributeType": "N"},
    ]);
    let key =
        json!([{"AttributeName": "Id", "KeyType": "HASH"}, {"AttributeName": "At", "KeyType": "RANGE"}]);
    let units = json!({"ReadCapacityUnits": 2, "WriteCapacityUnits": 1});
    let globals = json!([{
        "IndexName": "by-owner",
        "KeySchema": [{"AttributeName": "Owner", "KeyType": "HASH"}, {"AttributeName": "At", "KeyType": "RANGE"}],
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["Note", "Title"]},
        "ProvisionedThroughput": units,
    }]);
    let locals = json!([{
        "IndexName": "by-size",
        "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}, {"AttributeName": "Size", "KeyType": "RANGE"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }]);
    let created = json!({
        "AttributeDefinitions": definitions,
        "KeySchema": key,
        "BillingModeSummary": null,
        "ProvisionedThroughput": units,
        "GlobalSecondaryIndexes": globals,
        "LocalSecondaryIndexes": locals,
    });
    let script = bare(absent(Script::new()))
        .on("CreateTable", body("{}"))
        .on("DescribeTable", body(description("ACTIVE", created)));
    table.create(&scope().tags(), &script.aws()).await.expect("the creation succeeds");
    assert_eq!(script.writes(), ["CreateTable"]);
    let sent = &script.sent("CreateTable")[0];
    assert_eq!(
        [&sent["AttributeDefinitions"], &sent["KeySchema"], &sent["ProvisionedThroughput"]],
        [&definitions, &key, &units]
    );
    assert_eq!([&sent["GlobalSecondaryIndexes"], &sent["LocalSecondaryIndexes"]], [&globals, &locals]);
}

#[tokio::test(start_paused = true)]
async fn table_without_indexes_is_created_without_empty_lists() {
    let script = bare(described(absent(Script::new()), "ACTIVE")).on("CreateTable", body("{}"));
    table().create(&scope().tags(), &script.aws()).await.expect("the creation succeeds");
    let sent = &script.sent("CreateTable")[0];
    assert_eq!([sent.get("GlobalSecondaryIndexes"), sent.get("LocalSecondaryIndexes")], [None, None]);
}
