//! Handling of IAM's answers about roles, and requests to IAM.

use engine::diff::diff;
use engine::resource::Described;
use serde_json::{Value, json};

use super::*;
use crate::testing::{Script, ScriptedAnswer, body, fault, scope, update};

fn grants() -> Policy {
    Policy::allowing(&[Statement::new("Load", ["dynamodb:Query"], ["arn:t".to_owned()])])
}

fn role() -> Role {
    Role::for_service(&scope(), "capture", "lambda.amazonaws.com", grants())
}

/// Returns a document in IAM's encoding.
fn encoded(document: &str) -> String {
    percent_encoding::utf8_percent_encode(document, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn got(trust: &str, tags: &[(&str, &str)], more: &str) -> ScriptedAnswer {
    let tags: String = tags
        .iter()
        .map(|(key, value)| format!("<member><Key>{key}</Key><Value>{value}</Value></member>"))
        .collect();
    body(format!(
        "<GetRoleResponse><GetRoleResult><Role><Path>/demo/dev/eu-central-1/</Path><RoleName>demo-dev-capture-eu-central-1</RoleName>\
         <RoleId>AROA1</RoleId><Arn>arn:aws:iam::111111111111:role/demo/dev/eu-central-1/demo-dev-capture-eu-central-1</Arn>\
         <CreateDate>2026-01-01T00:00:00Z</CreateDate>\
         <AssumeRolePolicyDocument>{}</AssumeRolePolicyDocument><Tags>{tags}</Tags>{more}\
         </Role></GetRoleResult></GetRoleResponse>",
        encoded(trust),
    ))
}

const OURS: &[(&str, &str)] = &[
    ("deployer:stack", "demo"),
    ("deployer:environment", "dev"),
    ("deployer:region", "eu-central-1"),
    ("aws:cloudformation:stack-name", "other-stack"),
];
const DESCRIBED: &str = "<Description>Execution role of demo-dev-capture</Description>";

fn policies(names: &[&str]) -> ScriptedAnswer {
    let names: String = names.iter().map(|name| format!("<member>{name}</member>")).collect();
    body(format!(
        "<ListRolePoliciesResponse><ListRolePoliciesResult><PolicyNames>{names}</PolicyNames>\
         <IsTruncated>false</IsTruncated></ListRolePoliciesResult></ListRolePoliciesResponse>"
    ))
}

fn policy(document: &str) -> ScriptedAnswer {
    body(format!(
        "<GetRolePolicyResponse><GetRolePolicyResult><RoleName>demo-dev-capture</RoleName>\
         <PolicyName>grants</PolicyName><PolicyDocument>{}</PolicyDocument></GetRolePolicyResult>\
         </GetRolePolicyResponse>",
        encoded(document)
    ))
}

fn attached(arns: &[&str]) -> ScriptedAnswer {
    let arns: String = arns
        .iter()
        .map(|arn| format!("<member><PolicyName>p</PolicyName><PolicyArn>{arn}</PolicyArn></member>"))
        .collect();
    body(format!(
        "<ListAttachedRolePoliciesResponse><ListAttachedRolePoliciesResult><AttachedPolicies>{arns}\
         </AttachedPolicies><IsTruncated>false</IsTruncated></ListAttachedRolePoliciesResult>\
         </ListAttachedRolePoliciesResponse>"
    ))
}

fn done(operation: &str) -> ScriptedAnswer {
    body(format!("<{operation}Response></{operation}Response>"))
}

/// Answers with the desired role, after the answers that the script already has.
fn live(script: Script, more: &str) -> Script {
    script
        .on("GetRole", got(&role().trust.to_json(), OURS, &format!("{DESCRIBED}{more}")))
        .on("ListRolePolicies", policies(&["grants"]))
        .on("GetRolePolicy", policy(&grants().to_json()))
        .on("ListAttachedRolePolicies", attached(&[]))
}

async fn read(script: &Script) -> Result<Option<Live<Role>>, Error> {
    Resource::read(&role(), &script.aws()).await
}

fn paths(live: &Role) -> Vec<String> {
    diff(&live.state(), &role().state()).into_iter().map(|change| change.path).collect()
}

#[tokio::test]
async fn role_as_desired_has_no_drift() {
    let found = read(&live(Script::new(), "")).await.expect("the read succeeds").expect("the role exists");
    assert_eq!(paths(&found.resource), Vec::<String>::new());
    assert_eq!(found.identity.as_deref(), Some("AROA1"));
    let another_form = r#"{"Statement":{"Resource":"arn:t","Action":"DynamoDB:query","Effect":"Allow","Sid":"Load"},"Version":"2012-10-17"}"#;
    let script = live(Script::new().on("GetRolePolicy", policy(another_form)), "");
    assert_eq!(
        paths(&read(&script).await.expect("the read succeeds").expect("the role exists").resource),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn role_drift_names_the_field() {
    let boundary = "<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>\
                    <PermissionsBoundaryArn>arn:b</PermissionsBoundaryArn></PermissionsBoundary>";
    let wider = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Load","Effect":"Allow","Action":"dynamodb:*","Resource":"arn:t"}]}"#;
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#;
    let cases = [
        (live(Script::new(), boundary), vec!["permissions_boundary"]),
        (live(Script::new(), "<MaxSessionDuration>7200</MaxSessionDuration>"), vec!["max_session_seconds"]),
        (
            live(Script::new().on("ListAttachedRolePolicies", attached(&["arn:p"])), ""),
            vec!["managed_policies"],
        ),
        (
            live(Script::new().on("GetRolePolicy", policy(wider)), ""),
            vec!["inline_policies.grants.statements.Load.Action"],
        ),
        (live(Script::new().on("ListRolePolicies", policies(&[])), ""), vec!["inline_policies.grants"]),
        (
            live(Script::new().on("ListRolePolicies", policies(&["grants", "more"])), ""),
            vec!["inline_policies.more"],
        ),
        (
            live(Script::new().on("GetRole", got(trust, OURS, DESCRIBED)), ""),
            vec!["trust.statements.#d07e21c0", "trust.statements.Service"],
        ),
        (live(Script::new().on("GetRole", got(&role().trust.to_json(), OURS, "")), ""), vec!["description"]),
    ];
    for (script, expected) in cases {
        assert_eq!(
            paths(&read(&script).await.expect("the read succeeds").expect("the role exists").resource),
            expected
        );
    }
}

#[tokio::test]
async fn role_absence_is_decided_by_get_role() {
    let gone = || fault(404, "NoSuchEntity", "gone");
    let script = Script::new()
        .on("GetRole", gone())
        .on("ListRolePolicies", gone())
        .on("ListAttachedRolePolicies", gone());
    assert!(read(&script).await.expect("the read succeeds").is_none());
    // Created a moment ago: not known to all of IAM.
    let script = live(Script::new().on("ListRolePolicies", gone()), "");
    assert_eq!(read(&script).await.expect_err("the role is not known yet").class, Class::Propagating);
    // Deleted between the listing and the read.
    let script = live(Script::new().on("GetRolePolicy", gone()), "");
    assert_eq!(
        paths(&read(&script).await.expect("the read succeeds").expect("the role exists").resource),
        ["inline_policies.grants"]
    );
}

#[tokio::test]
async fn unmanaged_role_is_not_adopted_on_create() {
    let exists = || fault(409, "EntityAlreadyExists", "it exists");
    let theirs = Script::new().on("GetRole", got("{}", &[("owner", "them")], ""));
    let script = live(theirs.on("CreateRole", exists()), "");
    let error = role().create(&scope().tags(), &script.aws()).await.expect_err("the resource is unmanaged");
    assert_eq!(error.class, Class::Exists);
    assert_eq!(script.writes(), ["CreateRole"]);
}

#[tokio::test]
async fn role_that_exists_but_is_not_found_is_retried() {
    let script = Script::new()
        .on("CreateRole", fault(409, "EntityAlreadyExists", "it exists"))
        .on("GetRole", fault(404, "NoSuchEntity", "not known here yet"));
    let script = live(script, "");
    let error = role().create(&scope().tags(), &script.aws()).await.expect_err("the role is not known yet");
    assert!(error.class.passes(), "{error:?}");
}

#[tokio::test]
async fn interrupted_role_create_is_finished() {
    let script = Script::new()
        .on("CreateRole", fault(409, "EntityAlreadyExists", "it exists"))
        .on("ListRolePolicies", policies(&[]))
        .on("PutRolePolicy", done("PutRolePolicy"))
        .on("UpdateRole", done("UpdateRole"))
        .on(
            "GetRole",
            got(&role().trust.to_json(), OURS, "<Description>of an earlier release</Description>"),
        );
    let script = live(script, "");
    role().create(&scope().tags(), &script.aws()).await.expect("the resource is owned");
    assert_eq!(script.writes(), ["CreateRole", "UpdateRole", "PutRolePolicy"]);
}

#[tokio::test]
async fn role_description_to_clear_is_sent_empty() {
    let desired = Role { description: String::new(), ..role() };
    let script = Script::new().on("UpdateRole", done("UpdateRole"));
    update(&desired, &role(), &script.aws()).await.expect("the update succeeds");
    assert!(script.asked()[0].body.contains("Description=&"), "{}", script.asked()[0].body);
}

#[tokio::test]
async fn role_drift_is_repaired() {
    let live = Role {
        trust: Policy::trusting("ec2.amazonaws.com"),
        inline_policies: [("more".to_owned(), grants())].into(),
        managed_policies: ["arn:p".to_owned()].into(),
        permissions_boundary: Some("arn:b".to_owned()),
        max_session_seconds: 7200,
        ..role()
    };
    let operations = [
        "UpdateAssumeRolePolicy",
        "UpdateRole",
        "DeleteRolePermissionsBoundary",
        "PutRolePolicy",
        "DeleteRolePolicy",
        "DetachRolePolicy",
    ];
    let script =
        operations.iter().fold(Script::new(), |script, operation| script.on(operation, done(operation)));
    update(&role(), &live, &script.aws()).await.expect("the update succeeds");
    assert_eq!(script.writes(), operations);
    let script = Script::new();
    update(&role(), &role(), &script.aws()).await.expect("there is nothing to do");
    assert!(script.calls().is_empty());
}

#[tokio::test]
async fn role_is_emptied_before_deletion() {
    let script = Script::new()
        .on("ListRolePolicies", policies(&["grants", "more"]))
        .on("ListAttachedRolePolicies", attached(&["arn:p"]))
        .on("DetachRolePolicy", done("DetachRolePolicy"))
        .on("DeleteRolePolicy", fault(404, "NoSuchEntity", "gone meanwhile"))
        .on(
            "DeleteRole",
            fault(409, "DeleteConflict", "Cannot delete entity, must detach all policies first."),
        )
        .on(
            "DeleteRole",
            fault(
                409,
                "DeleteConflict",
                "Cannot delete entity, must remove roles from instance profile first.",
            ),
        )
        .on("DeleteRole", fault(404, "NoSuchEntity", "gone"));
    let aws = script.aws();
    let passing =
        Role::delete("demo-dev-capture", &aws).await.expect_err("the policies are not detached yet");
    assert_eq!(passing.class, Class::InProgress);
    assert_eq!(script.writes(), ["DetachRolePolicy", "DeleteRolePolicy", "DeleteRolePolicy", "DeleteRole"]);
    let stays = Role::delete("demo-dev-capture", &aws).await.expect_err("the role is in an instance profile");
    assert!(!stays.class.passes() && stays.hint.expect("the error has a hint").contains("instance profile"));
    Role::delete("demo-dev-capture", &aws).await.expect("deleting a missing role succeeds");
}

#[test]
fn role_mistakes_are_found_without_a_call() {
    let mistakes = |role: Role| Resource::mistakes(&role, &Neighbours::default());
    assert_eq!(mistakes(role()), Vec::<String>::new());
    let long = |length: usize| {
        let document: Value = json!({"Statement": [{"Sid": "x".repeat(length)}]});
        Policy::from(document)
    };
    let wrong = [
        Role { name: "n".repeat(65), ..role() },
        Role { trust: long(2_048), ..role() },
        Role { inline_policies: [("a".into(), long(5_200)), ("b".into(), long(5_200))].into(), ..role() },
        Role { max_session_seconds: 60, ..role() },
    ];
    for role in wrong {
        assert_eq!(mistakes(role.clone()).len(), 1, "{:?}", mistakes(role.clone()));
    }
}

#[test]
fn permissions_end_at_the_environments_path() {
    for statement in Role::permissions(&scope()) {
        let there = "arn:aws:iam::111111111111:role/demo/dev/eu-central-1/*";
        // A missing role has a name, but no path that IAM could know.
        let missing = "arn:aws:iam::111111111111:role/demo-dev-*-eu-central-1";
        let on = match statement.sid.as_str() {
            "RolesList" => vec!["*"],
            "RolesRead" => vec![there, missing],
            _ => vec![there],
        };
        assert_eq!(statement.resources, on);
        assert!(statement.actions.is_sorted());
    }
}

#[test]
fn role_policies_are_imported_with_the_role() {
    let read_only = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess".to_owned();
    let role = Role { managed_policies: [read_only.clone()].into(), ..role() };
    let name = "demo-dev-capture-eu-central-1";
    let inline = ImportId::new("aws_iam_role_policy", format!("{name}:grants"));
    let attached = ImportId::new("aws_iam_role_policy_attachment", format!("{name}/{read_only}"));
    assert_eq!(
        Resource::import_ids(&role),
        [ImportId::new("aws_iam_role", name), inline.of_part("grants"), attached.of_part("ViewOnlyAccess")]
    );
}
