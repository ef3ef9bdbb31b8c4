//! Permissions of functions on a table, and of Lambda on their behalf.

use engine::resource::{Resource, ResourceId};

use super::Table;
use crate::policy::Statement;
use crate::resources::sid::sid;
use crate::resources::{Grant, key};

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
        Grant {
            statement: Statement::new(sid(&[verb, &self.thing]), [action], [self.arn.clone()]),
            key: self.decrypting(),
            variable: self.variable.clone().map(|variable| (variable, self.name.clone())),
            on: ResourceId::new(Self::KIND, &self.name),
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
    use crate::testing::{events_key, scope};

    #[test]
    fn table_grants_name_resources_except_for_listing_streams() {
        let table = Table::new(&scope(), "events", events_key());
        let wide: Vec<_> = table
            .polling()
            .into_iter()
            .chain([table.load().statement, table.append().statement, table.scan().statement])
            .filter(|statement| statement.resources.contains(&"*".to_owned()))
            .flat_map(|statement| statement.actions)
            .collect();
        assert_eq!(wide, ["dynamodb:ListStreams"]);
    }
}
