//! A CloudWatch alarm on one metric.

mod signs;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::operation::put_metric_alarm::builders::PutMetricAlarmFluentBuilder;
use aws_sdk_cloudwatch::types::{AlarmType, Dimension, MetricAlarm, MetricDataQuery, Tag};
use engine::error::{Class, Error, GoneIsNone};
use engine::resource::{Changed, ImportId, KindInfo, LeftOut, Live, Neighbours, Resource, Tags};
use engine::scope::Scope;
use serde::{Deserialize, Serialize};
use struct_to_enum::FieldName;

use crate::policy::Statement;
use crate::{Aws, AwsNames, Called};

/// An alarm.
#[derive(Debug, Clone, Serialize, FieldName)]
#[stem_name_derive(PartialOrd, Ord, Deserialize)]
#[stem_name_attr(serde(rename_all = "snake_case"))]
#[stem_name_attr(expect(missing_docs, reason = "the fields have them"))]
pub struct Alarm {
    name: String,
    #[serde(skip)]
    #[stem_name(skip)]
    arn: String,
    description: String,
    namespace: String,
    metric: String,
    dimensions: BTreeMap<String, String>,
    /// `Sum`, `Maximum` and the like.
    statistic: Option<String>,
    /// A percentile, instead of a statistic.
    extended_statistic: Option<String>,
    unit: Option<String>,
    /// Metric math expressions, by id; none in the stack.
    expressions: BTreeMap<String, String>,
    period_s: i32,
    evaluation_periods: i32,
    /// How many of the evaluation periods have to breach the threshold.
    datapoints_to_alarm: i32,
    threshold: f64,
    comparison: String,
    /// How a period without data is treated.
    treat_missing_data: String,
    /// How a percentile with too few samples is treated; nothing means that it is evaluated.
    low_sample_percentile: Option<String>,
    actions_enabled: bool,
    /// ARNs that are notified of the state ALARM.
    alarm_actions: BTreeSet<String>,
    /// ARNs that are notified of the state OK.
    ok_actions: BTreeSet<String>,
    /// ARNs that are notified of the state INSUFFICIENT_DATA.
    insufficient_data_actions: BTreeSet<String>,
}

impl Alarm {
    /// Returns the alarm that notifies these topics of ALARM and of OK: a person who was alerted also wants
    /// to know about the recovery. INSUFFICIENT_DATA notifies no topic, because a quiet stream has no data.
    pub fn telling(mut self, topics: &BTreeSet<String>) -> Self {
        self.alarm_actions = topics.clone();
        self.ok_actions = topics.clone();
        self
    }
}

impl Resource for Alarm {
    type Cloud = Aws;
    type Field = AlarmFieldName;
    const INFO: KindInfo = KindInfo {
        depends_on: &["lambda.function", "kinesis.stream", "dynamodb.table"],
        left_out: &[
            LeftOut { what: "state", why: "it is not configuration" },
            LeftOut { what: "composite alarms", why: "they are a separate kind" },
            LeftOut {
                what: "evaluation window, warm-up, action configuration",
                why: "CloudWatch does not document their values when unset",
            },
        ],
        ..KindInfo::new("cloudwatch.alarm")
    };

    fn name(&self) -> &str {
        &self.name
    }

    fn arn(&self) -> Option<&str> {
        Some(&self.arn)
    }

    fn import_ids(&self) -> Vec<ImportId> {
        vec![ImportId::new("aws_cloudwatch_metric_alarm", &self.name)]
    }

