//! Functions with a URL: `up` prints the address and a command that calls it, signed requests get the answers
//! of `invoke`, and unsigned ones are refused.
//!
//! The tests run `curl`, which signs requests. MiniStack refuses requests that are not signed, and callers
//! without the permission `lambda:InvokeFunctionUrl`. Like AWS it knows the condition on that permission, but it
//! does not require `lambda:InvokeFunction`, which AWS does.

use std::process::Command;

use acceptance::{Aside, Cloud, Place};
use aws::AwsNames;
use aws_sdk_iam::types::AccessKey;
use serde_json::{Value, json};

use crate::Test;

pub(crate) const TESTS: &[Test] = &[
    ("url_answers_signed_requests_like_invoke", url_answers_signed_requests_like_invoke),
    ("url_removed_from_the_environment_is_pruned", url_removed_from_the_environment_is_pruned),
];

const WITH_URLS: &str =
    "[functions.get-cart]\nurl = true\n\n[functions.open-cart]\nurl = true\n\n[local]\nport = 4566\n";

fn url_answers_signed_requests_like_invoke(cloud: &Cloud) {
    // Other tests end the processes of functions with the same names.
    let aside: Aside = cloud.aside().expect("another local cloud can be started");
    let place = aside.place();
    place.environment("local", WITH_URLS);
    let said = place.deploys(&["up", "local"]).stderr;
    let signed = |function: &str| {
        let mut lines = said.lines().skip_while(|line| !line.starts_with(&format!("{function} answers at ")));
        lines.nth(1).unwrap_or_else(|| panic!("{function} has no address: {said}")).trim().to_owned()
    };
    let (open_cart, get_cart) = (signed("open-cart"), signed("get-cart"));
    let root = (place.account.as_str(), "test");

    let command_id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let opening = json!({"command_id": command_id});
    let (status, opened) = call(&open_cart, root, &opening);
    assert_eq!((status, &opened["status"]), (200, &json!("open")), "{opened}");
    assert_eq!(place.invoke("local", "open-cart", &opening), opened, "it is the same command");
    let question = json!({"cart_id": opened["cart_id"]});
    assert_eq!(call(&get_cart, root, &question), (200, opened));

    let (status, refused) = call(&get_cart, root, &json!({}));
    assert_eq!((status, &refused["error"]), (400, &json!("InvalidRequest")), "{refused}");
    assert_eq!(refused, place.invoke("local", "get-cart", &json!({})));
    let (status, missing) = call(&get_cart, root, &json!({"cart_id": command_id}));
    assert_eq!((status, &missing["error"]), (404, &json!("CartNotFound")), "{missing}");

    let address = get_cart.rsplit(' ').next().expect("the address is the last word");
    assert_eq!(call(&format!("curl --json '{{}}' {address}"), root, &question).0, 403);
    callers_need_permission(&place, &get_cart, &question);
}

/// A user without a policy is refused. The documented policy lets the user call this function only.
fn callers_need_permission(place: &Place<'_>, get_cart: &str, question: &Value) {
    let aws = place.aws("local");
    let key: AccessKey = place.cloud.wait(async {
        aws.iam.create_user().user_name("caller").send().await.expect("root may create users");
        let key = aws.iam.create_access_key().user_name("caller").send().await.expect("the user exists");
        key.access_key.expect("the key was created")
    });
    let caller = (key.access_key_id(), key.secret_access_key());
    assert_eq!(call(get_cart, caller, question).0, 403);
    for (function, status) in [("open-cart", 403), ("get-cart", 200)] {
        let arn = aws.scope.arn("lambda", &format!("function:{}", aws.scope.name(function)));
        let put = aws.iam.put_user_policy().user_name("caller").policy_name("url");
        let put = put.policy_document(documented(&place.cloud.root().join("docs/resources.md"), &arn));
        place.cloud.wait(put.send()).expect("the document is a policy");
        assert_eq!(call(get_cart, caller, question).0, status, "with permission for {function}");
    }
}

/// Returns the policy for callers in the documentation, for this function.
fn documented(page: &std::path::Path, arn: &str) -> String {
    let page = std::fs::read_to_string(page).expect("the page is committed");
    let (_, section) = page.split_once("## lambda.url\n").expect("the page has the section");
    let (_, policy) = section.split_once("```json\n").expect("the section has a policy");
    let (policy, _) = policy.split_once("```").expect("the policy ends");
    policy.replace("arn:aws:lambda:eu-central-1:111111111111:function:cart-dev-get-cart", arn)
}

fn url_removed_from_the_environment_is_pruned(cloud: &Cloud) {
    let place = cloud.place();
    place.environment("local", WITH_URLS);
    place.deploys(&["up", "local"]);
    assert_eq!(place.deployer(&["drift", "local"]).code, Some(0));
    place.environment("local", "[local]\nport = 4566\n");
    let drift = place.only_reads(&["drift", "local", "--format", "json"]);
    assert_eq!(drift.code, Some(6), "{drift:#?}");
    assert!(drift.stdout.contains("lambda.url/cart-local-get-cart"), "{drift:#?}");
    place.deploys(&["up", "local", "--prune"]);
    assert_eq!(place.deployer(&["drift", "local"]).code, Some(0));
    assert!(!place.inventory().keys().any(|name| name.starts_with("url ")));
}

/// Runs a command that calls a URL, with these credentials and this request instead of an empty one. Returns
/// the status and the body of the response.
fn call(command: &str, (key, secret): (&str, &str), request: &Value) -> (u16, Value) {
    let command = command.replace("--json '{}'", &format!("--json '{request}'"));
    let output = Command::new("sh")
        .args(["-c", &format!("{command} --silent --show-error --write-out '\\n%{{http_code}}'")])
        .env("AWS_ACCESS_KEY_ID", key)
        .env("AWS_SECRET_ACCESS_KEY", secret)
        .env_remove("AWS_SESSION_TOKEN")
        .output()
        .expect("a shell can be started");
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command}: {errors}");
    let (body, status) = said.rsplit_once('\n').expect("the status is on a line of its own");
    (status.parse().expect("a status is a number"), serde_json::from_str(body).unwrap_or_default())
}
