//! A resource kind defined outside these crates, and a stack that uses it: `cargo run -p cli --example
//! metric_filter -- plan local`.
//!
//! The stack has no functions and no events, so the program needs no sources, and has no commands for them.
//!
//! A metric filter counts lines of a log group. It has no tags, so its owner and stamp are those of its log
//! group. Copy this file to start a kind of your own.

use std::process::ExitCode;

use aws::policy::Statement;
use aws::resources::{kinds, log_group::LogGroup};
use aws::{Aws, AwsNames, Called};
use cli::app::App;
use cli::environment::Environment;
use cli::run;
use engine::error::{Error, GoneIsNone};
use engine::resource::{Changed, ImportId, Kind, KindInfo, Live, Resource, ResourceId, Tags};
use engine::scope::Scope;
use engine::stack::Stack;
use serde::{Deserialize, Serialize};
use struct_to_enum::FieldName;

/// Counts the lines of a log group that match a pattern.
#[derive(Debug, Clone, Serialize, FieldName)]
#[stem_name_derive(PartialOrd, Ord, Deserialize)]
#[stem_name_attr(serde(rename_all = "snake_case"))]
struct MetricFilter {
    /// `<log group>:<filter>`: the name of a log group has no colon.
    name: String,
    pattern: String,
    namespace: String,
    metric: String,
}

impl MetricFilter {
    /// Returns the filter with this name on a log group.
    fn new(scope: &Scope, thing: &str, group: &str, pattern: &str) -> Self {
        Self {
            name: format!("{group}:{}", scope.name(thing)),
            pattern: pattern.to_owned(),
            namespace: scope.stack.clone(),
            metric: thing.to_owned(),
        }
    }

    async fn put(&self, aws: &Aws) -> Result<(), Error> {
        let (group, filter) = parts(&self.name)?;
        let transformation = aws_sdk_cloudwatchlogs::types::MetricTransformation::builder()
            .metric_namespace(&self.namespace)
            .metric_name(&self.metric)
            .metric_value("1")
            .build()
            .map_err(|error| Error::other("PutMetricFilter", error.to_string()))?;
        aws.logs
            .put_metric_filter()
            .log_group_name(group)
            .filter_name(filter)
            .filter_pattern(&self.pattern)
            .metric_transformations(transformation)
            .send()
            .await
            .called()
            .map(drop)
    }
}

impl Resource for MetricFilter {
    type Cloud = Aws;
    type Field = MetricFilterFieldName;
    const INFO: KindInfo = KindInfo {
        depends_on: &["logs.log-group"],
        read_operations: &["DescribeMetricFilters"],
        ..KindInfo::new("logs.metric-filter")
    };

    fn name(&self) -> &str {
        &self.name
    }

    fn parent(&self) -> Option<ResourceId> {
        let (group, _) = parts(&self.name).ok()?;
        Some(ResourceId::new(LogGroup::KIND, group))
    }

    // "aws_cloudwatch_log_metric_filter", Terraform's AWS provider: the name has the form of its id.
    fn import_ids(&self) -> Vec<ImportId> {
        vec![ImportId::new("aws_cloudwatch_log_metric_filter", &self.name)]
    }

    fn permissions(scope: &Scope) -> Vec<Statement> {
        // "Actions, resources, and condition keys for Amazon CloudWatch Logs", service
        // authorization reference.
        let actions = ["logs:DeleteMetricFilter", "logs:DescribeMetricFilters", "logs:PutMetricFilter"];
        let groups = scope.arn("logs", &format!("log-group:/aws/lambda/{}*", scope.prefix()));
        vec![Statement::new("MetricFilters", actions, [groups])]
    }

    async fn read(&self, aws: &Aws) -> Result<Option<Live<Self>>, Error> {
        let (group, filter) = parts(&self.name)?;
        let call = aws.logs.describe_metric_filters().log_group_name(group).filter_name_prefix(filter);
        let found = call.send().await.called().gone_is_none()?;
        let found = found.and_then(|answer| answer.metric_filters).unwrap_or_default();
        let found = found.into_iter().find(|found| found.filter_name() == Some(filter));
        Ok(found.map(|found| {
            let transformation = found.metric_transformations().first();
            Live {
                tags: None,
                identity: None,
                resource: Self {
                    name: self.name.clone(),
                    pattern: found.filter_pattern().unwrap_or_default().to_owned(),
                    namespace: transformation.map(|to| to.metric_namespace.clone()).unwrap_or_default(),
                    metric: transformation.map(|to| to.metric_name.clone()).unwrap_or_default(),
                },
            }
        }))
    }

    async fn create(&self, _tags: &Tags, aws: &Aws) -> Result<(), Error> {
        self.put(aws).await
    }

