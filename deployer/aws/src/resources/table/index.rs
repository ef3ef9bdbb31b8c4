//! A secondary index of a table: another key for the same items, with copies of some of their attributes.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{self as sdk, IndexStatus, ProjectionType, TableDescription};
use engine::error::Error;
use serde::{Serialize, Serializer};

use super::Billing;
use super::primary_key::{self, KeyAttribute, PrimaryKey};
use super::requests::incomplete;

/// The indexes of a table, by name.
pub(super) type Indexes = BTreeMap<String, Index>;

/// A secondary index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Index {
    #[serde(serialize_with = "as_texts")]
    pub(super) key: Vec<KeyAttribute>,
    pub(super) projection: Projection,
    /// The billing of a live global index, if it is not that of the table; never desired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) own_billing: Option<Billing>,
}

/// The attributes that an index copies from each item. The keys of the table and of the index are always
/// among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Projection {
    /// All attributes.
    All,
    /// Only the keys of the table and of the index.
    KeysOnly,
    /// The keys, and these attributes.
    Including(Vec<String>),
}

impl Projection {
    /// Returns the projection with the keys and these attributes.
    pub fn including(attributes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::Including(attributes.into_iter().map(Into::into).collect())
    }

    /// Returns the projection with its attributes in one order: they are a set.
    fn sorted(self) -> Self {
        match self {
            Self::Including(mut attributes) => {
                attributes.sort();
                Self::Including(attributes)
            }
            other => other,
        }
    }

    /// Returns a live projection.
    fn live(projection: Option<&sdk::Projection>) -> Self {
        match projection.and_then(|projection| projection.projection_type.as_ref()) {
            Some(ProjectionType::All) => Self::All,
            Some(ProjectionType::KeysOnly) => Self::KeysOnly,
            _ => Self::including(projection.into_iter().flat_map(sdk::Projection::non_key_attributes)),
        }
    }

    fn request(&self) -> sdk::Projection {
        let projection = sdk::Projection::builder();
        match self {
            Self::All => projection.projection_type(ProjectionType::All),
            Self::KeysOnly => projection.projection_type(ProjectionType::KeysOnly),
            Self::Including(attributes) => {
                let projection = projection.projection_type(ProjectionType::Include);
                projection.set_non_key_attributes(Some(attributes.clone()))
            }
        }
        .build()
    }
}

/// `ALL`, `KEYS_ONLY`, or the list of the included attributes.
impl Serialize for Projection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => ProjectionType::All.as_str().serialize(serializer),
            Self::KeysOnly => ProjectionType::KeysOnly.as_str().serialize(serializer),
            Self::Including(attributes) => attributes.serialize(serializer),
        }
    }
}

impl Index {
    /// Returns the global index with this key and projection.
    pub(super) fn global(key: PrimaryKey, projection: Projection) -> Self {
        Self { key: key.into_attributes(), projection: projection.sorted(), own_billing: None }
    }

    /// Returns the local index of a table with this key, with another range key.
    pub(super) fn local(table: &[KeyAttribute], range: KeyAttribute, projection: Projection) -> Self {
        let key = table.iter().take(1).cloned().chain([range]).collect();
        Self { key, projection: projection.sorted(), own_billing: None }
    }

    /// Returns whether one of the two has to be deleted to get the other: AWS changes only the billing of an
    /// index ("UpdateGlobalSecondaryIndexAction", DynamoDB API reference).
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.key == other.key && self.projection == other.projection
    }

    /// Returns the attributes of the projection that are not keys.
    pub(super) fn included(&self) -> &[String] {
        match &self.projection {
            Projection::Including(attributes) => attributes,
            Projection::All | Projection::KeysOnly => &[],
        }
    }

    /// Returns whether the projection is to have more attributes than the keys, and names none.
    pub(super) fn includes_nothing(&self) -> bool {
        matches!(&self.projection, Projection::Including(attributes) if attributes.is_empty())
    }

    /// Returns the index for CreateTable, as a global one with this billing.
    pub(super) fn created_with_table(
        &self,
        name: &str,
        billing: &Billing,
    ) -> Result<sdk::GlobalSecondaryIndex, Error> {
        let index = sdk::GlobalSecondaryIndex::builder().index_name(name);
        index
            .set_key_schema(Some(primary_key::schema(&self.key)?))
            .projection(self.projection.request())
            .set_provisioned_throughput(billing.throughput()?)
            .set_on_demand_throughput(billing.limits())
            .build()
            .map_err(incomplete)
    }

    /// Returns the index for CreateTable, as a local one.
    pub(super) fn created_locally(&self, name: &str) -> Result<sdk::LocalSecondaryIndex, Error> {
        let index = sdk::LocalSecondaryIndex::builder().index_name(name);
        let index = index.set_key_schema(Some(primary_key::schema(&self.key)?));
        index.projection(self.projection.request()).build().map_err(incomplete)
    }

    /// Returns the creation of the index, with this billing, for UpdateTable.
    pub(super) fn creation(
        &self,
        name: &str,
        billing: &Billing,
    ) -> Result<sdk::GlobalSecondaryIndexUpdate, Error> {
        let create = sdk::CreateGlobalSecondaryIndexAction::builder().index_name(name);
        let create = create
            .set_key_schema(Some(primary_key::schema(&self.key)?))
            .projection(self.projection.request())
            .set_provisioned_throughput(billing.throughput()?)
            .set_on_demand_throughput(billing.limits());
        let create = create.build().map_err(incomplete)?;
        Ok(sdk::GlobalSecondaryIndexUpdate::builder().create(create).build())
    }
}

