//! Changes of a live table: one class per call, and ACTIVE again before the next.

use std::time::Duration;

use aws_sdk_dynamodb::operation::update_table::builders::UpdateTableFluentBuilder;
use aws_sdk_dynamodb::types::{BillingMode, TableDescription, TableStatus};

use super::{Table, requests};
use crate::aws::{Aws, Called, wait_until};
use crate::error::{Class, Error, GoneIsNone};

/// Most changes take seconds; one of the billing mode or of an index can take minutes.
pub(super) const SETTLED: Duration = Duration::from_secs(15 * 60);

impl Table {
    /// The mode goes first: only a table billed by request takes limits.
    pub(super) async fn change_billing(&self, live: &Self, aws: &Aws) -> Result<(), Error> {
        let (mode, throughput) = (self.billing.mode(), self.billing.throughput()?);
        if (live.billing.mode(), live.billing.throughput()?) != (mode.clone(), throughput.clone()) {
            change(&self.name, aws, |call| {
                call.billing_mode(mode.clone()).set_provisioned_throughput(throughput.clone())
            })
            .await?;
        }
        if mode == BillingMode::PayPerRequest && live.billing.limits() != self.billing.limits() {
            let limits = self.billing.limits_to_set();
            change(&self.name, aws, |call| call.on_demand_throughput(limits.clone())).await?;
        }
        Ok(())
    }

    /// A stream that shows something else is another stream: off, then on.
    pub(super) async fn change_stream(&self, live: &Self, aws: &Aws) -> Result<(), Error> {
        if live.stream.is_some() {
            let off = requests::no_stream()?;
            change(&self.name, aws, |call| call.stream_specification(off.clone())).await?;
        }
        if let Some(view) = &self.stream {
            let on = requests::stream(view)?;
            change(&self.name, aws, |call| call.stream_specification(on.clone())).await?;
        }
        Ok(())
    }

    pub(super) async fn change_recovery(&self, aws: &Aws) -> Result<(), Error> {
        let call = aws.dynamodb.update_continuous_backups().table_name(&self.name);
        let call = call.point_in_time_recovery_specification(self.recovery()?);
        call.send().await.called("UpdateContinuousBackups").map(drop)
    }

    /// Turning it off takes the name of the attribute, too.
    pub(super) async fn change_time_to_live(&self, live: &Self, aws: &Aws) -> Result<(), Error> {
        let Some(attribute) = self.time_to_live.as_ref().or(live.time_to_live.as_ref()) else {
            return Ok(());
        };
        let specification = requests::time_to_live(attribute, self.time_to_live.is_some())?;
        let call = aws.dynamodb.update_time_to_live().table_name(&self.name);
        let call = call.time_to_live_specification(specification);
        call.send().await.called("UpdateTimeToLive").map(drop)
    }
}

/// Makes one change of the table, and returns when it is made.
pub(super) async fn change(
    name: &str,
    aws: &Aws,
    change: impl Fn(UpdateTableFluentBuilder) -> UpdateTableFluentBuilder,
) -> Result<(), Error> {
    // DescribeTable can still say ACTIVE while the change before this one is being made.
    wait_until("the table to take a change", SETTLED, || async {
        let call = change(aws.dynamodb.update_table().table_name(name));
        match call.send().await.called("UpdateTable") {
            Err(error) if error.class == Class::InProgress => Ok(None),
            other => other.map(Some),
        }
    })
    .await?;
    active(name, aws).await
}

/// Returns when the table takes changes.
pub(super) async fn active(name: &str, aws: &Aws) -> Result<(), Error> {
    wait_until("the table to be ACTIVE", SETTLED, || async {
        Ok((status(name, aws).await? == Some(TableStatus::Active)).then_some(()))
    })
    .await
}

/// Returns the state of the table, or nothing when there is none.
pub(super) async fn status(name: &str, aws: &Aws) -> Result<Option<TableStatus>, Error> {
    let table = described(name, aws).await.gone_is_none()?;
    Ok(table.and_then(|table| table.table_status))
}

/// Returns what DescribeTable says of the table.
pub(super) async fn described(name: &str, aws: &Aws) -> Result<TableDescription, Error> {
    let call = aws.dynamodb.describe_table().table_name(name);
    let answer = call.send().await.called("DescribeTable")?;
    let nothing = || Error::other("DescribeTable", format!("the answer for {name} holds no table"));
    answer.table.ok_or_else(nothing)
}
