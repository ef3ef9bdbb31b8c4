//! The report at the end of a run with many failures.

use std::time::Duration;

use cli::render::failures;
use engine::apply::{ApplyReport, Failure, StepOutcome};
use engine::error::{Class, Error};
use engine::plan::Action;
use engine::resource::ResourceId;

fn outcome(kind: &'static str, name: &str, action: Action, result: Result<(), Failure>) -> StepOutcome {
    StepOutcome { id: ResourceId::new(kind, name), action, result, took: Duration::from_secs(1), sent: true }
}

fn text_of(outcomes: Vec<StepOutcome>) -> String {
    anstream::adapter::strip_str(&failures(&ApplyReport { outcomes })).to_string()
}

fn expired(request: &str) -> Failure {
    Failure::Failed(Error {
        class: Class::Credentials,
        operation: "CreateLogGroup".into(),
        code: Some("ExpiredTokenException".into()),
        message: "The security token included in the request is expired".into(),
        request_id: Some(request.into()),
        awaited: None,
        patience: None,
        tried_for: None,
        hint: Some("log in again, then run the command again; it continues from there".into()),
    })
}

#[test]
fn failures_are_listed_with_their_cause() {
    let denied = Error {
        class: Class::Denied,
        operation: "CreateRole".into(),
        code: Some("AccessDenied".into()),
        message: "User: arn:aws:sts::111111111111:assumed-role/deployer/me is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::111111111111:role/demo/dev/eu-central-1/demo-dev-capture-eu-central-1 because no permissions boundary allows the iam:CreateRole action\u{1b}[2J".into(),
        request_id: Some("5f1c7a0e-1111-2222-3333-444455556666".into()),
        awaited: None,
        patience: None,
        tried_for: None,
        hint: Some("set `permissions_boundary` in the table `[org]` of the environment file".into()),
    };
    let skipped = |kind, name: &str| Failure::Skipped(ResourceId::new(kind, name));
    let (role, function) = ("iam.role", "lambda.function");
    let (group, mapping) = ("logs.log-group", "lambda.event-source-mapping");
    let text = text_of(vec![
        outcome(role, "demo-dev-capture", Action::Create, Err(Failure::Failed(denied))),
        outcome(role, "demo-dev-archive", Action::Create, Ok(())),
        outcome(function, "demo-dev-capture", Action::Create, Err(skipped(role, "demo-dev-capture"))),
        outcome(
            mapping,
            "demo-dev-capture/dynamodb/demo-dev-events",
            Action::Create,
            Err(skipped(function, "demo-dev-capture")),
        ),
        outcome(group, "/aws/lambda/a", Action::Create, Err(expired("11111111"))),
        outcome(group, "/aws/lambda/b", Action::Update, Err(expired("22222222"))),
        outcome("dynamodb.table", "demo-dev-events", Action::Create, Err(Failure::Interrupted)),
        outcome(
            function,
            "demo-dev-get-demo",
            Action::Create,
            Err(skipped("dynamodb.table", "demo-dev-events")),
        ),
        outcome("s3.bucket", "demo-dev-archive", Action::Create, Err(Failure::Stopped)),
        outcome(function, "demo-dev-archive", Action::Create, Err(skipped("s3.bucket", "demo-dev-archive"))),
        outcome(
            "kinesis.stream",
            "demo-dev-events",
            Action::Delete,
            Err(Failure::Failed(Error::other("wait", "waited 300 s for the stream to be gone"))),
        ),
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn failure_report_is_empty_without_failures() {
    assert_eq!(text_of(vec![outcome("iam.role", "a", Action::Create, Ok(()))]), "");
}
