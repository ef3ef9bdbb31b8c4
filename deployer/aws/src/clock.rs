//! AWS's clock. Events have its times, and calls are taken from machines whose clocks are minutes
//! off ("Troubleshoot AWS Signature Version 4", IAM user guide).

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

/// The clock of AWS, as far as one can tell it from ours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clock {
    /// By how much it is ahead of ours, at least.
    ahead: SignedDuration,
}

impl Clock {
    /// Returns the time of AWS, or one shortly before it.
    pub fn now(self) -> Timestamp {
        let now = Timestamp::now();
        now.checked_add(self.ahead).unwrap_or(now)
    }

    /// Returns a clock that is ahead of ours.
    #[cfg(feature = "testing")]
    pub fn ahead_by(ahead: SignedDuration) -> Self {
        Self { ahead }
    }

    /// Returns the clock that said this between two moments of ours. It says whole seconds, so what
    /// may be due to that and to the way of the answer is no difference.
    fn of(asked: Timestamp, says: Timestamp, answered: Timestamp) -> Self {
        let least = says.duration_since(answered);
        let most = says.duration_since(asked) + SignedDuration::from_secs(1);
        let alike = least <= SignedDuration::ZERO && SignedDuration::ZERO <= most;
        Self { ahead: if alike { SignedDuration::ZERO } else { least } }
    }
}

impl Aws {
    /// Asks AWS who calls, and so for the time: every answer has it. Where one has none, ours
    /// counts.
    ///
    /// # Errors
    /// The call failed.
    pub(super) async fn identity(&self) -> Result<(GetCallerIdentityOutput, Clock), Error> {
        let date = Date::default();
        let call = self.sts.get_caller_identity().customize().interceptor(date.clone());
        let asked = Timestamp::now();
        let identity = call.send().await.called()?;
        let answered = Timestamp::now();
        let says = *date.0.lock().expect("nobody panics while writing it down");
        Ok((identity, says.map_or_else(Clock::default, |says| Clock::of(asked, says, answered))))
    }
}

/// Writes down when an answer was given.
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
        *self.0.lock().expect("nobody panics while writing it down") =
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
        let at = |ms: i64| Timestamp::from_millisecond(NOW * 1_000 + ms).expect("it is a time");
        Clock::of(at(asked_ms), at(says * 1_000), at(answered_ms)).ahead.as_millis()
    }

    #[test]
    fn clock_within_measurement_error_counts_as_right() {
        assert_eq!(ahead(100, 0, 300), 0);
        assert_eq!(ahead(900, 1, 1_100), 0, "the second turned on the way");
        assert_eq!(ahead(1_500, 0, 1_600), -1_600, "it is half a second behind at least");
    }

    #[test]
    fn clock_offset_is_never_overestimated() {
        assert_eq!(ahead(100, 180, 300), 179_700);
        assert_eq!(ahead(100, -180, 300), -180_300);
    }

    #[tokio::test]
    async fn clock_is_read_from_the_date_header() {
        let said = "<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>";
        let told = body(said).header("date", "Thu, 01 Jan 1970 00:00:00 GMT");
        let script = Script::new().on("GetCallerIdentity", told).on("GetCallerIdentity", body(said));
        let aws = script.aws();
        let (_, clock) = aws.identity().await.expect("it answers");
        let off = clock.now().duration_since(Timestamp::UNIX_EPOCH);
        assert!(off.abs() < SignedDuration::from_secs(60), "{off:?}");
        let silent = aws.identity().await.map(|(_, clock)| clock);
        assert_eq!(silent, Ok(Clock::default()), "it does not say");
    }
}
