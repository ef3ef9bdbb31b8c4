//! Who hears of alarms.

use aws::AwsNames;
use std::collections::BTreeSet;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::Environment;
use super::arn::TopicArn;

/// The actions that an alarm has for one state at most ("PutMetricAlarm", CloudWatch API
/// reference).
const MOST: usize = 5;

/// Who hears of alarms.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Alarms {
    notify: Option<Spanned<Vec<Spanned<TopicArn>>>>,
}

impl Alarms {
    /// Returns the ARNs of the topics that hear of every alarm.
    pub fn topics(&self) -> BTreeSet<String> {
        let topics = self.notify.iter().flat_map(|topics| topics.get_ref());
        topics.map(|topic| topic.get_ref().to_string()).collect()
    }

    /// Finds what does not go together with the rest of the environment, and where it is.
    pub(super) fn misfit(&self, of: &Environment) -> Option<(Range<usize>, String)> {
        let (scope, topics) = (of.scope("any"), self.notify.as_ref()?);
        let elsewhere =
            topics.get_ref().iter().find(|topic| !topic.get_ref().is_in(scope.partition(), &scope.region));
        if let Some(topic) = elsewhere {
            let message =
                format!("the topic has to be in {}: alarms tell their own region only", scope.region);
            return Some((topic.span(), message));
        }
        let many = topics.get_ref().len();
        let message = || format!("{many} topics are too many: an alarm tells {MOST} at most");
        (many > MOST).then(|| (topics.span(), message()))
    }
}