/// Returns the deletion of an index for UpdateTable.
pub(super) fn deletion(name: &str) -> Result<sdk::GlobalSecondaryIndexUpdate, Error> {
    let delete = sdk::DeleteGlobalSecondaryIndexAction::builder().index_name(name);
    let delete = delete.build().map_err(incomplete)?;
    Ok(sdk::GlobalSecondaryIndexUpdate::builder().delete(delete).build())
}

/// Returns the change of an index's billing to that of its table for UpdateTable.
pub(super) fn billed(name: &str, billing: &Billing) -> Result<sdk::GlobalSecondaryIndexUpdate, Error> {
    let update = sdk::UpdateGlobalSecondaryIndexAction::builder().index_name(name);
    let update = match billing {
        Billing::OnDemand { .. } => update.on_demand_throughput(billing.limits_to_set()),
        Billing::Provisioned { .. } => update.set_provisioned_throughput(billing.throughput()?),
    };
    let update = update.build().map_err(incomplete)?;
    Ok(sdk::GlobalSecondaryIndexUpdate::builder().update(update).build())
}

/// Returns the global indexes of a live table. An index that is being deleted is left out: it needs no call.
pub(super) fn live_globals(table: &TableDescription) -> Indexes {
    let billing = Billing::of(table);
    let stays =
        |index: &&sdk::GlobalSecondaryIndexDescription| index.index_status != Some(IndexStatus::Deleting);
    let indexes = table.global_secondary_indexes().iter().filter(stays);
    let indexes = indexes.map(|index| {
        let own = Billing::of_index(table, index);
        let live = Index {
            key: primary_key::live(index.key_schema(), table.attribute_definitions()),
            projection: Projection::live(index.projection()).sorted(),
            own_billing: (own != billing).then_some(own),
        };
        (index.index_name().unwrap_or_default().to_owned(), live)
    });
    indexes.collect()
}

/// Returns the local indexes of a live table.
pub(super) fn live_locals(table: &TableDescription) -> Indexes {
    let indexes = table.local_secondary_indexes().iter().map(|index| {
        let live = Index {
            key: primary_key::live(index.key_schema(), table.attribute_definitions()),
            projection: Projection::live(index.projection()).sorted(),
            own_billing: None,
        };
        (index.index_name().unwrap_or_default().to_owned(), live)
    });
    indexes.collect()
}

/// Serialises a key as one text for each attribute: `Owner HASH S`.
fn as_texts<S: Serializer>(key: &[KeyAttribute], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(key.iter().map(KeyAttribute::text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::KeyType;
    use super::*;

    /// This form is part of the stamp, and a plan shows it.
    #[test]
    fn index_is_compared_by_key_projection_and_own_billing() {
        let state = |index: &Index| serde_json::to_value(index).expect("the index serializes to JSON");
        let key = PrimaryKey::hash("Owner", KeyType::String).range("At", KeyType::Binary);
        let index = Index::global(key.clone(), Projection::including(["Title", "Note"]));
        assert_eq!(
            state(&index),
            json!({"key": ["Owner HASH S", "At RANGE B"], "projection": ["Note", "Title"]})
        );
        let keys = Index::global(key.clone(), Projection::KeysOnly);
        assert_eq!(state(&keys)["projection"], json!("KEYS_ONLY"));
        let all = Index::global(key, Projection::All);
        let billed = Index { own_billing: Some(Billing::on_demand()), ..all.clone() };
        assert_eq!(state(&all)["projection"], json!("ALL"));
        assert_eq!(
            state(&billed)["own_billing"],
            json!({"mode": "on_demand", "max_read_units": null, "max_write_units": null})
        );
        assert!(all.is_same_as(&billed) && !all.is_same_as(&keys));
    }
}
