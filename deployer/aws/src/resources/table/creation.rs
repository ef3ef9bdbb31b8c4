//! The creation of a table, with its keys, its indexes and all settings that CreateTable takes.

use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeDefinition, GlobalSecondaryIndex, LocalSecondaryIndex};
use engine::error::Error;
use engine::resource::Tags;

use super::{Table, primary_key, requests};
use crate::Aws;

impl Table {
    /// Returns the call that creates the table.
    pub(super) fn creation(&self, tags: &Tags, aws: &Aws) -> Result<CreateTableFluentBuilder, Error> {
        Ok(aws
            .dynamodb
            .create_table()
            .table_name(&self.name)
            .set_attribute_definitions(Some(self.definitions()?))
            .set_key_schema(Some(primary_key::schema(&self.key)?))
            .set_global_secondary_indexes(self.new_globals()?)
            .set_local_secondary_indexes(self.new_locals()?)
            .billing_mode(self.billing.mode())
            .set_provisioned_throughput(self.billing.throughput()?)
            .set_on_demand_throughput(self.billing.limits())
            .set_stream_specification(self.stream.as_deref().map(requests::stream).transpose()?)
            .set_sse_specification(self.kms_key.is_some().then(|| self.encryption()))
            .table_class(self.class.as_str().into())
            .deletion_protection_enabled(self.deletion_protection)
            .set_tags(Some(requests::tags(tags)?)))
    }

    /// Returns the attributes of all keys. AWS accepts no others ("CreateTable", DynamoDB API reference).
    fn definitions(&self) -> Result<Vec<AttributeDefinition>, Error> {
        let indexes = self.global_indexes.values().chain(self.local_indexes.values());
        primary_key::definitions(self.key.iter().chain(indexes.flat_map(|index| &index.key)))
    }

    /// Returns the global indexes. AWS accepts no empty list.
    fn new_globals(&self) -> Result<Option<Vec<GlobalSecondaryIndex>>, Error> {
        let indexes = self.global_indexes.iter();
        let indexes = indexes.map(|(name, index)| index.created_with_table(name, &self.billing));
        let indexes = indexes.collect::<Result<Vec<_>, _>>()?;
        Ok((!indexes.is_empty()).then_some(indexes))
    }

    /// Returns the local indexes. AWS accepts no empty list.
    fn new_locals(&self) -> Result<Option<Vec<LocalSecondaryIndex>>, Error> {
        let indexes = self.local_indexes.iter().map(|(name, index)| index.created_locally(name));
        let indexes = indexes.collect::<Result<Vec<_>, _>>()?;
        Ok((!indexes.is_empty()).then_some(indexes))
    }
}
