//! The states of a table, and waiting for them.

use std::time::Duration;

use aws_sdk_dynamodb::types::{TableDescription, TableStatus};
use engine::error::{Error, GoneIsNone};

use crate::{Aws, Called, wait_until};

/// Most changes take seconds; one of the billing mode or of an index can take minutes.
pub(super) const SETTLED: Duration = Duration::from_secs(15 * 60);

/// Returns when the table takes changes.
pub(super) async fn active(name: &str, aws: &Aws) -> Result<(), Error> {
    wait_until("the table to be ACTIVE", SETTLED, || async {
        let status = status(name, aws).await?;
        if let Some(trouble) = trouble(status.as_ref()) {
            return Err(Error::other("DescribeTable", format!("{name} will not be ACTIVE: {trouble}"))
                .hint("put that right by hand, then run the command again"));
        }
        if status == Some(TableStatus::Deleting) {
            return Err(Error::other("DescribeTable", format!("somebody deletes {name} at this moment"))
                .hint("run the command again when it is gone"));
        }
        // A table that was just made may not be known yet.
        Ok((status == Some(TableStatus::Active)).then_some(()))
    })
    .await
}

/// Returns when there is no table of this name.
pub(super) async fn gone(what: &str, name: &str, aws: &Aws) -> Result<(), Error> {
    wait_until(what, SETTLED, || async { Ok(status(name, aws).await?.is_none().then_some(())) }).await
}

/// Returns when no earlier table of this name is in the way of a new one. One that is being
/// deleted answers to CreateTable like a live one.
pub(super) async fn earlier_gone(name: &str, aws: &Aws) -> Result<(), Error> {
    if status(name, aws).await? != Some(TableStatus::Deleting) {
        return Ok(());
    }
    gone("the earlier table of this name to be gone", name, aws).await
}

/// Says why a table in this state does not become ACTIVE by itself.
pub(super) fn trouble(status: Option<&TableStatus>) -> Option<&'static str> {
    match status? {
        TableStatus::InaccessibleEncryptionCredentials => Some("DynamoDB cannot use the table's KMS key"),
        TableStatus::Archiving | TableStatus::Archived => {
            Some("DynamoDB took the table away into a backup, after a week without its KMS key")
        }
        TableStatus::ReplicationNotAuthorized => Some("DynamoDB may not copy the table to its other regions"),
        _ => None,
    }
}

/// Returns the state of the table, or nothing when there is none.
pub(super) async fn status(name: &str, aws: &Aws) -> Result<Option<TableStatus>, Error> {
    let table = described(name, aws).await.gone_is_none()?;
    Ok(table.and_then(|table| table.table_status))
}

/// Returns what DescribeTable says of the table.
pub(super) async fn described(name: &str, aws: &Aws) -> Result<TableDescription, Error> {
    let call = aws.dynamodb.describe_table().table_name(name);
    let answer = call.send().await.called()?;
    let nothing = || Error::other("DescribeTable", format!("the answer for {name} holds no table"));
    answer.table.ok_or_else(nothing)
}
