//! Manual changes to a table.
//!
//! MiniStack does not store the number of days of recovery, and cannot add local indexes or copies in other
//! Regions to a table: [`super::complete`] names the unit tests that cover them.

use aws::{Aws, AwsNames};
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::update_table::builders::UpdateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, CreateGlobalSecondaryIndexAction, GlobalSecondaryIndexUpdate,
    KeySchemaElement, KeyType, OnDemandThroughput, PointInTimeRecoverySpecification, Projection,
    ProjectionType, ProvisionedThroughput, ScalarAttributeType, SseSpecification, SseType,
    StreamSpecification, StreamViewType, TableClass, TimeToLiveSpecification,
};
use engine::scope::Scope;
use futures::FutureExt;
use serde_json::json;

use super::mapping;
use super::row::{GONE, Raw, Row, sent};

pub(super) fn first(scope: &Scope) -> Vec<Row> {
    let id = id(scope);
    vec![
        Row::new("recovery", &id, &["point_in_time_recovery_days"], |aws| {
            async {
                let on = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(true);
                let call = aws.dynamodb.update_continuous_backups().table_name(aws.scope.name("events"));
                call.point_in_time_recovery_specification(on.build()?).send().await?;
                Ok(())
            }
            .boxed()
        }),
        Row::new("expiry of items", &id, &["time_to_live"], |aws| {
            async {
                let on = TimeToLiveSpecification::builder().attribute_name("ByHand").enabled(true);
                let call = aws.dynamodb.update_time_to_live().table_name(aws.scope.name("events"));
                call.time_to_live_specification(on.build()?).send().await?;
                Ok(())
            }
            .boxed()
        }),
        Row::new("deletion protection", &id, &["deletion_protection"], |aws| {
            updated(aws, |call| Ok(call.deletion_protection_enabled(true)))
        }),
        Row::new("encryption", &id, &["kms_key"], |aws| {
            let key = aws.scope.arn("kms", "key/by-hand");
            let sse = SseSpecification::builder().enabled(true).sse_type(SseType::Kms);
            let sse = sse.kms_master_key_id(key).build();
            updated(aws, |call| Ok(call.sse_specification(sse)))
        }),
        Row::new("class", &id, &["class"], |aws| {
            updated(aws, |call| Ok(call.table_class(TableClass::StandardInfrequentAccess)))
        }),
        Row::new("limits", &id, &["billing.max_read_units", "billing.max_write_units"], |aws| {
            let limit = OnDemandThroughput::builder().max_read_request_units(5).max_write_request_units(5);
            let limit = limit.build();
            updated(aws, |call| Ok(call.on_demand_throughput(limit)))
        }),
        Row::new("an index", &id, &["global_indexes.by-hand"], |aws| updated(aws, indexed)),
        // The view of a stream is fixed. Changing it creates another stream, and readers of the old stream
        // read nothing any more.
        Row::new("another view", &id, &["stream"], |aws| {
            async {
                updated(aws, without_stream).await?;
                updated(aws, |call| viewed(call, StreamViewType::KeysOnly)).await
            }
            .boxed()
        })
        .also(mapping::id(scope, "capture", "dynamodb"), &["reads_current_stream"]),
    ]
}

pub(super) fn second(scope: &Scope) -> Vec<Row> {
    let id = id(scope);
    vec![
        Row::new("billing", &id, &["billing.mode", "billing.read_units", "billing.write_units"], |aws| {
            updated(aws, |call| {
                let units = ProvisionedThroughput::builder().read_capacity_units(1).write_capacity_units(1);
                Ok(call.billing_mode(BillingMode::Provisioned).provisioned_throughput(units.build()?))
            })
        }),
        Row::new("access granted to another account", &id, &["resource_policy"], |aws| {
            let arn = aws.scope.arn("dynamodb", &format!("table/{}", aws.scope.name("events")));
            let policy = json!({"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"},
                "Action": "dynamodb:GetItem", "Resource": arn,
            }]});
            let call = aws.dynamodb.put_resource_policy().resource_arn(arn).policy(policy.to_string());
            sent(call.send())
        }),
        Row::new("stream off", &id, &["stream"], |aws| updated(aws, without_stream))
            .also(mapping::id(scope, "capture", "dynamodb"), &["reads_current_stream"]),
    ]
}

pub(super) fn gone(scope: &Scope) -> Vec<Row> {
    let row = Row::new("table deleted", id(scope), GONE, |aws| {
        let call = aws.dynamodb.delete_table().table_name(aws.scope.name("events"));
        sent(call.send())
    });
    vec![row.also(mapping::id(scope, "capture", "dynamodb"), &["reads_current_stream"])]
}

fn id(scope: &Scope) -> String {
    format!("dynamodb.table/{}", scope.name("events"))
}

type Update = UpdateTableFluentBuilder;

fn updated<'a>(aws: &'a Aws, with: impl FnOnce(Update) -> Result<Update, BuildError> + Send + 'a) -> Raw<'a> {
    let call = aws.dynamodb.update_table().table_name(aws.scope.name("events"));
    async move {
        with(call)?.send().await?;
        Ok(())
    }
    .boxed()
}

fn viewed(call: Update, view: StreamViewType) -> Result<Update, BuildError> {
    let stream = StreamSpecification::builder().stream_enabled(true).stream_view_type(view);
    Ok(call.stream_specification(stream.build()?))
}

fn without_stream(call: Update) -> Result<Update, BuildError> {
    Ok(call.stream_specification(StreamSpecification::builder().stream_enabled(false).build()?))
}

fn indexed(call: Update) -> Result<Update, BuildError> {
    let attribute = AttributeDefinition::builder().attribute_name("ByHand");
    let key = KeySchemaElement::builder().attribute_name("ByHand").key_type(KeyType::Hash);
    let index = CreateGlobalSecondaryIndexAction::builder()
        .index_name("by-hand")
        .key_schema(key.build()?)
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build());
    let update = GlobalSecondaryIndexUpdate::builder().create(index.build()?).build();
    let attribute = attribute.attribute_type(ScalarAttributeType::S).build()?;
    Ok(call.attribute_definitions(attribute).global_secondary_index_updates(update))
}
