//! Manual changes to the table of wishes: its indexes and its time to live.

use acceptance::{Deployed, Moment, Place, Side, Signal};
use aws::Aws;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, CreateGlobalSecondaryIndexAction, DeleteGlobalSecondaryIndexAction,
    GlobalSecondaryIndexUpdate, KeySchemaElement, KeyType, Projection, ProjectionType, ScalarAttributeType,
    TimeToLiveSpecification,
};
use serde_json::{Value, json};
use shop::wishes::{AT_MOST_CENTS, BY_ITEM, EXPIRES_AT, ITEM};

/// An index that is missing, superfluous or different, and a time to live that is off, are drift. `up` repairs
/// them, also if it is killed around any change of an index and run again.
pub(super) fn are_repaired(place: &Place<'_>, up: &Deployed<'_>) {
    let table = up.aws.scope.name("wishes");
    let id = format!("dynamodb.table/{table}");
    up.wait(async {
        delete(&up.aws, &table, BY_ITEM).await;
        create(&up.aws, &table, "by-hand", ProjectionType::KeysOnly).await;
        let off = TimeToLiveSpecification::builder().attribute_name(EXPIRES_AT).enabled(false).build();
        let call = up.aws.dynamodb.update_time_to_live().table_name(&table);
        call.time_to_live_specification(off.expect("both are set")).send().await.expect("the table exists");
    });
    let missing = ["global_indexes.by-hand", "global_indexes.by-item", "time_to_live"];
    assert_eq!(drifts(place), missing.map(|path| (id.clone(), path.to_owned())));
    place.deploys(&["up", "local", "--yes", "--allow", &id]);

    let differ = || {
        up.wait(async {
            delete(&up.aws, &table, BY_ITEM).await;
            create(&up.aws, &table, BY_ITEM, ProjectionType::All).await;
        });
    };
    differ();
    assert_eq!(drifts(place), [(id, "global_indexes.by-item.projection".to_owned())]);
    let command = || place.command(&["up", "local", "--yes"]);
    let changes = place.trapped(command(), None, &[]).changes;
    let of_indexes = changes.into_iter().filter(|change| change.operation().ends_with(".UpdateTable"));
    let points: Vec<_> =
        of_indexes.flat_map(|call| [(call.clone(), Side::Before), (call, Side::After)]).collect();
    assert_eq!(points.len(), 4, "the index is deleted and created: {points:?}");
    for (call, side) in points {
        differ();
        let killed = place.trapped(command(), Some(Moment::Change(call, side)), &[Signal::KILL]);
        assert_eq!(killed.run.code, None, "{killed:#?}");
        place.deploys(&["up", "local", "--yes"]);
        place.deploys(&["drift", "local"]);
    }
}

/// Returns the resource and the path of each difference that `drift` reports.
fn drifts(place: &Place<'_>) -> Vec<(String, String)> {
    let drift = place.deployer(&["drift", "local", "--format", "json"]);
    assert_eq!(drift.code, Some(3), "{drift:#?}");
    let report = drift.json();
    let text = |value: &Value| value.as_str().expect("the value is text").to_owned();
    let list = |value: &Value| value.as_array().expect("the value is a list").clone();
    let steps = list(&report["resources"]).into_iter().filter(|step| step["changes"] != json!([]));
    steps
        .flat_map(|step| {
            list(&step["changes"]).into_iter().map(move |change| (text(&step["id"]), text(&change["path"])))
        })
        .collect()
}

async fn delete(aws: &Aws, table: &str, name: &str) {
    let delete = DeleteGlobalSecondaryIndexAction::builder().index_name(name).build();
    let update = GlobalSecondaryIndexUpdate::builder().delete(delete.expect("the name is set")).build();
    let call = aws.dynamodb.update_table().table_name(table).global_secondary_index_updates(update);
    call.send().await.expect("the table exists");
}

/// Adds an index of items by price.
async fn create(aws: &Aws, table: &str, name: &str, projection: ProjectionType) {
    const SET: &str = "all required fields are set";
    let attribute = |name: &str, of| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(of).build().expect(SET)
    };
    let key = |name: &str, role| {
        KeySchemaElement::builder().attribute_name(name).key_type(role).build().expect(SET)
    };
    let create = CreateGlobalSecondaryIndexAction::builder().index_name(name);
    let create = create.key_schema(key(ITEM, KeyType::Hash)).key_schema(key(AT_MOST_CENTS, KeyType::Range));
    let create = create.projection(Projection::builder().projection_type(projection).build());
    let update = GlobalSecondaryIndexUpdate::builder().create(create.build().expect(SET)).build();
    let call = aws.dynamodb.update_table().table_name(table).global_secondary_index_updates(update);
    let call = call.attribute_definitions(attribute(ITEM, ScalarAttributeType::S));
    let call = call.attribute_definitions(attribute(AT_MOST_CENTS, ScalarAttributeType::N));
    call.send().await.expect("the table exists");
}