    /// The limits are those of "PutMetricAlarm" (CloudWatch API reference).
    fn mistakes(&self, _stack: &Neighbours<'_>) -> Vec<String> {
        let mut mistakes = Vec::new();
        let mut unless = |right: bool, mistake: &str| {
            if !right {
                mistakes.push(mistake.to_owned());
            }
        };
        unless(self.name.chars().count() <= 255, "an alarm's name can have at most 255 characters");
        let fine = [10, 20, 30].contains(&self.period_s);
        unless(
            fine || (self.period_s > 0 && self.period_s % 60 == 0),
            "the period must be 10, 20 or 30 seconds, or a number of whole minutes",
        );
        unless(
            !(fine && self.namespace.starts_with("AWS/")),
            "metrics of AWS services need a period of at least one minute",
        );
        let longest = if self.period_s >= 3600 { 7 * 86_400 } else { 86_400 };
        unless(
            self.period_s.saturating_mul(self.evaluation_periods) <= longest,
            "all periods together can last at most a day, or a week if each is an hour or longer",
        );
        unless(
            (1..=self.evaluation_periods).contains(&self.datapoints_to_alarm),
            "the data points to alarm must be from 1 to the number of evaluation periods",
        );
        unless(
            self.statistic.is_some() != self.extended_statistic.is_some(),
            "an alarm needs either a statistic or a percentile",
        );
        unless(
            !self.ignores_missing_data(),
            "CloudWatch ignores missing data of AWS/DynamoDB: the alarm would never return to OK; use a metric of \
             the functions, or an expression with FILL",
        );
        let actions = [&self.alarm_actions, &self.ok_actions, &self.insufficient_data_actions];
        unless(actions.iter().all(|actions| actions.len() <= 5), "a state can have at most five actions");
        mistakes
    }

    /// "Actions, resources, and condition keys for Amazon CloudWatch" (Service Authorization
    /// Reference).
    fn permissions(scope: &Scope) -> Vec<Statement> {
        let alarms = arn(scope, &format!("{}*", scope.prefix()));
        vec![
            // Composite alarms are shown only to a caller who may describe all alarms: "you must be
            // signed on with the cloudwatch:DescribeAlarms permission that is scoped to *"
            // ("DescribeAlarms", CloudWatch API reference). On the ARNs of alarms the call is denied.
            Statement::new("AlarmsList", ["cloudwatch:DescribeAlarms"], ["*".to_owned()]),
            Statement::new("AlarmsRead", ["cloudwatch:ListTagsForResource"], [alarms.clone()]),
            Statement::new(
                "AlarmsWrite",
                ["cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource"],
                [alarms],
            ),
        ]
    }

    async fn read(&self, aws: &Aws) -> Result<Option<Live<Self>>, Error> {
        let alarms = aws.alarms().await?;
        let Some(alarm) = alarms.iter().find(|alarm| alarm.alarm_name() == Some(&self.name)) else {
            return Ok(None);
        };
        let tags = Self::tags(&self.name, aws).await?;
        Ok(tags.map(|tags| Live { resource: self.live(alarm), tags: Some(tags), identity: None }))
    }

    async fn create(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        // PutMetricAlarm also succeeds for an unmanaged alarm of this name, and replaces it.
        if exists(&self.name, aws).await? {
            let text = format!("the alarm {} was created in the meantime", self.name);
            let error = Error::new(Class::Exists, "PutMetricAlarm", text);
            aws.adopt(error, Self::tags(&self.name, aws).await?.as_ref())?;
        }
        let call = self.put(aws).set_tags(Some(to_sdk(tags)));
        call.send().await.called().map(drop)
    }

    async fn update(&self, _live: &Self, _changed: &Changed<Self>, aws: &Aws) -> Result<(), Error> {
        self.put(aws).send().await.called().map(drop)
    }

    async fn tag(&self, tags: &Tags, aws: &Aws) -> Result<(), Error> {
        let call = aws.cloudwatch.tag_resource().resource_arn(&self.arn).set_tags(Some(to_sdk(tags)));
        call.send().await.called().map(drop)
    }

    async fn delete(name: &str, aws: &Aws) -> Result<(), Error> {
        let call = aws.cloudwatch.delete_alarms().alarm_names(name);
        call.send().await.called().gone_is_none().map(drop)
    }

