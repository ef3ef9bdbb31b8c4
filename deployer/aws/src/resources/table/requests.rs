//! Conversion of a table's desired settings to requests.

use aws_sdk_dynamodb::types::{
    PointInTimeRecoverySpecification, SseSpecification, SseType, StreamSpecification, Tag,
    TimeToLiveSpecification,
};
use aws_smithy_types::error::operation::BuildError;
use engine::error::Error;
use engine::resource::Tags;

use super::Table;

impl Table {
    pub(super) fn encryption(&self) -> SseSpecification {
        let kms = self.kms_key.is_some();
        let encryption = SseSpecification::builder().enabled(kms);
        let encryption = encryption.set_sse_type(kms.then_some(SseType::Kms));
        encryption.set_kms_master_key_id(self.kms_key.clone()).build()
    }

    pub(super) fn recovery(&self) -> Result<PointInTimeRecoverySpecification, Error> {
        let days = self.point_in_time_recovery_days;
        let recovery = PointInTimeRecoverySpecification::builder();
        let recovery = recovery.point_in_time_recovery_enabled(days.is_some());
        recovery.set_recovery_period_in_days(days).build().map_err(incomplete)
    }
}

pub(super) fn stream(view: &str) -> Result<StreamSpecification, Error> {
    let stream = StreamSpecification::builder().stream_enabled(true);
    stream.stream_view_type(view.into()).build().map_err(incomplete)
}

pub(super) fn no_stream() -> Result<StreamSpecification, Error> {
    let stream = StreamSpecification::builder().stream_enabled(false);
    stream.build().map_err(incomplete)
}

pub(super) fn time_to_live(attribute: &str, on: bool) -> Result<TimeToLiveSpecification, Error> {
    let time_to_live = TimeToLiveSpecification::builder().attribute_name(attribute);
    time_to_live.enabled(on).build().map_err(incomplete)
}

pub(super) fn tags(tags: &Tags) -> Result<Vec<Tag>, Error> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    tags.collect::<Result<_, _>>().map_err(incomplete)
}

pub(super) fn incomplete(error: BuildError) -> Error {
    Error::other("request", error.to_string())
}
