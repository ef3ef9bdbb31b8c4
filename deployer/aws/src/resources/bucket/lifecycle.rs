//! Lifecycle rules of a bucket.

use std::collections::BTreeMap;

use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, ExpirationStatus, LifecycleRule, LifecycleRuleFilter,
    NoncurrentVersionExpiration,
};
use aws_smithy_types::error::operation::BuildError;
use serde::Serialize;

/// One lifecycle rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Rule {
    enabled: bool,
    /// The prefix of the keys; empty for all keys.
    prefix: String,
    abort_uploads_days: Option<i32>,
    /// Days until a noncurrent version is deleted.
    expire_version_days: Option<i32>,
    /// Settings that no rule of the stack has, as text: deletions, transitions, tags, sizes.
    other: Vec<String>,
}

impl Rule {
    /// Returns the rule that aborts unfinished uploads after this number of days.
    pub(super) fn aborting_uploads(days: i32) -> Self {
        Self { abort_uploads_days: Some(days), ..Self::nothing() }
    }

    /// Returns the rule that deletes overwritten versions under a prefix after this number of days.
    pub(super) fn expiring_versions(prefix: &str, days: i32) -> Self {
        Self { prefix: prefix.to_owned(), expire_version_days: Some(days), ..Self::nothing() }
    }

    fn nothing() -> Self {
        Self {
            enabled: true,
            prefix: String::new(),
            abort_uploads_days: None,
            expire_version_days: None,
            other: Vec::new(),
        }
    }

    /// Converts a live rule. The prefix can be in three places, and an empty one means none.
    pub(super) fn of(rule: &LifecycleRule) -> Self {
        let filter = rule.filter.as_ref();
        let both = filter.and_then(|filter| filter.and.as_ref());
        #[expect(deprecated, reason = "old rules still have their prefix there")]
        let old = rule.prefix.as_ref();
        let prefix = filter.and_then(|filter| filter.prefix.as_ref());
        let prefix = prefix.or_else(|| both?.prefix.as_ref()).or(old);
        let expiration = rule.expiration.as_ref();
        let versions = rule.noncurrent_version_expiration.as_ref();

        let mut other = Vec::new();
        let mut also = |part: Option<String>| other.extend(part);
        also(filter.and_then(|filter| filter.tag.as_ref()).map(|tag| format!("{tag:?}")));
        also(
            filter
                .and_then(|filter| filter.object_size_greater_than)
                .map(|size| format!("larger than {size}")),
        );
        also(
            filter.and_then(|filter| filter.object_size_less_than).map(|size| format!("smaller than {size}")),
        );
        also(both.map(|both| format!("{both:?}")));
        also(
            expiration
                .and_then(|expiration| expiration.days)
                .map(|days| format!("expires after {days} days")),
        );
        also(expiration.and_then(|expiration| expiration.date).map(|date| format!("expires {date}")));
        let markers = expiration.and_then(|expiration| expiration.expired_object_delete_marker);
        also(markers.filter(|on| *on).map(|_| "deletes markers".to_owned()));
        let newer = versions.and_then(|versions| versions.newer_noncurrent_versions);
        also(newer.map(|versions| format!("keeps {versions} versions")));
        rule.transitions().iter().for_each(|part| also(Some(format!("{part:?}"))));
        rule.noncurrent_version_transitions().iter().for_each(|part| also(Some(format!("{part:?}"))));
        Self {
            enabled: rule.status == ExpirationStatus::Enabled,
            prefix: prefix.cloned().unwrap_or_default(),
            abort_uploads_days: rule
                .abort_incomplete_multipart_upload
                .as_ref()
                .and_then(|abort| abort.days_after_initiation),
            expire_version_days: versions.and_then(|versions| versions.noncurrent_days),
            other,
        }
    }

    pub(super) fn to_sdk(&self, id: &str) -> Result<LifecycleRule, BuildError> {
        let abort = self
            .abort_uploads_days
            .map(|days| AbortIncompleteMultipartUpload::builder().days_after_initiation(days).build());
        let versions = self
            .expire_version_days
            .map(|days| NoncurrentVersionExpiration::builder().noncurrent_days(days).build());
        LifecycleRule::builder()
            .id(id)
            .status(if self.enabled { ExpirationStatus::Enabled } else { ExpirationStatus::Disabled })
            .filter(LifecycleRuleFilter::builder().prefix(&self.prefix).build())
            .set_abort_incomplete_multipart_upload(abort)
            .set_noncurrent_version_expiration(versions)
            .build()
    }
}

/// Returns whether the desired rules delete objects that the live rules keep.
pub(super) fn deletes_more(live: &BTreeMap<String, Rule>, desired: &BTreeMap<String, Rule>) -> bool {
    desired.iter().any(|(id, rule)| match (rule.expire_version_days, live.get(id)) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(days), Some(live)) => {
            let elsewhere =
                (live.enabled, &live.prefix, &live.other) != (rule.enabled, &rule.prefix, &rule.other);
            elsewhere || live.expire_version_days.is_none_or(|live_days| days < live_days)
        }
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::types::{LifecycleExpiration, LifecycleRuleAndOperator};

    use super::*;

    #[test]
    fn lifecycle_rule_reads_back_as_sent() {
        for rule in [Rule::aborting_uploads(7), Rule::expiring_versions("progress/", 1)] {
            assert_eq!(Rule::of(&rule.to_sdk("id").expect("all required fields are set")), rule);
        }
    }

    #[test]
    fn lifecycle_rule_settings_made_by_hand_show() {
        let both = LifecycleRuleAndOperator::builder().prefix("progress/").object_size_greater_than(1);
        let filter = LifecycleRuleFilter::builder().and(both.build()).build();
        let mut rule =
            Rule::expiring_versions("progress/", 1).to_sdk("id").expect("all required fields are set");
        rule.filter = Some(filter);
        rule.expiration = Some(LifecycleExpiration::builder().days(30).build());
        let read = Rule::of(&rule);
        assert_eq!(read.prefix, "progress/");
        assert_eq!(read.other.len(), 2, "{:?}", read.other);
    }

    #[test]
    fn lifecycle_rule_deleting_sooner_loses_data() {
        let rule = |days| Rule::expiring_versions("progress/", days);
        let loses = |live: Option<Rule>, desired: Option<Rule>| {
            let rules =
                |rule: Option<Rule>| rule.map(|rule| ("expire".to_owned(), rule)).into_iter().collect();
            deletes_more(&rules(live), &rules(desired))
        };
        assert!(loses(None, Some(rule(30))));
        assert!(loses(Some(rule(60)), Some(rule(30))));
        assert!(loses(Some(Rule { prefix: "p".into(), ..rule(30) }), Some(rule(30))));
        assert!(loses(Some(Rule { enabled: false, ..rule(30) }), Some(rule(30))));
        assert!(loses(Some(Rule { expire_version_days: None, ..rule(30) }), Some(rule(30))));
        assert!(!loses(Some(rule(10)), Some(rule(30))));
        assert!(!loses(None, Some(Rule::aborting_uploads(7))));
        assert!(!loses(Some(rule(30)), None));
    }
}