    async fn list(_scope: &Scope, aws: &Aws) -> Result<Vec<String>, Error> {
        let alarms = aws.alarms().await?;
        Ok(alarms.iter().filter_map(|alarm| alarm.alarm_name.clone()).collect())
    }

    async fn tags(name: &str, aws: &Aws) -> Result<Option<Tags>, Error> {
        let call = aws.cloudwatch.list_tags_for_resource().resource_arn(arn(&aws.scope, name));
        let answer = call.send().await.called().gone_is_none()?;
        let tags = answer.map(|answer| answer.tags.unwrap_or_default().into_iter());
        Ok(tags.map(|tags| tags.filter_map(|tag| Some((tag.key?, tag.value?))).collect()))
    }
}

impl Alarm {
    /// Returns whether the alarm keeps its state while there is no data, despite the desired treatment:
    /// "Alarms that evaluate metrics in the AWS/DynamoDB namespace always ignore missing data even if you
    /// choose a different option for TreatMissingData" ("PutMetricAlarm", CloudWatch API reference).
    fn ignores_missing_data(&self) -> bool {
        self.namespace == "AWS/DynamoDB" && self.treat_missing_data != "ignore"
    }

    /// Converts a live alarm. A setting that CloudWatch omits has its default.
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
            expressions: live.metrics().iter().filter_map(expression).collect(),
            period_s: live.period.unwrap_or_default(),
            evaluation_periods,
            datapoints_to_alarm: live.datapoints_to_alarm.unwrap_or(evaluation_periods),
            threshold: live.threshold.unwrap_or_default(),
            comparison: live
                .comparison_operator()
                .map_or_else(String::new, |comparison| comparison.as_str().to_owned()),
            treat_missing_data: live.treat_missing_data.clone().unwrap_or_else(|| "missing".into()),
            low_sample_percentile: live
                .evaluate_low_sample_count_percentile
                .clone()
                .filter(|treatment| treatment != "evaluate"),
            actions_enabled: live.actions_enabled.unwrap_or(true),
            alarm_actions: set(live.alarm_actions()),
            ok_actions: set(live.ok_actions()),
            insufficient_data_actions: set(live.insufficient_data_actions()),
        }
    }

    /// Returns the call that sets the whole alarm; a setting that it omits is removed.
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
            .set_evaluate_low_sample_count_percentile(self.low_sample_percentile.clone())
            .actions_enabled(self.actions_enabled)
            .set_alarm_actions(list(&self.alarm_actions))
            .set_ok_actions(list(&self.ok_actions))
            .set_insufficient_data_actions(list(&self.insufficient_data_actions))
    }
}

fn arn(scope: &Scope, name: &str) -> String {
    scope.arn("cloudwatch", &format!("alarm:{name}"))
}

async fn exists(name: &str, aws: &Aws) -> Result<bool, Error> {
    // A name is unique among alarms of every type; without types, only metric alarms are returned
    // ("DescribeAlarms", CloudWatch API reference).
    let types = [AlarmType::MetricAlarm, AlarmType::CompositeAlarm, AlarmType::LogAlarm];
    let call = aws.cloudwatch.describe_alarms().alarm_names(name).set_alarm_types(Some(types.into()));
    let answer = call.send().await.called()?;
    let none = answer.metric_alarms().is_empty()
        && answer.composite_alarms().is_empty()
        && answer.log_alarms().is_empty();
    Ok(!none)
}

/// Returns the id and the expression or metric of a query of an alarm.
fn expression(query: &MetricDataQuery) -> Option<(String, String)> {
    let metric = || {
        let measured = query.metric_stat()?;
        let metric = measured.metric()?;
        let (namespace, name) = (metric.namespace()?, metric.metric_name()?);
        Some(format!("{} of {namespace} {name}", measured.stat().unwrap_or_default()))
    };
    let what = query.expression().map(str::to_owned).or_else(metric).unwrap_or_default();
    Some((query.id()?.to_owned(), what))
}

fn to_sdk(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

#[cfg(test)]
mod tests;
