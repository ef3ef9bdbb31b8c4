//! The demands of an organisation apply to every resource, also in a personal environment.

use std::fs;

use acceptance::Cloud;
use aws::AwsNames;
use engine::release::ReleaseRecord;

use crate::Test;

pub(crate) const TESTS: &[Test] =
    &[("personal_environment_meets_organisation_demands", personal_environment_meets_organisation_demands)];

const ANYTHING: &str =
    r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;

/// Deploys by assuming a role, with a permissions boundary and tags; then checks the resources with raw
/// calls.
fn personal_environment_meets_organisation_demands(cloud: &Cloud) {
    let place = cloud.place();
    let account = &place.account;
    let aws = place.aws("ann");
    let trust = format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {{"AWS": "{account}"}}, "Condition": {{"StringEquals": {{"sts:ExternalId": "carts"}}}}}}}}"#,
    );
    cloud.wait(async {
        let policy = aws.iam.create_policy().policy_name("boundary").policy_document(ANYTHING);
        policy.send().await.expect("root can create a policy");
        let role = aws.iam.create_role().role_name("deployer").assume_role_policy_document(trust);
        role.send().await.expect("root can create a role");
        let allowed = aws.iam.put_role_policy().role_name("deployer").policy_name("all");
        allowed.policy_document(ANYTHING).send().await.expect("root can write a policy");
    });
    let boundary = format!("arn:aws:iam::{account}:policy/boundary");
    place.environment(
        "acme",
        &format!(
            "[org]\npermissions_boundary = \"{boundary}\"\n[org.tags]\ncost-center = \"4711\"\nowner = \"acme\"\n\
             [org.assume_role]\narn = \"arn:aws:iam::{account}:role/deployer\"\nexternal_id = \"carts\"\n\
             [local]\nport = 4566\n",
        ),
    );
    let personal = "extends = \"acme\"\n[org.tags]\nowner = \"ann\"\n";
    fs::write(place.environments().join("ann.toml"), personal).expect("a new folder is writable");

    place.deploys(&["up", "ann", "--yes"]);

    let scope = place.scope("ann");
    cloud.wait(async {
        let roles = aws.iam.list_roles().path_prefix(scope.role_path()).send().await;
        let roles = roles.expect("root can list roles").roles;
        assert_eq!(roles.len(), cloud.functions().len(), "a role for each function");
        for role in roles {
            let role = aws.iam.get_role().role_name(role.role_name).send().await;
            let role = role.expect("root can read a role").role.expect("the role was listed");
            let bounded =
                role.permissions_boundary().and_then(|boundary| boundary.permissions_boundary_arn());
            assert_eq!(bounded, Some(boundary.as_str()), "{}", role.role_name());
            let tag = |key: &str| {
                let tag = role.tags().iter().find(|tag| tag.key() == key);
                tag.map(|tag| tag.value().to_owned())
            };
            assert_eq!(tag("cost-center").as_deref(), Some("4711"), "{}", role.role_name());
            assert_eq!(tag("owner").as_deref(), Some("ann"), "{}", role.role_name());
        }
        let table = scope.arn("dynamodb", &format!("table/{}", scope.name("events")));
        let tags = aws.dynamodb.list_tags_of_resource().resource_arn(table).send().await;
        let tags = tags.expect("root can read tags").tags.unwrap_or_default();
        assert!(tags.iter().any(|tag| (tag.key(), tag.value()) == ("owner", "ann")), "{tags:?}");
        // The deployer used the role, with a user that CloudTrail would show.
        let record =
            aws.last_release().await.expect("root can read the record").expect("there is a record").release;
        assert!(record.by.contains(":assumed-role/deployer/deployer-"), "{record:?}");
    });
    let drift = place.deployer(&["drift", "ann"]);
    assert_eq!(drift.code, Some(0), "{drift:#?}");

    // The organisation's settings are compared like all others.
    cloud.wait(async {
        let call = aws.iam.delete_role_permissions_boundary().role_name(scope.role_name("capture"));
        call.send().await.expect("root can remove a boundary");
    });
    let drift = place.deployer(&["drift", "ann", "--format", "json"]);
    assert_eq!(drift.code, Some(3), "{drift:#?}");
    assert!(drift.stdout.contains("permissions_boundary"), "{drift:#?}");
}
