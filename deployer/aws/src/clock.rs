//! AWS's clock. Events have its times, and the local clock can be minutes off: AWS accepts calls from such
//! machines ("Troubleshoot AWS Signature Version 4", IAM user guide).

use std::sync::{Arc, Mutex};

use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;
use engine::error::Error;
use jiff::{SignedDuration, Timestamp};

use super::{Aws, Called};

/// The clock of AWS, relative to the local clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clock {
    /// The offset of AWS's clock from the local clock; negative if AWS's clock is behind. Of the offsets that
    /// fit the measurement it is zero, or the lowest one if zero does not fit.
    ahead: SignedDuration,
}

impl Clock {
    /// Returns the time of AWS's clock. If the offset was measured, the error is at most one second plus the
    /// duration of the measuring call.
    pub fn now(self) -> Timestamp {
        let now = Timestamp::now();
        now.checked_add(self.ahead).unwrap_or(now)
    }

    /// Returns a clock that is ahead of the local clock.
    #[cfg(feature = "testing")]
    pub fn ahead_by(ahead: SignedDuration) -> Self {
        Self { ahead }
    }

    /// Returns the clock that showed `says` between the times `asked` and `answered` of the local clock. AWS
    /// reports whole seconds, so a difference within one second and the duration of the call counts as none.
    fn of(asked: Timestamp, says: Timestamp, answered: Timestamp) -> Self {
        let least = says.duration_since(answered);
        let most = says.duration_since(asked) + SignedDuration::from_secs(1);
        let alike = least <= SignedDuration::ZERO && SignedDuration::ZERO <= most;
        Self { ahead: if alike { SignedDuration::ZERO } else { least } }
    }
}

impl Aws {
    /// Returns the caller's identity and AWS's clock, from one call. Without a date in the response, the
    /// local clock is used.
    ///
    /// # Errors
    /// Returns the error of the call.
    pub(super) async fn identity(&self) -> Result<(GetCallerIdentityOutput, Clock), Error> {
        let date = Date::default();
        let call = self.sts.get_caller_identity().customize().interceptor(date.clone());
        let asked = Timestamp::now();
        let identity = call.send().await.called()?;
        let answered = Timestamp::now();
        let says = *date.0.lock().expect("no writer panics while it holds the lock");
        Ok((identity, says.map_or_else(Clock::default, |says| Clock::of(asked, says, answered))))
    }
}

/// Stores the date of a response.
#[derive(Debug, Clone, Default)]
struct Date(Arc<Mutex<Option<Timestamp>>>);

impl Intercept for Date {
    fn name(&self) -> &'static str {
        "Date"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        *self.0.lock().expect("no writer panics while it holds the lock") =
            date.and_then(|date| Timestamp::from_second(date.secs()).ok());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Script, body};

    const NOW: i64 = 1_795_000_000;

    fn ahead(asked_ms: i64, says: i64, answered_ms: i64) -> i128 {
        let at = |ms: i64| Timestamp::from_millisecond(NOW * 1_000 + ms).expect("the time is in range");
        Clock::of(at(asked_ms), at(says * 1_000), at(answered_ms)).ahead.as_millis()
    }

    #[test]
    fn clock_within_measurement_error_counts_as_right() {
        assert_eq!(ahead(100, 0, 300), 0);
        assert_eq!(ahead(900, 1, 1_100), 0, "the second changed during the call");
        assert_eq!(ahead(1_500, 0, 1_600), -1_600, "AWS is at least half a second behind");
    }

    #[test]
    fn clock_offset_is_never_overestimated() {
        assert_eq!(ahead(100, 180, 300), 179_700);
        assert_eq!(ahead(100, -180, 300), -180_300);
    }

    #[tokio::test]
    async fn clock_is_read_from_the_date_header() {
        let said = "<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>";
        let answer = body(said).header("date", "Thu, 01 Jan 1970 00:00:00 GMT");
        let script = Script::new().on("GetCallerIdentity", answer).on("GetCallerIdentity", body(said));
        let aws = script.aws();
        let (_, clock) = aws.identity().await.expect("the script answers");
        let off = clock.now().duration_since(Timestamp::UNIX_EPOCH);
        assert!(off.abs() < SignedDuration::from_secs(60), "{off:?}");
        let silent = aws.identity().await.map(|(_, clock)| clock);
        assert_eq!(silent, Ok(Clock::default()), "the response has no date");
    }
}
