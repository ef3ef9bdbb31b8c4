//! The widgets of a dashboard, in rows ("Dashboard body structure and syntax", CloudWatch user guide).

use engine::scope::Scope;
use serde_json::{Value, json};

/// The width of a dashboard in grid units.
const WIDTH: usize = 24;
const HEIGHT: usize = 6;
/// The maximum number of alarms in one widget.
const MOST_ALARMS: usize = 100;

/// A line of a chart.
#[derive(Debug, Clone)]
pub(super) struct Metric {
    namespace: String,
    name: String,
    dimensions: Vec<(String, String)>,
    options: Value,
}

impl Metric {
    /// Returns a metric with these dimensions.
    pub(super) fn new(namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            dimensions: dimensions.iter().map(owned).collect(),
            options: json!({}),
        }
    }

    /// Returns a metric of a function.
    pub(super) fn lambda(name: &str, function: &str) -> Self {
        Self::new("AWS/Lambda", name, &[("FunctionName", function)])
    }

    /// Returns the metric with this statistic.
    pub(super) fn statistic(self, statistic: &str) -> Self {
        self.with("stat", statistic)
    }

    /// Returns the metric with this label.
    pub(super) fn labelled(self, label: &str) -> Self {
        self.with("label", label)
    }

    /// Returns the metric with this period.
    pub(super) fn every(self, seconds: u32) -> Self {
        self.with("period", seconds)
    }

    /// Returns the metric on the right axis.
    pub(super) fn right(self) -> Self {
        self.with("yAxis", "right")
    }

    fn with(mut self, option: &str, value: impl Into<Value>) -> Self {
        self.options[option] = value.into();
        self
    }

    fn json(self) -> Value {
        let dimensions = self.dimensions.into_iter().flat_map(|(name, value)| [name, value]);
        let parts = [self.namespace, self.name].into_iter().chain(dimensions).map(Value::from);
        Value::Array(parts.chain([self.options]).collect())
    }
}

/// Rows of widgets, from top to bottom.
pub(super) struct Rows<'a> {
    scope: &'a Scope,
    prefix: String,
    y: usize,
    widgets: Vec<Value>,
}

impl<'a> Rows<'a> {
    /// Returns an empty list of rows for resources of this scope.
    pub(super) fn of(scope: &'a Scope) -> Self {
        Self { scope, prefix: scope.prefix(), y: 0, widgets: Vec::new() }
    }

    /// Returns a name without the prefix of the scope.
    pub(super) fn short<'n>(&self, name: &'n str) -> &'n str {
        name.strip_prefix(&self.prefix).unwrap_or(name)
    }

    /// Adds a text widget.
    pub(super) fn note(&mut self, markdown: &str) {
        self.add("text", 0, WIDTH, json!({"markdown": markdown}));
        self.y += HEIGHT;
    }

    /// Adds widgets with the states of these alarms.
    pub(super) fn alarms(&mut self, arns: &[&str]) {
        for arns in arns.chunks(MOST_ALARMS) {
            self.add("alarm", 0, WIDTH, json!({"title": "Alarms", "alarms": arns}));
            self.y += HEIGHT;
        }
    }

    /// Adds a row of charts, each with a title and metrics. A chart without metrics is omitted.
    pub(super) fn row<const N: usize>(&mut self, charts: [(String, Vec<Metric>); N]) {
        let width = WIDTH / N;
        let before = self.widgets.len();
        for (place, (title, metrics)) in charts.into_iter().enumerate() {
            if metrics.is_empty() {
                continue;
            }
            let metrics: Vec<Value> = metrics.into_iter().map(Metric::json).collect();
            let properties = json!({
                "title": title,
                "view": "timeSeries",
                "region": self.scope.region,
                "period": 60,
                "metrics": metrics,
                "yAxis": {"left": {"min": 0}},
            });
            self.add("metric", place * width, width, properties);
        }
        if self.widgets.len() > before {
            self.y += HEIGHT;
        }
    }

    /// Returns the rows as the body of a dashboard.
    pub(super) fn body(self) -> Value {
        json!({"widgets": self.widgets})
    }

    fn add(&mut self, kind: &str, x: usize, width: usize, properties: Value) {
        self.widgets.push(json!({
            "type": kind, "x": x, "y": self.y, "width": width, "height": HEIGHT, "properties": properties,
        }));
    }
}
