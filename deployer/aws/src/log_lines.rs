//! Log lines of functions, from CloudWatch Logs.

use aws_sdk_cloudwatchlogs::operation::filter_log_events::FilterLogEventsOutput;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use engine::error::{Error, GoneIsNone};
use engine::retry::retried;

use super::pace::Pace;
use super::{Aws, Called};

/// Returns the rate limit for reading logs. `FilterLogEvents` has a quota of five calls a second for each
/// account and Region, which cannot be raised ("CloudWatch Logs quotas"). One of them is left for other
/// readers.
pub(super) fn pace() -> Pace {
    Pace::per_second(4)
}

/// A query for the log lines of one function from a time on.
#[derive(Debug, Clone, Copy)]
pub struct LogQuery<'a> {
    /// The name of the deployed function.
    pub function: &'a str,
    /// The earliest time of a line, in milliseconds since 1970.
    pub from: i64,
    /// A filter pattern; `None` selects all lines.
    pub filter: Option<&'a str>,
}

impl Aws {
    /// Reads all lines of a query. A log group that does not exist has none.
    pub async fn log_lines(&self, query: LogQuery<'_>) -> Result<Vec<FilteredLogEvent>, Error> {
        let mut lines = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = retried(async || self.log_page(query, token.clone()).await).await;
            let Some(page) = page.gone_is_none()? else { return Ok(lines) };
            lines.extend(page.events.unwrap_or_default());
            match page.next_token {
                None => return Ok(lines),
                next if next == token => {
                    return Err(Error::other("FilterLogEvents", "AWS returned the same page twice"));
                }
                next => token = next,
            }
        }
    }

    /// Reads one page, within the rate limit. Each attempt counts as a call.
    async fn log_page(
        &self,
        query: LogQuery<'_>,
        token: Option<String>,
    ) -> Result<FilterLogEventsOutput, Error> {
        self.log_reads.turn().await;
        let call = self.logs.filter_log_events().log_group_name(format!("/aws/lambda/{}", query.function));
        let call = call.start_time(query.from).set_filter_pattern(query.filter.map(str::to_owned));
        call.set_next_token(token).send().await.called()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{Script, body, fault};

    const QUERY: LogQuery<'_> = LogQuery { function: "demo-dev-capture", from: 7, filter: Some("x") };

    fn page(id: &str, next: Option<&str>) -> serde_json::Value {
        json!({"events": [{"eventId": id, "timestamp": 8, "message": id}], "nextToken": next})
    }

    #[tokio::test(start_paused = true)]
    async fn log_read_that_is_throttled_is_repeated_for_its_page() {
        let script = Script::new()
            .on("FilterLogEvents", body(page("a", Some("2"))))
            .on("FilterLogEvents", fault(400, "ThrottlingException", "Rate exceeded"))
            .on("FilterLogEvents", body(page("b", None)));
        let lines = script.aws().log_lines(QUERY).await.expect("the retry succeeds");
        let ids: Vec<_> = lines.iter().filter_map(|line| line.event_id()).collect();
        assert_eq!(ids, ["a", "b"]);
        let tokens: Vec<_> =
            script.sent("FilterLogEvents").into_iter().map(|sent| sent["nextToken"].clone()).collect();
        assert_eq!(tokens, [json!(null), json!("2"), json!("2")]);
    }

    #[tokio::test(start_paused = true)]
    async fn log_read_of_a_missing_group_is_empty() {
        let gone = fault(400, "ResourceNotFoundException", "The specified log group does not exist.");
        let script = Script::new().on("FilterLogEvents", gone);
        assert_eq!(script.aws().log_lines(QUERY).await, Ok(vec![]));
    }

    #[tokio::test(start_paused = true)]
    async fn log_read_does_not_repeat_a_page_for_ever() {
        let script = Script::new().on("FilterLogEvents", body(page("a", Some("2"))));
        assert!(script.aws().log_lines(QUERY).await.is_err());
        assert_eq!(script.calls().len(), 2);
    }
}
