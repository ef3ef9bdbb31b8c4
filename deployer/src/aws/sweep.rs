//! Listings that describe many resources in one call, made once per look.
//!
//! A log group, an alarm and a mapping are read from the listing of all of them: one page
//! covers an environment, where a call each would be throttled (CloudWatch allows 9
//! `DescribeAlarms` a second, Lambda 15 control calls; AWS service quotas).

use aws_sdk_cloudwatch::types::MetricAlarm;
use aws_sdk_cloudwatchlogs::types::LogGroup;
use aws_sdk_lambda::types::EventSourceMappingConfiguration;
use tokio::sync::OnceCell;

use super::{Aws, Called};
use crate::error::Error;

/// The shared listings of one look.
#[derive(Debug, Default)]
pub struct Sweep {
    alarms: OnceCell<Vec<MetricAlarm>>,
    log_groups: OnceCell<Vec<LogGroup>>,
    mappings: OnceCell<Vec<EventSourceMappingConfiguration>>,
}

impl Aws {
    /// Lists the metric alarms with the scope's prefix.
    ///
    /// # Errors
    /// A page could not be read.
    pub async fn alarms(&self) -> Result<&[MetricAlarm], Error> {
        let listed = self.sweep.alarms.get_or_try_init(async || {
            let pages = self
                .cloudwatch
                .describe_alarms()
                .alarm_name_prefix(self.scope.prefix())
                .into_paginator()
                .send()
                .try_collect()
                .await
                .called("DescribeAlarms")?;
            Ok(pages.into_iter().flat_map(|page| page.metric_alarms.unwrap_or_default()).collect())
        });
        listed.await.map(Vec::as_slice)
    }

    /// Lists the log groups of functions with the scope's prefix.
    ///
    /// # Errors
    /// A page could not be read.
    pub async fn log_groups(&self) -> Result<&[LogGroup], Error> {
        let listed = self.sweep.log_groups.get_or_try_init(async || {
            let pages = self
                .logs
                .describe_log_groups()
                .log_group_name_prefix(format!("/aws/lambda/{}", self.scope.prefix()))
                .into_paginator()
                .send()
                .try_collect()
                .await
                .called("DescribeLogGroups")?;
            Ok(pages.into_iter().flat_map(|page| page.log_groups.unwrap_or_default()).collect())
        });
        listed.await.map(Vec::as_slice)
    }

    /// Lists the event source mappings of the account and region. A mapping outlives its
    /// function, so no function is named.
    ///
    /// # Errors
    /// A page could not be read.
    pub async fn mappings(&self) -> Result<&[EventSourceMappingConfiguration], Error> {
        let listed = self.sweep.mappings.get_or_try_init(async || {
            let pages = self
                .lambda
                .list_event_source_mappings()
                .into_paginator()
                .send()
                .try_collect()
                .await
                .called("ListEventSourceMappings")?;
            Ok(pages.into_iter().flat_map(|page| page.event_source_mappings.unwrap_or_default()).collect())
        });
        listed.await.map(Vec::as_slice)
    }
}