    async fn update(&self, _live: &Self, _changed: &Changed<Self>, aws: &Aws) -> Result<(), Error> {
        self.put(aws).await
    }

    async fn tag(&self, _tags: &Tags, _aws: &Aws) -> Result<(), Error> {
        // Its log group has the tags.
        Ok(())
    }

    async fn delete(name: &str, aws: &Aws) -> Result<(), Error> {
        let (group, filter) = parts(name)?;
        let call = aws.logs.delete_metric_filter().log_group_name(group).filter_name(filter);
        call.send().await.called().gone_is_none().map(drop)
    }

    async fn list(_scope: &Scope, _aws: &Aws) -> Result<Vec<String>, Error> {
        // A filter is deleted with its log group, so there are no orphans.
        Ok(Vec::new())
    }

    async fn tags(_name: &str, _aws: &Aws) -> Result<Option<Tags>, Error> {
        Ok(None)
    }
}

fn parts(name: &str) -> Result<(&str, &str), Error> {
    name.split_once(':')
        .ok_or_else(|| Error::other("metric filter", format!("`{name}` contains no log group")))
}

fn stack(environment: &Environment) -> Stack<Aws> {
    let scope = environment.scope("example");
    let group = LogGroup::of_function(&scope, &scope.name("function"), 1);
    let filter = MetricFilter::new(&scope, "failures", group.name(), "ERROR");
    let mut known = kinds();
    known.push(Kind::of::<MetricFilter>());
    let mut stack = Stack::new(scope, known);
    stack.add(group).add(filter);
    stack
}

fn main() -> ExitCode {
    run(&App::new("example", stack).try_next("drift {env}"))
}

#[cfg(test)]
mod tests {
    use aws::testing::{Script, body, fault, scope, update};
    use engine::diff::diff;
    use engine::resource::Described;
    use engine::testing::insist_on_fields;
    use serde_json::{Value, json};

    use super::*;

    fn filter() -> MetricFilter {
        MetricFilter::new(&scope(), "failures", "/aws/lambda/f", "ERROR")
    }

    /// Returns a script in which CloudWatch returns the filter with this pattern.
    fn with_pattern(pattern: &str) -> Script {
        let transformation = json!({"metricNamespace": "demo", "metricName": "failures", "metricValue": "1"});
        let listed = json!({
            "filterName": "demo-dev-failures",
            "filterPattern": pattern,
            "metricTransformations": [transformation],
        });
        Script::new().on("DescribeMetricFilters", body(json!({"metricFilters": [listed]})))
    }

    async fn differs(script: &Script) -> Vec<Value> {
        let live = filter().read(&script.aws()).await.expect("it is read").expect("the filter exists");
        let changes = diff(&live.resource.state(), &filter().state());
        changes.iter().map(|change| json!([change.path, change.live, change.desired])).collect()
    }

    #[test]
    fn metric_filter_fields_are_those_of_the_struct() {
        insist_on_fields(&filter());
    }

    #[tokio::test]
    async fn filter_as_it_was_made_is_no_drift() {
        assert_eq!(differs(&with_pattern("ERROR")).await, [Value::Null; 0]);
    }

    #[tokio::test]
    async fn filter_pattern_changed_by_hand_is_repaired() {
        let script = with_pattern("WARN").on("PutMetricFilter", body("{}"));
        assert_eq!(differs(&script).await, [json!(["pattern", "WARN", "ERROR"])]);
        let live = filter().read(&script.aws()).await.expect("it is read").expect("the filter exists");
        update(&filter(), &live.resource, &script.aws()).await.expect("the filter is repaired");
        let sent = &script.sent("PutMetricFilter")[0];
        assert_eq!(
            (&sent["filterName"], &sent["filterPattern"]),
            (&json!("demo-dev-failures"), &json!("ERROR"))
        );
    }

    #[tokio::test]
    async fn filter_of_a_deleted_group_is_absent() {
        let gone = fault(400, "ResourceNotFoundException", "The specified log group does not exist.");
        let script = Script::new().on("DescribeMetricFilters", gone);
        assert!(filter().read(&script.aws()).await.expect("a missing group is not an error").is_none());

        let denied = fault(
            400,
            "AccessDeniedException",
            "User: me is not authorized to perform: logs:DescribeMetricFilters",
        );
        let script = Script::new().on("DescribeMetricFilters", denied);
        assert!(filter().read(&script.aws()).await.is_err());
    }

    #[tokio::test]
    async fn filter_delete_succeeds_if_absent() {
        let gone = fault(400, "ResourceNotFoundException", "The specified metric filter does not exist.");
        let script = Script::new().on("DeleteMetricFilter", gone);
        MetricFilter::delete(filter().name(), &script.aws()).await.expect("a missing filter is not an error");
    }
}
