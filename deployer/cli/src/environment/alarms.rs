//! The receivers of alarms.

use aws::AwsNames;
use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::Environment;
use super::arn::TopicArn;
use super::mistakes::Mistake;

/// The maximum number of actions of an alarm for one state ("PutMetricAlarm", CloudWatch API reference).
const MOST: usize = 5;

/// The receivers of alarms.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Alarms {
    /// The SNS topics, at most five.
    #[schemars(with = "Option<Vec<TopicArn>>")]
    notify: Option<Spanned<Vec<Spanned<TopicArn>>>>,
}

impl Alarms {
    /// Returns the ARNs of the topics that every alarm notifies.
    pub fn topics(&self) -> BTreeSet<String> {
        let topics = self.notify.iter().flat_map(|topics| topics.get_ref());
        topics.map(|topic| topic.get_ref().to_string()).collect()
    }

    /// Returns the mistakes in the topics: topics in another Region than the environment, and too many topics.
    pub(super) fn mistakes(&self, of: &Environment) -> Vec<Mistake> {
        let scope = of.scope("any");
        let Some(topics) = &self.notify else { return Vec::new() };
        let elsewhere =
            topics.get_ref().iter().filter(|topic| !topic.get_ref().is_in(scope.partition(), &scope.region));
        let message =
            format!("the topic is not in {}: an alarm notifies topics of its own Region", scope.region);
        let mut mistakes: Vec<_> =
            elsewhere.map(|topic| Mistake::new(topic.span(), message.clone())).collect();
        let many = topics.get_ref().len();
        if many > MOST {
            let message = format!("an alarm notifies {MOST} topics at most, not {many}");
            mistakes.push(Mistake::new(topics.span(), message));
        }
        mistakes
    }
}
