//! Handling of Lambda's answers about function URLs, and requests to Lambda.

use engine::diff::diff;
use engine::resource::Described;
use serde_json::{Value, json};

use super::*;
use crate::resources::GrantedOn;
use crate::testing::{Script, ScriptedAnswer, body, fault, scope, update};

const FUNCTION: &str = "demo-dev-capture";
const ADDRESS: &str = "https://abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-central-1.on.aws/";

fn url() -> FunctionUrl {
    FunctionUrl::of(FUNCTION)
}

/// Returns Lambda's answer for the desired URL.
fn configuration(more: Value) -> ScriptedAnswer {
    let mut live = json!({
        "FunctionUrl": ADDRESS,
        "FunctionArn": "arn:aws:lambda:eu-central-1:111111111111:function:demo-dev-capture",
        "AuthType": "AWS_IAM",
        "InvokeMode": "BUFFERED",
        "CreationTime": "2026-11-30T12:00:00Z",
        "LastModifiedTime": "2026-11-30T12:00:00Z",
    });
    let more = more.as_object().expect("the value is an object").clone();
    live.as_object_mut().expect("the value is an object").extend(more);
    body(live)
}

fn absent() -> ScriptedAnswer {
    fault(404, "ResourceNotFoundException", "The resource you requested does not exist.")
}

async fn live(more: Value) -> FunctionUrl {
    let script = Script::new().on("GetFunctionUrlConfig", configuration(more));
    let live = Resource::read(&url(), &script.aws()).await.expect("the read succeeds");
    live.expect("the URL exists").resource
}

#[tokio::test]
async fn url_drift_names_the_field() {
    let paths = |live: &FunctionUrl| -> Vec<String> {
        diff(&live.state(), &url().state()).into_iter().map(|change| change.path).collect()
    };
    let cases = [
        (json!({}), &[][..]),
        // Lambda can answer with empty settings after they were removed.
        (json!({"Cors": {"AllowCredentials": false, "AllowMethods": []}}), &[]),
        (json!({"AuthType": "NONE"}), &["auth_type"]),
        (json!({"InvokeMode": "RESPONSE_STREAM"}), &["invoke_mode"]),
        (json!({"Cors": {"AllowOrigins": ["*"]}}), &["cors"]),
        (json!({"Cors": {"MaxAge": 60}}), &["cors"]),
    ];
    for (more, expected) in cases {
        assert_eq!(paths(&live(more.clone()).await), expected, "{more}");
    }
}

#[tokio::test]
async fn url_header_names_have_no_case() {
    let cors = |name: &str| json!({"Cors": {"AllowHeaders": [name], "ExposeHeaders": [name]}});
    assert_eq!(live(cors("X-Name")).await.cors, live(cors("x-name")).await.cors);
}

#[tokio::test]
async fn absent_url_is_not_an_error() {
    let script = Script::new().on("GetFunctionUrlConfig", absent());
    let found = Resource::read(&url(), &script.aws()).await.expect("the read succeeds");
    assert!(found.is_none());
    assert_eq!(FunctionUrl::address(FUNCTION, &script.aws()).await, Ok(None));
}

#[tokio::test]
async fn url_is_created_for_callers_with_credentials() {
    let script = Script::new().on("CreateFunctionUrlConfig", configuration(json!({})));
    url().create(&scope().tags(), &script.aws()).await.expect("the URL is created");
    let sent = json!({"AuthType": "AWS_IAM", "InvokeMode": "BUFFERED"});
    assert_eq!(script.sent("CreateFunctionUrlConfig"), [sent]);
    assert_eq!(script.writes(), ["CreateFunctionUrlConfig"]);
}

/// An interrupted attempt created it, or it was created by hand with other settings.
#[tokio::test]
async fn existing_url_gets_all_settings() {
    for message in [
        "Failed to create function url config for [functionArn = arn]. Error message:  FunctionUrlConfig exists \
         for this Lambda function",
        "Function URL config already exists for demo-dev-capture",
    ] {
        let script = Script::new()
            .on("CreateFunctionUrlConfig", fault(409, "ResourceConflictException", message))
            .on("UpdateFunctionUrlConfig", configuration(json!({})));
        url().create(&scope().tags(), &script.aws()).await.expect("the URL exists");
        let sent = json!({"AuthType": "AWS_IAM", "InvokeMode": "BUFFERED", "Cors": {}});
        assert_eq!(script.sent("UpdateFunctionUrlConfig"), [sent]);
    }
}

