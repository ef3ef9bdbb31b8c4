//! The states of a table, and waiting for them.

use std::time::Duration;

use aws_sdk_dynamodb::types::{TableDescription, TableStatus};
use engine::error::{Error, GoneIsNone};

use crate::{Aws, Called, wait_until};

/// How long a change may take. Most take seconds; a change of the billing mode or of an index can take
/// minutes.
pub(super) const SETTLED: Duration = Duration::from_secs(15 * 60);

/// Waits until the table accepts changes.
pub(super) async fn active(name: &str, aws: &Aws) -> Result<(), Error> {
    wait_until("the table to be ACTIVE", SETTLED, || async {
        let status = status(name, aws).await?;
        if let Some(unusable) = unusable(status.as_ref()) {
            return Err(Error::other("DescribeTable", format!("{name} will not become ACTIVE: {unusable}"))
                .hint("repair this by hand, then run the command again"));
        }
        if status == Some(TableStatus::Deleting) {
            return Err(Error::other("DescribeTable", format!("{name} is being deleted"))
                .hint("run the command again when it is deleted"));
        }
        // A new table may not be known yet.
        Ok((status == Some(TableStatus::Active)).then_some(()))
    })
    .await
}

/// Waits until there is no table of this name.
pub(super) async fn gone(what: &str, name: &str, aws: &Aws) -> Result<(), Error> {
    wait_until(what, SETTLED, || async { Ok(status(name, aws).await?.is_none().then_some(())) }).await
}

/// Waits until an earlier table of this name is deleted. While it is being deleted, CreateTable answers that
/// it exists.
pub(super) async fn earlier_gone(name: &str, aws: &Aws) -> Result<(), Error> {
    if status(name, aws).await? != Some(TableStatus::Deleting) {
        return Ok(());
    }
    gone("the earlier table of this name to be deleted", name, aws).await
}

/// Returns why a table in this state does not become ACTIVE by itself.
pub(super) fn unusable(status: Option<&TableStatus>) -> Option<&'static str> {
    match status? {
        TableStatus::InaccessibleEncryptionCredentials => Some("DynamoDB cannot use the table's KMS key"),
        TableStatus::Archiving | TableStatus::Archived => {
            Some("DynamoDB archived the table in a backup, after a week without its KMS key")
        }
        TableStatus::ReplicationNotAuthorized => {
            Some("DynamoDB has no permission to replicate the table to its other Regions")
        }
        _ => None,
    }
}

/// Returns the state of the table, or nothing if there is none.
pub(super) async fn status(name: &str, aws: &Aws) -> Result<Option<TableStatus>, Error> {
    let table = described(name, aws).await.gone_is_none()?;
    Ok(table.and_then(|table| table.table_status))
}

/// Returns the answer of DescribeTable.
pub(super) async fn described(name: &str, aws: &Aws) -> Result<TableDescription, Error> {
    let call = aws.dynamodb.describe_table().table_name(name);
    let answer = call.send().await.called()?;
    let nothing = || Error::other("DescribeTable", format!("the answer for {name} contains no table"));
    answer.table.ok_or_else(nothing)
}
