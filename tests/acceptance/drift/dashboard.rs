//! Manual changes to a dashboard. `PutDashboard` replaces the whole dashboard.

use aws::Aws;
use engine::scope::Scope;
use futures::FutureExt;
use serde_json::{Value, json};

use super::row::{GONE, Raw, Row, sent};

pub(super) fn first(scope: &Scope) -> Vec<Row> {
    vec![Row::new(
        "a chart under another title, and other hours",
        id(scope),
        &["body.start", "body.widgets[2].properties.title"],
        altered,
    )]
}

pub(super) fn gone(scope: &Scope) -> Vec<Row> {
    vec![Row::new("dashboard deleted", id(scope), GONE, |aws| {
        let call = aws.cloudwatch.delete_dashboards().dashboard_names(name(&aws.scope));
        sent(call.send())
    })]
}

fn altered(aws: &Aws) -> Raw<'_> {
    async {
        let live = aws.cloudwatch.get_dashboard().dashboard_name(name(&aws.scope)).send().await?;
        let mut body: Value = serde_json::from_str(live.dashboard_body().unwrap_or_default())?;
        body["start"] = json!("-PT6H");
        body["widgets"][2]["properties"]["title"] = json!("by hand");
        let call = aws.cloudwatch.put_dashboard().dashboard_name(name(&aws.scope));
        call.dashboard_body(body.to_string()).send().await?;
        Ok(())
    }
    .boxed()
}

fn id(scope: &Scope) -> String {
    format!("cloudwatch.dashboard/{}", name(scope))
}

fn name(scope: &Scope) -> String {
    format!("{}-{}", scope.name("overview"), scope.region)
}
