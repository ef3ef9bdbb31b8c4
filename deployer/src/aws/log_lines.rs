//! What functions wrote, as CloudWatch Logs has it.

use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;

use super::{Aws, Called};
use crate::error::{Error, GoneIsNone};

impl Aws {
    /// Reads a function's lines from a moment on, in milliseconds since 1970, of which a filter
    /// pattern may choose some. A group that is not there yet has none.
    pub(crate) async fn log_lines(
        &self,
        function: &str,
        from: i64,
        filter: Option<String>,
    ) -> Result<Vec<FilteredLogEvent>, Error> {
        let pages = self
            .logs
            .filter_log_events()
            .log_group_name(format!("/aws/lambda/{function}"))
            .start_time(from)
            .set_filter_pattern(filter)
            .into_paginator()
            .send()
            .try_collect()
            .await
            .called("FilterLogEvents")
            .gone_is_none()?
            .unwrap_or_default();
        Ok(pages.into_iter().flat_map(|page| page.events.unwrap_or_default()).collect())
    }
}
