//! Conversion of DynamoDB's answers about a table, with the defaults of omitted fields.

use aws_sdk_dynamodb::types::{
    ContinuousBackupsDescription, PointInTimeRecoveryStatus, SseStatus, TableClass, TableDescription,
    TimeToLiveDescription, TimeToLiveStatus,
};

use super::{Billing, Table, index, primary_key, states};
use crate::policy::Policy;

/// The default of `RecoveryPeriodInDays` ("UpdateContinuousBackups", DynamoDB API reference).
const RECOVERY_DAYS: i32 = 35;

impl Table {
    /// Returns the live table.
    pub(super) fn live(
        &self,
        table: &TableDescription,
        backups: Option<&ContinuousBackupsDescription>,
        time_to_live: Option<&TimeToLiveDescription>,
        resource_policy: Option<Policy>,
        region: &str,
    ) -> Self {
        let recovery =
            backups.and_then(|backups| backups.point_in_time_recovery_description.as_ref()).filter(
                |recovery| recovery.point_in_time_recovery_status == Some(PointInTimeRecoveryStatus::Enabled),
            );
        let time_to_live = time_to_live.filter(|time_to_live| {
            let status = time_to_live.time_to_live_status.as_ref();
            matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling))
        });
        let encryption = table.sse_description.as_ref().filter(|encryption| {
            !matches!(encryption.status, Some(SseStatus::Disabled | SseStatus::Disabling))
        });
        let replicas = table.replicas().iter().filter_map(|replica| replica.region_name.clone());
        Self {
            key: primary_key::live(table.key_schema(), table.attribute_definitions()),
            billing: Billing::of(table),
            stream: view(table),
            point_in_time_recovery_days: recovery
                .map(|recovery| recovery.recovery_period_in_days.unwrap_or(RECOVERY_DAYS)),
            time_to_live: time_to_live.and_then(|time_to_live| time_to_live.attribute_name.clone()),
            deletion_protection: table.deletion_protection_enabled.unwrap_or_default(),
            kms_key: encryption.and_then(|encryption| encryption.kms_master_key_arn.clone()),
            class: table
                .table_class_summary
                .as_ref()
                .and_then(|summary| summary.table_class.as_ref())
                .unwrap_or(&TableClass::Standard)
                .as_str()
                .to_owned(),
            global_indexes: index::live_globals(table),
            local_indexes: index::live_locals(table),
            replicas: replicas.filter(|replica| replica != region).collect(),
            resource_policy,
            unusable: states::unusable(table.table_status.as_ref()).map(str::to_owned),
            ..self.clone()
        }
    }
}

/// Returns the view type of the stream, if there is one.
pub(super) fn view(table: &TableDescription) -> Option<String> {
    let specification = table.stream_specification.as_ref()?;
    let view = specification.stream_view_type.as_ref()?;
    specification.stream_enabled.then(|| view.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::{
        AttributeDefinition, BillingMode, BillingModeSummary, KeySchemaElement, KeyType,
        PointInTimeRecoveryDescription, ProvisionedThroughputDescription, ReplicaDescription,
        ScalarAttributeType, StreamSpecification,
    };

    use super::*;
    use crate::testing::{events_key, scope};

    fn state(table: &Table) -> serde_json::Value {
        serde_json::to_value(table).expect("the table serializes to JSON")
    }

    #[test]
    fn table_fields_left_out_have_defaults() {
        let table = Table::new(&scope(), "events", events_key());
        let table = table.point_in_time_recovery(Some(35));
        let attribute = |name: &str, of| {
            let definition = AttributeDefinition::builder().attribute_name(name);
            definition.attribute_type(of).build().expect("all required fields are set")
        };
        let key = |name: &str, role| {
            let element = KeySchemaElement::builder().attribute_name(name);
            element.key_type(role).build().expect("all required fields are set")
        };
        let described = TableDescription::builder()
            .attribute_definitions(attribute("Version", ScalarAttributeType::N))
            .attribute_definitions(attribute("OfAnIndex", ScalarAttributeType::B))
            .attribute_definitions(attribute("Id", ScalarAttributeType::S))
            .key_schema(key("Version", KeyType::Range))
            .key_schema(key("Id", KeyType::Hash))
            .billing_mode_summary(
                BillingModeSummary::builder().billing_mode(BillingMode::PayPerRequest).build(),
            )
            .provisioned_throughput(
                ProvisionedThroughputDescription::builder().read_capacity_units(0).build(),
            )
            .latest_stream_arn("of a stream that was turned off")
            .build();
        let recovery = PointInTimeRecoveryDescription::builder()
            .point_in_time_recovery_status(PointInTimeRecoveryStatus::Enabled)
            .build();
        let backups = ContinuousBackupsDescription::builder()
            .continuous_backups_status("ENABLED".into())
            .point_in_time_recovery_description(recovery)
            .build()
            .expect("all required fields are set");
        let live = table.live(&described, Some(&backups), None, None, "eu-central-1");
        assert_eq!(state(&live), state(&table));
    }

    #[test]
    fn table_backups_and_replicas_are_read() {
        let table = Table::new(&scope(), "events", events_key());
        let recovery = PointInTimeRecoveryDescription::builder()
            .point_in_time_recovery_status(PointInTimeRecoveryStatus::Enabled)
            .recovery_period_in_days(7);
        let backups = ContinuousBackupsDescription::builder()
            .continuous_backups_status("ENABLED".into())
            .point_in_time_recovery_description(recovery.build());
        let backups = backups.build().expect("all required fields are set");
        let replica = |region: &str| ReplicaDescription::builder().region_name(region).build();
        let described = TableDescription::builder()
            .replicas(replica("eu-central-1"))
            .replicas(replica("eu-west-1"))
            .build();
        let live = state(&table.live(&described, Some(&backups), None, None, "eu-central-1"));
        assert_eq!(live["point_in_time_recovery_days"], 7);
        assert_eq!(live["replicas"], serde_json::json!(["eu-west-1"]));
    }

    /// A time to live takes up to an hour to be set ("UpdateTimeToLive", DynamoDB API reference).
    #[test]
    fn table_time_to_live_being_set_is_read() {
        let table = Table::new(&scope(), "events", events_key());
        let read = |status| {
            let time_to_live = TimeToLiveDescription::builder().attribute_name("ExpiresAt");
            let time_to_live = time_to_live.time_to_live_status(status).build();
            let described = TableDescription::builder().build();
            table.live(&described, None, Some(&time_to_live), None, "eu-central-1").time_to_live
        };
        let set = Some("ExpiresAt".to_owned());
        assert_eq!([read(TimeToLiveStatus::Enabled), read(TimeToLiveStatus::Enabling)], [set.clone(), set]);
        assert_eq!([read(TimeToLiveStatus::Disabled), read(TimeToLiveStatus::Disabling)], [None, None]);
    }

    #[test]
    fn table_stream_turned_off_is_none() {
        let specification = StreamSpecification::builder()
            .stream_enabled(false)
            .build()
            .expect("all required fields are set");
        let table = TableDescription::builder().stream_specification(specification).build();
        assert_eq!(view(&table), None);
    }
}
