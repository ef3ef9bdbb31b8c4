//! Listings that describe many resources in one call, read once per survey.
//!
//! Log groups, alarms, mappings and the creation times of buckets are read from listings: one page covers an
//! environment, while one call per resource would be throttled (CloudWatch allows 9 `DescribeAlarms` a
//! second, Lambda 15 control calls; AWS service quotas). A failed listing is retried here, once for all
//! callers that wait for it: with a retry loop per caller, the throttling would continue.

#[cfg(feature = "cloudwatch")]
use aws_sdk_cloudwatch::operation::describe_alarms::DescribeAlarmsOutput;
#[cfg(feature = "cloudwatch")]
use aws_sdk_cloudwatch::types::MetricAlarm;
use aws_sdk_cloudwatchlogs::types::LogGroup;
use aws_sdk_lambda::types::EventSourceMappingConfiguration;
use aws_sdk_s3::operation::list_buckets::ListBucketsOutput;
use aws_sdk_s3::types::Bucket;
use engine::error::Error;
use engine::retry::retried;
use futures::future::{BoxFuture, FutureExt, TryFutureExt};
use tokio::sync::OnceCell;

use super::{Aws, Called};

/// A listing or its error, once it has been read.
type Listing<T> = OnceCell<Result<Vec<T>, Error>>;

/// The shared listings of one survey.
#[derive(Debug, Default)]
pub struct Sweep {
    #[cfg(feature = "cloudwatch")]
    alarms: Listing<MetricAlarm>,
    buckets: Listing<Bucket>,
    log_groups: Listing<LogGroup>,
    mappings: Listing<EventSourceMappingConfiguration>,
}

impl Aws {
    /// Lists the metric alarms with the scope's prefix.
    ///
    /// # Errors
    /// Returns an error if a page still cannot be read after the retries.
    #[cfg(feature = "cloudwatch")]
    pub async fn alarms(&self) -> Result<&[MetricAlarm], Error> {
        let call = self.cloudwatch.describe_alarms().alarm_name_prefix(self.scope.prefix());
        let list = move || {
            let pages = call.clone().into_paginator().send();
            let pages = async { pages.try_collect().await.called() };
            let alarms = |page: DescribeAlarmsOutput| page.metric_alarms.unwrap_or_default();
            pages.map_ok(move |pages| pages.into_iter().flat_map(alarms).collect()).boxed()
        };
        listed(&self.sweep.alarms, retried(list).boxed()).await
    }

    /// Lists the buckets in the scope's region with the scope's prefix.
    ///
    /// # Errors
    /// Returns an error if a page still cannot be read after the retries.
    pub async fn buckets(&self) -> Result<&[Bucket], Error> {
        let call = self.s3.list_buckets().prefix(self.scope.prefix()).bucket_region(&self.scope.region);
        let list = move || {
            let pages = call.clone().into_paginator().send();
            let pages = async { pages.try_collect().await.called() };
            let buckets = |page: ListBucketsOutput| page.buckets.unwrap_or_default();
            pages.map_ok(move |pages| pages.into_iter().flat_map(buckets).collect()).boxed()
        };
        listed(&self.sweep.buckets, retried(list).boxed()).await
    }

    /// Lists the log groups of functions with the scope's prefix.
    ///
    /// # Errors
    /// Returns an error if a page still cannot be read after the retries.
    pub async fn log_groups(&self) -> Result<&[LogGroup], Error> {
        let prefix = format!("/aws/lambda/{}", self.scope.prefix());
        let call = self.logs.describe_log_groups().log_group_name_prefix(prefix);
        let list = move || {
            let groups = call.clone().into_paginator().items().send();
            async { groups.try_collect().await.called() }.boxed()
        };
        listed(&self.sweep.log_groups, retried(list).boxed()).await
    }

    /// Lists the event source mappings of the account and region. A mapping can outlive its function, so the
    /// call names no function.
    ///
    /// # Errors
    /// Returns an error if a page still cannot be read after the retries.
    pub async fn mappings(&self) -> Result<&[EventSourceMappingConfiguration], Error> {
        let call = self.lambda.list_event_source_mappings();
        let list = move || {
            let mappings = call.clone().into_paginator().items().send();
            async { mappings.try_collect().await.called() }.boxed()
        };
        listed(&self.sweep.mappings, retried(list).boxed()).await
    }
}

