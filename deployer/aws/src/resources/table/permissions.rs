//! Permissions that the caller needs for tables.
//!
//! A customer managed KMS key also needs `kms:DescribeKey` and `kms:CreateGrant` on the key ("DynamoDB
//! encryption at rest: usage notes", DynamoDB developer guide).

use engine::scope::Scope;

use crate::AwsNames;
use crate::policy::Statement;

/// Returns the permissions for all calls about the scope's tables.
pub(super) fn permissions(scope: &Scope) -> Vec<Statement> {
    let tables = scope.arn("dynamodb", &format!("table/{}*", scope.prefix()));
    vec![
        // AWS supports no resource for it ("Actions, resources, and condition keys for Amazon
        // DynamoDB", Service Authorization Reference).
        Statement::new("TablesList", ["dynamodb:ListTables"], ["*".into()]),
        Statement::new(
            "TablesRead",
            [
                "dynamodb:DescribeContinuousBackups",
                "dynamodb:DescribeTable",
                "dynamodb:DescribeTimeToLive",
                "dynamodb:GetResourcePolicy",
                "dynamodb:ListTagsOfResource",
            ],
            [tables.clone()],
        ),
        Statement::new(
            "TablesWrite",
            [
                "dynamodb:CreateTable",
                "dynamodb:DeleteResourcePolicy",
                "dynamodb:DeleteTable",
                "dynamodb:TagResource",
                "dynamodb:UpdateContinuousBackups",
                "dynamodb:UpdateTable",
                "dynamodb:UpdateTimeToLive",
            ],
            [tables],
        ),
    ]
}
