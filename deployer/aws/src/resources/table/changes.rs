//! Changes of a live table: one kind of change per call, with the table ACTIVE before the next.

use std::time::Duration;

use aws_sdk_dynamodb::operation::update_table::builders::UpdateTableFluentBuilder;
use aws_sdk_dynamodb::types::BillingMode;
use engine::error::{Class, Error};

use super::index::{billed, live_globals};
use super::states::{SETTLED, active};
use super::{Billing, Table, requests};
use crate::{Aws, Called, wait_until};

/// How long the backups of a new table may be unavailable (terraform-provider-aws,
/// internal/service/dynamodb).
const BACKUPS: Duration = Duration::from_secs(20 * 60);

impl Table {
    /// Changes the mode, then the limits: only an on-demand table accepts limits. The indexes have the billing
    /// of the table: a change to provisioned capacity needs units for each of them ("UpdateTable", DynamoDB API
    /// reference).
    pub(super) async fn change_billing(&self, aws: &Aws) -> Result<(), Error> {
        // An interrupted run may have left an index that is being built, whose billing cannot be changed yet; and
        // an attempt whose answer was lost may have made the change.
        let table = self.settled(aws).await?;
        let live = Billing::of(&table);
        let (mode, throughput) = (self.billing.mode(), self.billing.throughput()?);
        if (live.mode(), live.throughput()?) != (mode.clone(), throughput.clone()) {
            let indexes = live_globals(&table);
            let indexes = indexes.keys().filter(|_| live.mode() != mode && throughput.is_some());
            let indexes = indexes.map(|index| billed(index, &self.billing));
            let indexes = indexes.collect::<Result<Vec<_>, _>>()?;
            change(&self.name, aws, |call| {
                let call = call.billing_mode(mode.clone()).set_provisioned_throughput(throughput.clone());
                call.set_global_secondary_index_updates((!indexes.is_empty()).then(|| indexes.clone()))
            })
            .await?;
        }
        if mode == BillingMode::PayPerRequest && live.limits() != self.billing.limits() {
            let limits = self.billing.limits_to_set();
            change(&self.name, aws, |call| call.on_demand_throughput(limits.clone())).await?;
        }
        self.change_indexes(aws).await
    }

    /// Changes the stream. Another view type needs a new stream: off, then on.
    pub(super) async fn change_stream(&self, live: &Self, aws: &Aws) -> Result<(), Error> {
        if live.stream.is_some() {
            let off = requests::no_stream()?;
            let off = change(&self.name, aws, |call| call.stream_specification(off.clone())).await;
            done_already(off, "no stream to disable")?;
        }
        if let Some(view) = &self.stream {
            let on = requests::stream(view)?;
            let on = change(&self.name, aws, |call| call.stream_specification(on.clone())).await;
            done_already(on, "already has an enabled stream")?;
        }
        Ok(())
    }

    pub(super) async fn change_recovery(&self, aws: &Aws) -> Result<(), Error> {
        let specification = self.recovery()?;
        wait_until("the table's backups to be available", BACKUPS, || async {
            let call = aws.dynamodb.update_continuous_backups().table_name(&self.name);
            let call = call.point_in_time_recovery_specification(specification.clone());
            match call.send().await.called() {
                Err(error) if error.class == Class::InProgress => Ok(None),
                other => other.map(Some),
            }
        })
        .await
        .map(drop)
    }

    /// Changes the time to live. Turning it off also needs the name of the attribute.
    pub(super) async fn change_time_to_live(&self, live: &Self, aws: &Aws) -> Result<(), Error> {
        let Some(attribute) = self.time_to_live.as_ref().or(live.time_to_live.as_ref()) else {
            return Ok(());
        };
        let specification = requests::time_to_live(attribute, self.time_to_live.is_some())?;
        let changed = wait_until("the table to accept the time to live", SETTLED, || async {
            let call = aws.dynamodb.update_time_to_live().table_name(&self.name);
            let call = call.time_to_live_specification(specification.clone());
            match call.send().await.called() {
                Err(error) if error.class == Class::InProgress => Ok(None),
                other => other.map(Some),
            }
        })
        .await
        .map(drop);
        let changed = done_already(changed, "timetolive is already");
        changed.map_err(|error| {
            if error.message.contains("multiple times within a fixed interval") {
                error.hint(
                    "AWS requires an hour between two changes of a time to live: run `up` again after that",
                )
            } else {
                error
            }
        })
    }

    /// Deletes the resource policy. The stack has none, so the live one was set by hand.
    pub(super) async fn delete_resource_policy(&self, aws: &Aws) -> Result<(), Error> {
        let call = aws.dynamodb.delete_resource_policy().resource_arn(&self.arn);
        call.send().await.called().map(drop)
    }
}

/// Makes one change of the table, and waits until it is finished.
pub(super) async fn change(
    name: &str,
    aws: &Aws,
    change: impl Fn(UpdateTableFluentBuilder) -> UpdateTableFluentBuilder,
) -> Result<(), Error> {
    // DescribeTable can still report ACTIVE while the previous change is in progress.
    wait_until("the table to accept a change", SETTLED, || async {
        let call = change(aws.dynamodb.update_table().table_name(name));
        match call.send().await.called() {
            Err(error) if error.class == Class::InProgress => Ok(None),
            other => other.map(Some),
        }
    })
    .await?;
    active(name, aws).await
}

/// Ignores the error that the change is already made: an earlier attempt, whose answer was lost, made it.
pub(super) fn done_already(changed: Result<(), Error>, says: &str) -> Result<(), Error> {
    match changed {
        Err(error)
            if error.code.as_deref() == Some("ValidationException")
                && error.message.to_lowercase().contains(says) =>
        {
            Ok(())
        }
        other => other,
    }
}
