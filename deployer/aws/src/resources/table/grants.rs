//! Permissions of functions on a table, and of Lambda on their behalf.

use super::Table;
use crate::policy::Statement;
use crate::resources::sid::sid;
use crate::resources::{Grant, key};

// `TransactGetItems` and `TransactWriteItems` have no action of their own: they need the grant of each
// operation in them ("Using IAM with DynamoDB transactions", DynamoDB developer guide).
impl Table {
    /// Grants reading the items of one hash key.
    pub fn load(&self) -> Grant {
        self.grant("load", "dynamodb:Query")
    }

    /// Grants adding items, one at a time.
    pub fn append(&self) -> Grant {
        self.grant("append", "dynamodb:PutItem")
    }

    /// Grants reading all items.
    pub fn scan(&self) -> Grant {
        self.grant("scan", "dynamodb:Scan")
    }

    /// Grants reading single items by their whole key, also in a transaction.
    pub fn get_item(&self) -> Grant {
        self.grant("get item", "dynamodb:GetItem")
    }

    /// Grants reading up to 100 items by their whole keys in one call.
    pub fn batch_get_items(&self) -> Grant {
        self.grant("batch get items", "dynamodb:BatchGetItem")
    }

    /// Grants reading the items of one hash key, in the order of the range key.
    pub fn query(&self) -> Grant {
        self.grant("query", "dynamodb:Query")
    }

    /// Grants reading the items of one hash key of this index. Code that queries an index is deployed after the
    /// table, so that a new index exists first.
    pub fn query_index(&self, index: &str) -> Grant {
        let exists = self.global_indexes.contains_key(index) || self.local_indexes.contains_key(index);
        let mistake = (!exists).then(|| {
            format!(
                "it may query the index `{index}`, which {} does not have: declare the index before the grant",
                self.name
            )
        });
        let name = sid(&["query", &self.thing, "index", index]);
        let statement = Statement::new(name, ["dynamodb:Query"], [format!("{}/index/{index}", self.arn)]);
        Grant { statement, mistake, is_deployed_first: true, ..self.query() }
    }

    /// Grants creating and replacing items, also in a transaction.
    pub fn put_item(&self) -> Grant {
        self.grant("put item", "dynamodb:PutItem")
    }

    /// Grants creating and changing items, also in a transaction.
    pub fn update_item(&self) -> Grant {
        self.grant("update item", "dynamodb:UpdateItem")
    }

    /// Grants deleting items, also in a transaction.
    pub fn delete_item(&self) -> Grant {
        self.grant("delete item", "dynamodb:DeleteItem")
    }

    /// Grants putting and deleting up to 25 items in one call, without conditions.
    pub fn batch_write_items(&self) -> Grant {
        self.grant("batch write items", "dynamodb:BatchWriteItem")
    }

    /// Grants checking a condition on an item that the transaction does not write.
    pub fn check_condition(&self) -> Grant {
        self.grant("check condition", "dynamodb:ConditionCheckItem")
    }

    /// Returns the permissions that Lambda needs to invoke a function with records of the table's stream.
    pub fn polling(&self) -> Vec<Statement> {
        let mut polling = vec![
            Statement::new(
                sid(&["poll", "table", &self.thing]),
                ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
                [format!("{}/stream/*", self.arn)],
            ),
            // AWS supports no resource for it ("Actions, resources, and condition keys for
            // Amazon DynamoDB", Service Authorization Reference).
            Statement::new(
                sid(&["list", "streams", "for", "table", &self.thing]),
                ["dynamodb:ListStreams"],
                ["*".into()],
            ),
        ];
        polling.extend(self.decrypting());
        polling
    }

    fn grant(&self, verb: &str, action: &'static str) -> Grant {
        let statement = Statement::new(sid(&[verb, &self.thing]), [action], [self.arn.clone()]);
        Grant {
            also: self.decrypting(),
            variable: self.variable.clone().map(|variable| (variable, self.name.clone())),
            ..Grant::own::<Self>(&self.name, statement)
        }
    }

