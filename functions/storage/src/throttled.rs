//! Counts the writes that the table throttles.
//!
//! The alarm uses this metric instead of DynamoDB's `WriteThrottleEvents`: "Alarms that evaluate metrics in
//! the AWS/DynamoDB namespace always ignore missing data" ("PutMetricAlarm", CloudWatch API reference).
//! DynamoDB sends no data without throttling, so an alarm on its metric stays in ALARM after the throttling
//! has ended.

use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, RuntimeComponents, interceptors::AfterDeserializationInterceptorContextRef,
    },
    error::{BoxError, ProvideErrorMetadata},
    operation::put_item::PutItemError,
};
use eventsourcing::contract::metric;

/// The error codes of a throttled write ("Error handling with DynamoDB", DynamoDB developer guide).
const CODES: [&str; 3] =
    ["ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"];

/// Counts each throttled attempt of a put, including the retries of the SDK, as DynamoDB's own metric does.
#[derive(Debug)]
pub(crate) struct ThrottledWrites {
    /// The name of the table.
    pub(crate) table: String,
}

impl Intercept for ThrottledWrites {
    fn name(&self) -> &'static str {
        "ThrottledWrites"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let error = context.output_or_error().err().and_then(|error| error.as_operation_error());
        let code = error.and_then(|error| error.downcast_ref::<PutItemError>()?.code());
        if let Some(code) = code.filter(|code| CODES.contains(code)) {
            tracing::warn!(
                { metric::THROTTLED_WRITES } = 1,
                { metric::TABLE_NAME } = self.table,
                code,
                "the table refused a write"
            );
        }
        Ok(())
    }
}
