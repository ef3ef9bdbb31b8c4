//! A CloudWatch alarm on one metric.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::operation::put_metric_alarm::builders::PutMetricAlarmFluentBuilder;
use aws_sdk_cloudwatch::types::{Dimension, MetricAlarm, Tag};
use serde::Serialize;

use crate::aws::{Aws, Called};
use crate::error::{Error, GoneIsNone};
use crate::policy::Statement;
use crate::resource::{Live, Resource, Tags};
use crate::scope::Scope;

/// An alarm.
#[derive(Debug, Clone, Serialize)]
pub struct Alarm {
    name: String,
    #[serde(skip)]
    arn: String,
    description: String,
    namespace: String,
    metric: String,
    dimensions: BTreeMap<String, String>,
    /// `Sum`, `Maximum` and the like.
    statistic: Option<String>,
    /// A percentile, in place of a statistic.
    extended_statistic: Option<String>,
    unit: Option<String>,
    period_s: i32,
    evaluation_periods: i32,
    /// Of the evaluation periods, how many have to breach.
    datapoints_to_alarm: i32,
    threshold: f64,
    comparison: String,
    /// What a period without data counts as.
    treat_missing_data: String,
    actions_enabled: bool,
    /// ARNs of what is told when the alarm goes off.
    alarm_actions: BTreeSet<String>,
    /// ARNs of what is told when all is well again.
    ok_actions: BTreeSet<String>,
    /// ARNs of what is told when nothing can be said.
    insufficient_data_actions: BTreeSet<String>,
}

impl Alarm {
    /// Returns the alarm of this thing that goes off when a stream consumer is late: the
    /// oldest record of a batch was older than this, three minutes in a row. One late batch
    /// is a cold start or a retry that worked. A consumer that is not invoked has no age,
    /// which is how a quiet stream looks.
    pub fn iterator_age(scope: &Scope, thing: &str, function: &str, threshold_ms: f64) -> Self {
        Self {
            description: format!("{function} falls behind its stream"),
            statistic: Some("Maximum".into()),
            evaluation_periods: 3,
            datapoints_to_alarm: 3,
            threshold: threshold_ms,
            ..Self::of_function(scope, thing, function, "IteratorAge")
        }
    }

    /// Returns the alarm of this thing that goes off when an invocation fails. Rules broken
    /// by callers are answers, not errors, so one is too many. Five minutes, because a batch
    /// that fails again and again with pauses is one incident and not many.
    pub fn errors(scope: &Scope, thing: &str, function: &str) -> Self {
        Self {
            description: format!("{function} fails"),
            statistic: Some("Sum".into()),
            period_s: 300,
            ..Self::of_function(scope, thing, function, "Errors")
        }
    }

    fn of_function(scope: &Scope, thing: &str, function: &str, metric: &str) -> Self {
        let name = scope.name(thing);
        Self {
            arn: arn(scope, &name),
            name,
            description: String::new(),
            namespace: "AWS/Lambda".into(),
            metric: metric.to_owned(),
            dimensions: [("FunctionName".to_owned(), function.to_owned())].into(),
            statistic: None,
            extended_statistic: None,
            unit: None,
            period_s: 60,
            evaluation_periods: 1,
            datapoints_to_alarm: 1,
            threshold: 0.0,
            comparison: "GreaterThanThreshold".into(),
            treat_missing_data: "notBreaching".into(),
            actions_enabled: true,
            alarm_actions: BTreeSet::new(),
            ok_actions: BTreeSet::new(),
            insufficient_data_actions: BTreeSet::new(),
        }
    }
}

impl Resource for Alarm {
    type Cloud = Aws;
    const KIND: &'static str = "cloudwatch.alarm";
    const STANDS_ON: &'static [&'static str] = &["lambda.function"];

    fn name(&self) -> &str {
        &self.name
    }

    fn arn(&self) -> Option<&str> {
        Some(&self.arn)
    }

    fn permissions(_scope: &Scope) -> Vec<Statement> {
        Vec::new()
    }

    async fn read(&self, aws: &Aws) -> Result<Option<Live<Self>>, Error> {
        let alarms = aws.alarms().await?;
        let Some(alarm) = alarms.iter().find(|alarm| alarm.alarm_name() == Some(&self.name)) else {
            return Ok(None);
        };
        let tags = Self::tags(&self.name, aws).await?;
        Ok(tags.map(|tags| Live { resource: self.live(alarm), tags: Some(tags) }))
    }

    async fn create(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        // Put again over what an attempt cut short left behind, it changes nothing.
        let call = self.put(aws).set_tags(Some(to_sdk(tags)));
        call.send().await.called("PutMetricAlarm").map(drop)
    }

    async fn update(&self, _live: &Self, aws: &Aws) -> Result<(), Error> {
        self.put(aws).send().await.called("PutMetricAlarm").map(drop)
    }

    async fn tag(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        let call = aws.cloudwatch.tag_resource().resource_arn(&self.arn).set_tags(Some(to_sdk(tags)));
        call.send().await.called("TagResource").map(drop)
    }

    async fn delete(name: &str, aws: &Aws) -> Result<(), Error> {
        let call = aws.cloudwatch.delete_alarms().alarm_names(name);
        call.send().await.called("DeleteAlarms").gone_is_none().map(drop)
    }

    async fn list(_scope: &Scope, aws: &Aws) -> Result<Vec<String>, Error> {
        let alarms = aws.alarms().await?;
        Ok(alarms.iter().filter_map(|alarm| alarm.alarm_name.clone()).collect())
    }

    async fn tags(name: &str, aws: &Aws) -> Result<Option<Tags>, Error> {
        let call = aws.cloudwatch.list_tags_for_resource().resource_arn(arn(&aws.scope, name));
        let answer = call.send().await.called("ListTagsForResource").gone_is_none()?;
        let tags = answer.map(|answer| answer.tags.unwrap_or_default().into_iter());
        Ok(tags.map(|tags| tags.filter_map(|tag| Some((tag.key?, tag.value?))).collect()))
    }
}