#[tokio::test]
async fn url_by_hand_is_reset() {
    let script = Script::new().on("UpdateFunctionUrlConfig", configuration(json!({})));
    let found = live(json!({"AuthType": "NONE", "Cors": {"AllowOrigins": ["*"]}})).await;
    update(&url(), &found, &script.aws()).await.expect("the URL exists");
    let sent = json!({"AuthType": "AWS_IAM", "InvokeMode": "BUFFERED", "Cors": {}});
    assert_eq!(script.sent("UpdateFunctionUrlConfig"), [sent]);
}

#[tokio::test]
async fn url_deletion_succeeds_without_url() {
    for answer in [body(""), absent()] {
        let script = Script::new().on("DeleteFunctionUrlConfig", answer);
        FunctionUrl::delete(FUNCTION, &script.aws()).await.expect("the URL is gone");
    }
}

/// No call lists the URLs of several functions.
#[tokio::test]
async fn urls_of_own_functions_are_found_one_by_one() {
    let functions = json!({"Functions": [
        {"FunctionName": "demo-dev-archive"}, {"FunctionName": "demo-dev-capture"}, {"FunctionName": "other"},
    ]});
    let script = Script::new()
        .on("ListFunctions", body(functions))
        .on("GetFunctionUrlConfig", absent())
        .on("GetFunctionUrlConfig", configuration(json!({})));
    let found = FunctionUrl::list(&scope(), &script.aws()).await.expect("the functions can be listed");
    assert_eq!(found, [FUNCTION]);
    assert_eq!(script.calls(), ["ListFunctions", "GetFunctionUrlConfig", "GetFunctionUrlConfig"]);
}

#[tokio::test]
async fn denied_read_of_url_does_not_count_as_absent() {
    let denied =
        || fault(403, "AccessDeniedException", "not authorized to perform: lambda:GetFunctionUrlConfig");
    let script = Script::new().on("GetFunctionUrlConfig", denied());
    let error = Resource::read(&url(), &script.aws()).await.expect_err("the read is denied");
    assert_eq!(error.class, Class::Denied);
    let functions = json!({"Functions": [{"FunctionName": FUNCTION}]});
    let script = Script::new().on("ListFunctions", body(functions)).on("GetFunctionUrlConfig", denied());
    assert!(FunctionUrl::list(&scope(), &script.aws()).await.is_err());
}

#[test]
fn url_belongs_to_its_function() {
    let function = ResourceId::new("lambda.function", FUNCTION);
    assert_eq!(Resource::parent(&url()), Some(function.clone()));
    assert_eq!(Resource::needs(&url()), [function]);
}

/// One of the two permissions alone is answered with 403.
#[test]
fn caller_by_url_needs_two_permissions() {
    let function = Function::new(&scope(), "capture", "role", Vec::new());
    let grant = FunctionUrl::call(&function);
    let also = grant.also.expect("there are two statements");
    let of = |statement: &Statement| {
        let (operator, key, value) = statement.conditions[0].clone();
        (statement.sid.clone(), statement.actions[0], operator, key, value)
    };
    let expected = |sid: &str, action, operator, key: &str, value: &str| {
        (sid.to_owned(), action, operator, key.to_owned(), value.to_owned())
    };
    let url = "lambda:FunctionUrlAuthType";
    assert_eq!(
        of(&grant.statement),
        expected("CallCapture", "lambda:InvokeFunctionUrl", "StringEquals", url, "AWS_IAM")
    );
    let via_url = "lambda:InvokedViaFunctionUrl";
    assert_eq!(of(&also), expected("InvokeByUrlCapture", "lambda:InvokeFunction", "Bool", via_url, "true"));
    assert_eq!(grant.on, GrantedOn::Own(ResourceId::new("lambda.url", FUNCTION)));
}