/// Returns a listing. The first caller reads it and retries; all others wait for the result and share its
/// error.
async fn listed<'a, T>(
    listing: &'a Listing<T>,
    // Boxed, because rustc cannot prove that the future of a borrowing closure is `Send`.
    retried: BoxFuture<'static, Result<Vec<T>, Error>>,
) -> Result<&'a [T], Error> {
    listing.get_or_init(|| retried).await.as_deref().map_err(Clone::clone)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use engine::error::Class;
    use engine::resource::Kind;
    use engine::stack::Stack;
    use engine::survey::survey;
    use futures::future::join_all;
    use tokio::time::Instant;

    use super::*;
    use crate::resources::alarm::Alarm;
    use crate::resources::log_group::LogGroup;
    use crate::testing::{Script, body, fault, scope};

    fn throttled() -> Script {
        let fault = || fault(400, "ThrottlingException", "Rate exceeded");
        Script::new()
            .on("DescribeAlarms", fault())
            .on("DescribeLogGroups", fault())
            .on("ListEventSourceMappings", fault())
            .on("ListObjectsV2", crate::testing::fault(404, "NoSuchBucket", ""))
    }

    #[tokio::test(start_paused = true)]
    async fn throttled_listing_is_retried_by_one_loop() {
        let script = throttled();
        let aws = script.aws();
        let mut stack = Stack::new(scope(), vec![Kind::of::<Alarm>(), Kind::of::<LogGroup>()]);
        for number in 0..22 {
            stack.add(Alarm::errors(&scope(), &format!("alarm-{number}"), "demo-dev-capture"));
            stack.add(LogGroup::of_function(&scope(), &format!("demo-dev-function-{number}"), 7));
        }
        let started = Instant::now();
        let seen = survey(&stack, &aws).await;
        let took = started.elapsed();
        assert!(Duration::from_secs(100) < took && took <= Duration::from_secs(120), "{took:?}");
        assert!(seen.seen.values().all(|seen| matches!(seen, Err(error) if error.class == Class::Throttled)));
        assert_eq!(seen.unreadable.len(), 2);
        let calls = script.calls();
        for operation in ["DescribeAlarms", "DescribeLogGroups"] {
            let made = calls.iter().filter(|call| *call == operation).count();
            assert!((25..=50).contains(&made), "{made} times {operation}");
        }
    }

    /// With its own retry loop, each caller would retry for the full time.
    #[tokio::test(start_paused = true)]
    async fn listing_error_is_shared_by_all_callers() {
        let script = throttled();
        let aws = script.aws();
        let waiting = (0..8).map(|_| retried(async || aws.mappings().await.map(drop)));
        let errors: Vec<Error> = join_all(waiting).await.into_iter().filter_map(Result::err).collect();
        assert_eq!(errors, vec![errors[0].clone(); 8]);
        let tried = errors[0].tried_for.expect("the listing was retried");
        assert!(tried > Duration::from_secs(100), "{tried:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn listing_result_is_shared_by_all_callers() {
        let script = Script::new()
            .on("DescribeAlarms", fault(400, "ThrottlingException", "Rate exceeded"))
            .on("DescribeAlarms", body(serde_json::json!({"MetricAlarms": [{"AlarmName": "a"}]})));
        let aws = script.aws();
        let all = join_all((0..8).map(|_| retried(async || Ok(aws.alarms().await?.len())))).await;
        assert_eq!(all, vec![Ok(1); 8]);
        assert_eq!(script.calls(), ["DescribeAlarms"; 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn denied_listing_of_log_groups_is_asked_for_once() {
        let message = "User: arn:aws:sts::111111111111:assumed-role/look/me is not authorized to perform: \
                       logs:DescribeLogGroups on resource: * because no identity-based policy allows the \
                       logs:DescribeLogGroups action";
        let script = Script::new().on("DescribeLogGroups", fault(400, "AccessDeniedException", message));
        let aws = script.aws();
        let waiting = (0..8).map(|_| retried(async || aws.log_groups().await.map(drop)));
        for listed in join_all(waiting).await {
            assert_eq!(listed.expect_err("the listing is denied").class, Class::Denied);
        }
        assert_eq!(script.calls(), ["DescribeLogGroups"]);
    }
}