impl Alarm {
    /// Returns a live alarm. What CloudWatch leaves out means its default.
    fn live(&self, live: &MetricAlarm) -> Self {
        let set = |actions: &[String]| actions.iter().cloned().collect();
        let evaluation_periods = live.evaluation_periods.unwrap_or_default();
        Self {
            name: self.name.clone(),
            arn: self.arn.clone(),
            description: live.alarm_description.clone().unwrap_or_default(),
            namespace: live.namespace.clone().unwrap_or_default(),
            metric: live.metric_name.clone().unwrap_or_default(),
            dimensions: live
                .dimensions()
                .iter()
                .filter_map(|dimension| Some((dimension.name.clone()?, dimension.value.clone()?)))
                .collect(),
            statistic: live.statistic().map(|statistic| statistic.as_str().to_owned()),
            extended_statistic: live.extended_statistic.clone(),
            unit: live.unit().map(|unit| unit.as_str().to_owned()),
            period_s: live.period.unwrap_or_default(),
            evaluation_periods,
            datapoints_to_alarm: live.datapoints_to_alarm.unwrap_or(evaluation_periods),
            threshold: live.threshold.unwrap_or_default(),
            comparison: live
                .comparison_operator()
                .map_or_else(String::new, |comparison| comparison.as_str().to_owned()),
            treat_missing_data: live.treat_missing_data.clone().unwrap_or_else(|| "missing".into()),
            actions_enabled: live.actions_enabled.unwrap_or(true),
            alarm_actions: set(live.alarm_actions()),
            ok_actions: set(live.ok_actions()),
            insufficient_data_actions: set(live.insufficient_data_actions()),
        }
    }

    /// Returns the call that makes the alarm as a whole; what it leaves out is removed.
    fn put(&self, aws: &Aws) -> PutMetricAlarmFluentBuilder {
        let list = |actions: &BTreeSet<String>| Some(actions.iter().cloned().collect());
        let dimensions = self.dimensions.iter();
        let dimensions = dimensions.map(|(name, value)| Dimension::builder().name(name).value(value).build());
        aws.cloudwatch
            .put_metric_alarm()
            .alarm_name(&self.name)
            .alarm_description(&self.description)
            .namespace(&self.namespace)
            .metric_name(&self.metric)
            .set_dimensions(Some(dimensions.collect()))
            .set_statistic(self.statistic.as_deref().map(Into::into))
            .set_extended_statistic(self.extended_statistic.clone())
            .set_unit(self.unit.as_deref().map(Into::into))
            .period(self.period_s)
            .evaluation_periods(self.evaluation_periods)
            .datapoints_to_alarm(self.datapoints_to_alarm)
            .threshold(self.threshold)
            .comparison_operator(self.comparison.as_str().into())
            .treat_missing_data(&self.treat_missing_data)
            .actions_enabled(self.actions_enabled)
            .set_alarm_actions(list(&self.alarm_actions))
            .set_ok_actions(list(&self.ok_actions))
            .set_insufficient_data_actions(list(&self.insufficient_data_actions))
    }
}

fn arn(scope: &Scope, name: &str) -> String {
    scope.arn("cloudwatch", &format!("alarm:{name}"))
}

fn to_sdk(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cloudwatch_leaves_out_is_its_default() {
        let scope = Scope {
            stack: "cart".into(),
            environment: "dev".into(),
            account: "111111111111".into(),
            region: "eu-central-1".into(),
            extra_tags: Default::default(),
        };
        let desired = Alarm::errors(&scope, "capture-errors", "cart-dev-capture");
        let live = desired.live(&MetricAlarm::builder().evaluation_periods(3).build());
        assert_eq!(live.datapoints_to_alarm, 3);
        assert_eq!(live.treat_missing_data, "missing");
        assert!(live.actions_enabled);
    }
}
