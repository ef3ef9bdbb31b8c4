//! What it takes to change each field of a live table.

use engine::resource::{Effect, Risk};

use super::{Table, TableFieldName};
use crate::resources::key;

impl Table {
    /// Returns what it takes to change this field of a live table to its desired value.
    pub(super) fn effect_of(&self, field: TableFieldName, live: &Self) -> Effect {
        use TableFieldName as Field;
        let lower =
            |days: Option<i32>, live: Option<i32>| days.unwrap_or_default() < live.unwrap_or_default();
        match field {
            Field::Key => Effect::Refuse(
                "a table's key cannot be changed: copy the items to a table of another name, then switch to it",
            ),
            Field::LocalIndexes => Effect::Refuse(
                "local indexes are created with their table and cannot be changed: declare those that it has, or copy \
                 the items to a table of another name, then switch to it",
            ),
            Field::Replicas => {
                Effect::Refuse("the table has a replica in another Region: delete it by hand, then run `up`")
            }
            Field::Unusable => Effect::Refuse("the table cannot be used: check its KMS key, then run `up`"),
            // A changed index is deleted and created again. Queries of it fail until it is built.
            Field::GlobalIndexes if !self.keeps_indexes_of(live) => Effect::InPlace(Risk::Interrupts),
            Field::TimeToLive if live.time_to_live.is_some() && self.time_to_live.is_some() => {
                Effect::Refuse(
                    "AWS requires an hour between two changes of a time to live: turn it off, wait, then run `up`",
                )
            }
            // From then on, items expire.
            Field::TimeToLive if live.time_to_live.is_none() => Effect::InPlace(Risk::LosesData),
            // Writes while the stream is off appear in no stream.
            Field::Stream if live.stream.is_some() => Effect::InPlace(Risk::LosesData),
            Field::PointInTimeRecoveryDays
                if lower(self.point_in_time_recovery_days, live.point_in_time_recovery_days) =>
            {
                Effect::InPlace(Risk::LosesData)
            }
            // DynamoDB needs the old key until it has changed to the new one.
            Field::KmsKey if key::is_left_behind(live.kms_key.as_deref(), &self.former_keys) => {
                Effect::InPlace(Risk::Interrupts)
            }
            Field::Name
            | Field::ResourcePolicy
            | Field::GlobalIndexes
            | Field::Billing
            | Field::Class
            | Field::KmsKey
            | Field::Stream
            | Field::DeletionProtection
            | Field::TimeToLive
            | Field::PointInTimeRecoveryDays => Effect::InPlace(Risk::Safe),
        }
    }

    /// Returns whether no global index of a live table has to be deleted, neither for good nor to be changed.
    fn keeps_indexes_of(&self, live: &Self) -> bool {
        live.global_indexes
            .iter()
            .all(|(name, live)| self.global_indexes.get(name).is_some_and(|index| index.is_same_as(live)))
    }
}