    /// Returns the permission on the keys to read or write items: the table has its own key, which the KMS
    /// key encrypts ("DynamoDB encryption at rest: How it works", DynamoDB developer guide).
    fn decrypting(&self) -> Option<Statement> {
        let keys = self.kms_key.iter().chain(&self.former_keys);
        key::through("dynamodb", "kms:Decrypt", keys, &["table", &self.thing])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::table::{KeyType, PrimaryKey, Projection};
    use crate::testing::{events_key, scope};

    fn table() -> Table {
        let key = PrimaryKey::hash("Owner", KeyType::String);
        Table::new(&scope(), "events", events_key()).global_index("by-owner", key, Projection::All)
    }

    /// Returns each grant of a table.
    fn grants(table: &Table) -> Vec<Grant> {
        vec![
            table.load(),
            table.append(),
            table.scan(),
            table.get_item(),
            table.batch_get_items(),
            table.query(),
            table.query_index("by-owner"),
            table.put_item(),
            table.update_item(),
            table.delete_item(),
            table.batch_write_items(),
            table.check_condition(),
        ]
    }

    #[test]
    fn table_grants_name_resources_except_for_listing_streams() {
        let granted = grants(&table()).into_iter().map(|grant| grant.statement);
        let wide: Vec<_> = table()
            .polling()
            .into_iter()
            .chain(granted)
            .filter(|statement| statement.resources.contains(&"*".to_owned()))
            .flat_map(|statement| statement.actions)
            .collect();
        assert_eq!(wide, ["dynamodb:ListStreams"]);
    }

    #[test]
    fn table_grant_is_one_action_on_table_or_index() {
        let granted = grants(&table()).into_iter().map(|grant| grant.statement);
        let granted: Vec<String> = granted
            .map(|statement| {
                let (actions, resources) = (statement.actions.join(" "), statement.resources.join(" "));
                format!(
                    "{}: {actions} on {}",
                    statement.sid,
                    resources.rsplit(':').next().unwrap_or_default()
                )
            })
            .collect();
        insta::assert_snapshot!(granted.join("\n"), @r"
        LoadEvents: dynamodb:Query on table/demo-dev-events
        AppendEvents: dynamodb:PutItem on table/demo-dev-events
        ScanEvents: dynamodb:Scan on table/demo-dev-events
        GetItemEvents: dynamodb:GetItem on table/demo-dev-events
        BatchGetItemsEvents: dynamodb:BatchGetItem on table/demo-dev-events
        QueryEvents: dynamodb:Query on table/demo-dev-events
        QueryEventsIndexByOwner: dynamodb:Query on table/demo-dev-events/index/by-owner
        PutItemEvents: dynamodb:PutItem on table/demo-dev-events
        UpdateItemEvents: dynamodb:UpdateItem on table/demo-dev-events
        DeleteItemEvents: dynamodb:DeleteItem on table/demo-dev-events
        BatchWriteItemsEvents: dynamodb:BatchWriteItem on table/demo-dev-events
        CheckConditionEvents: dynamodb:ConditionCheckItem on table/demo-dev-events
        ");
    }

    /// The code of a function that queries an index fails until the index is built.
    #[test]
    fn index_grant_deploys_the_table_first() {
        let table = table();
        let first: Vec<String> = grants(&table)
            .into_iter()
            .filter(|grant| grant.is_deployed_first)
            .map(|grant| grant.statement.sid)
            .collect();
        assert_eq!(first, ["QueryEventsIndexByOwner"]);
    }

    #[test]
    fn grant_on_a_missing_index_is_a_mistake() {
        let key = PrimaryKey::hash("Id", KeyType::String).range("Version", KeyType::Number);
        let table = Table::new(&scope(), "events", key)
            .global_index("by-owner", PrimaryKey::hash("Owner", KeyType::String), Projection::All)
            .local_index("by-time", "At", KeyType::Number, Projection::All);
        let mistake = |index| table.query_index(index).mistake;
        assert_eq!([mistake("by-owner"), mistake("by-time")], [None, None]);
        assert_eq!(
            mistake("by-size").as_deref(),
            Some(
                "it may query the index `by-size`, which demo-dev-events does not have: declare the index before the \
                 grant"
            )
        );
    }
}
