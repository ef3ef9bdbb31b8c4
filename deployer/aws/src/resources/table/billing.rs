//! The billing of a table: on demand, or for provisioned capacity.

use aws_sdk_dynamodb::types::{
    BillingMode, GlobalSecondaryIndexDescription, OnDemandThroughput, ProvisionedThroughput,
    ProvisionedThroughputDescription, TableDescription,
};
use engine::error::Error;
use serde::Serialize;

use super::requests::incomplete;

/// The billing of a table and of its global indexes, each of which has these units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum Billing {
    /// On demand, up to this number of units a second; nothing means no limit for the table.
    OnDemand {
        /// Read units.
        max_read_units: Option<i64>,
        /// Write units.
        max_write_units: Option<i64>,
    },
    /// Provisioned units a second, used or not.
    Provisioned {
        /// Read units.
        read_units: i64,
        /// Write units.
        write_units: i64,
    },
}

impl Billing {
    /// Returns on-demand billing without limits.
    pub fn on_demand() -> Self {
        Self::OnDemand { max_read_units: None, max_write_units: None }
    }

    /// Returns a live table's billing. AWS omits the mode for a table that was always provisioned, and
    /// reports 0 units for an on-demand table.
    pub(super) fn of(table: &TableDescription) -> Self {
        Self::live(table, table.on_demand_throughput.as_ref(), table.provisioned_throughput.as_ref())
    }

    /// Returns the billing of a live global index. Its mode is that of its table.
    pub(super) fn of_index(table: &TableDescription, index: &GlobalSecondaryIndexDescription) -> Self {
        Self::live(table, index.on_demand_throughput.as_ref(), index.provisioned_throughput.as_ref())
    }

    fn live(
        table: &TableDescription,
        limits: Option<&OnDemandThroughput>,
        units: Option<&ProvisionedThroughputDescription>,
    ) -> Self {
        let mode = table.billing_mode_summary.as_ref().and_then(|summary| summary.billing_mode.as_ref());
        if mode == Some(&BillingMode::PayPerRequest) {
            let set = |units: Option<i64>| units.filter(|units| *units >= 0);
            return Self::OnDemand {
                max_read_units: set(limits.and_then(|limits| limits.max_read_request_units)),
                max_write_units: set(limits.and_then(|limits| limits.max_write_request_units)),
            };
        }
        Self::Provisioned {
            read_units: units.and_then(|units| units.read_capacity_units).unwrap_or_default(),
            write_units: units.and_then(|units| units.write_capacity_units).unwrap_or_default(),
        }
    }

    /// Returns the mode for requests.
    pub(super) fn mode(&self) -> BillingMode {
        match self {
            Self::OnDemand { .. } => BillingMode::PayPerRequest,
            Self::Provisioned { .. } => BillingMode::Provisioned,
        }
    }

    /// Returns the provisioned units, or nothing for an on-demand table.
    pub(super) fn throughput(&self) -> Result<Option<ProvisionedThroughput>, Error> {
        let Self::Provisioned { read_units, write_units } = self else {
            return Ok(None);
        };
        let units = ProvisionedThroughput::builder().read_capacity_units(*read_units);
        units.write_capacity_units(*write_units).build().map(Some).map_err(incomplete)
    }

    /// Returns the limits of on-demand billing, if there are any.
    pub(super) fn limits(&self) -> Option<OnDemandThroughput> {
        let Self::OnDemand { max_read_units, max_write_units } = self else {
            return None;
        };
        let limits = OnDemandThroughput::builder().set_max_read_request_units(*max_read_units);
        let limits = limits.set_max_write_request_units(*max_write_units).build();
        (max_read_units.is_some() || max_write_units.is_some()).then_some(limits)
    }

    /// Returns the limits for an update, where −1 removes a limit ("OnDemandThroughput", DynamoDB API
    /// reference).
    pub(super) fn limits_to_set(&self) -> OnDemandThroughput {
        let limits = self.limits().unwrap_or_else(|| OnDemandThroughput::builder().build());
        OnDemandThroughput::builder()
            .max_read_request_units(limits.max_read_request_units.unwrap_or(-1))
            .max_write_request_units(limits.max_write_request_units.unwrap_or(-1))
            .build()
    }
}
