//! Handling of CloudWatch's answers about dashboards, and requests to CloudWatch.

use engine::diff::diff;
use engine::resource::Described;
use serde_json::json;

use super::*;
use crate::testing::{Script, ScriptedAnswer, body, fault, scope, update};

fn shown() -> Value {
    json!({"widgets": [
        {"type": "text", "x": 0, "y": 0, "width": 24, "height": 3, "properties": {"markdown": "# demo-dev"}},
        {"type": "metric", "x": 0, "y": 3, "width": 8, "height": 6, "properties": {"title": "Age"}},
    ]})
}

fn dashboard() -> Dashboard {
    Dashboard::new(&scope(), shown())
}

/// Returns the tags of an owned dashboard, and one tag with an empty value.
fn tags() -> Tags {
    scope().tags().into_iter().chain([("note".to_owned(), String::new())]).collect()
}

/// Returns CloudWatch's answer with this body.
fn kept(shown: &Value) -> ScriptedAnswer {
    body(json!({"DashboardName": "demo-dev-overview-eu-central-1", "DashboardBody": shown.to_string()}))
}

fn absent() -> ScriptedAnswer {
    fault(404, "DashboardNotFoundError", "Dashboard demo-dev-overview-eu-central-1 does not exist")
}

fn accepted() -> ScriptedAnswer {
    body(json!({"DashboardValidationMessages": []}))
}

#[test]
fn dashboard_name_contains_the_region() {
    assert_eq!(dashboard().name(), "demo-dev-overview-eu-central-1");
    assert_eq!(dashboard().arn, "arn:aws:cloudwatch::111111111111:dashboard/demo-dev-overview-eu-central-1");
}

#[test]
fn dashboard_note_carries_tags_and_is_no_drift() {
    let written = note::written(&shown(), &tags());
    let text = written["widgets"][0]["properties"]["markdown"].as_str().expect("a text widget has text");
    assert!(text.ends_with("* `deployer:stack` = `demo`\n* `note` = ``"), "{text}");
    assert_eq!(note::taken(written), (shown(), tags()));
    assert_eq!(note::taken(json!("no JSON")), (json!("no JSON"), Tags::new()));
    assert_eq!(note::taken(json!({"widgets": [7]})).1, Tags::new());
}

#[tokio::test]
async fn dashboard_drift_names_the_path() {
    let mut live = note::written(&shown(), &tags());
    live["widgets"][1]["properties"]["title"] = "Mine".into();
    live["start"] = "-PT6H".into();
    let script = Script::new().on("GetDashboard", kept(&live));
    let read =
        dashboard().read(&script.aws()).await.expect("the read succeeds").expect("the resource exists");
    assert_eq!(read.tags, Some(tags()));
    let changes = diff(&read.resource.state(), &dashboard().state());
    let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(paths, ["body.start", "body.widgets[1].properties.title"]);
}

#[tokio::test]
async fn dashboard_absence_is_recognised_in_both_protocols() {
    for code in ["DashboardNotFoundError", "ResourceNotFound"] {
        let script = Script::new().on("GetDashboard", fault(404, code, "no such dashboard"));
        assert!(
            dashboard().read(&script.aws()).await.expect("a missing dashboard is not an error").is_none()
        );
    }
    let script = Script::new().on("GetDashboard", fault(403, "AccessDenied", "no"));
    assert!(dashboard().read(&script.aws()).await.is_err());
}

#[tokio::test]
async fn unmanaged_dashboard_is_not_replaced_on_create() {
    let script = Script::new().on("GetDashboard", kept(&shown()));
    let error =
        dashboard().create(&scope().tags(), &script.aws()).await.expect_err("the resource is unmanaged");
    assert_eq!(error.class, Class::Exists);
    assert_eq!(script.calls(), ["GetDashboard"]);
    let denied = Script::new().on("GetDashboard", fault(403, "AccessDenied", "no"));
    assert!(dashboard().create(&scope().tags(), &denied.aws()).await.is_err());
    assert_eq!(denied.calls(), ["GetDashboard"]);
}

#[tokio::test]
async fn interrupted_dashboard_create_is_finished() {
    let ours = kept(&note::written(&shown(), &scope().tags()));
    for there in [absent(), ours] {
        let script = Script::new().on("GetDashboard", there).on("PutDashboard", accepted());
        dashboard().create(&scope().tags(), &script.aws()).await.expect("the name is free or owned");
        assert_eq!(script.calls(), ["GetDashboard", "PutDashboard"]);
    }
}

#[tokio::test]
async fn dashboard_update_keeps_the_note_and_tags() {
    let script = Script::new().on("PutDashboard", accepted());
    let live = Dashboard { noted: tags(), body: json!({}), ..dashboard() };
    update(&dashboard(), &live, &script.aws()).await.expect("the update is accepted");
    let asked = script.asked();
    assert!(asked[0].body.contains("* `deployer:stack` = `demo`"), "{}", asked[0].body);
    assert!(asked[0].body.contains("# demo-dev"), "{}", asked[0].body);
}

#[tokio::test]
async fn dashboard_validation_messages_are_errors() {
    let said = json!([{"DataPath": "/widgets/1", "Message": "Unknown metric"}]);
    let script = Script::new().on("PutDashboard", body(json!({"DashboardValidationMessages": said})));
    let error = dashboard().tag(&tags(), &script.aws()).await.expect_err("CloudWatch reports a problem");
    assert!(error.message.ends_with("/widgets/1 Unknown metric"), "{error}");
}

#[test]
fn dashboard_mistakes_are_found_without_a_call() {
    let mistakes = |dashboard: Dashboard| Resource::mistakes(&dashboard, &Neighbours::default());
    assert_eq!(mistakes(dashboard()), Vec::<String>::new());
    let text = shown()["widgets"][0].clone();
    let wrong = [
        Dashboard { name: "n".repeat(256), ..dashboard() },
        Dashboard { name: "a/b".into(), ..dashboard() },
        Dashboard { body: json!({"widgets": []}), ..dashboard() },
        Dashboard { body: json!({"widgets": vec![text; 501]}), ..dashboard() },
    ];
    for dashboard in wrong {
        assert_eq!(mistakes(dashboard.clone()).len(), 1, "{dashboard:?}");
    }
}

#[tokio::test]
async fn dashboard_is_found_without_a_listing() {
    let script = Script::new().on("GetDashboard", kept(&note::written(&shown(), &tags())));
    let listed = Dashboard::list(&scope(), &script.aws()).await.expect("no call is made");
    assert_eq!(listed, [dashboard().name()]);
    assert_eq!(script.calls(), [""; 0]);
    let owner = Dashboard::tags(&listed[0], &script.aws()).await.expect("the read succeeds");
    assert_eq!(owner, Some(tags()));
}

#[test]
fn permissions_are_for_the_one_dashboard() {
    for statement in Dashboard::permissions(&scope()) {
        assert_eq!(statement.resources, [dashboard().arn]);
    }
}
