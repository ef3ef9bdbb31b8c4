use super::*;
use crate::environment::AppSettings;

fn statement(sid: &str, actions: &[&'static str], resource: &str) -> Statement {
    Statement::new(sid, actions, [resource.to_owned()])
}

/// Returns an environment with these tables.
fn environment(tables: &str) -> Environment {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let text = format!("region = \"eu-central-1\"\naccount = \"111111111111\"\n{tables}");
    std::fs::write(folder.path().join("dev.toml"), text).expect("a new folder can be written");
    Environment::load(folder.path(), "dev", AppSettings::NONE).expect("the environment file is valid")
}

#[test]
fn statements_that_differ_in_actions_only_become_one() {
    let all = merged(vec![
        statement("TablesList", &["dynamodb:ListTables"], "*"),
        statement("TablesRead", &["dynamodb:DescribeTable"], "table"),
        statement("TablesWrite", &["dynamodb:UpdateTable", "dynamodb:DescribeTable"], "table"),
        statement("RolesList", &["iam:ListRoles"], "*"),
        statement("RolesPass", &["iam:PassRole"], "*").when("StringEquals", "iam:PassedToService", "lambda"),
    ]);
    let said: Vec<_> = all.iter().map(|one| (one.sid.as_str(), one.actions.clone())).collect();
    assert_eq!(
        said,
        [
            ("List", vec!["dynamodb:ListTables", "iam:ListRoles"]),
            ("Tables", vec!["dynamodb:DescribeTable", "dynamodb:UpdateTable"]),
            ("RolesPass", vec!["iam:PassRole"]),
        ],
    );
}

#[test]
fn statement_names_stay_unique() {
    let all = merged(vec![statement("Same", &["a:A"], "one"), statement("Same", &["a:A"], "other")]);
    assert_eq!(all.iter().map(|one| one.sid.as_str()).collect::<Vec<_>>(), ["Same", "Same2"]);
}

#[test]
fn boundary_is_required_to_create_roles() {
    let write = statement("RolesWrite", &["iam:CreateRole", "iam:TagRole", DELETE_BOUNDARY], "role");
    let [free, under] =
        bounded(write, "arn:aws:iam::111111111111:policy/boundary").try_into().expect("two statements");
    assert_eq!(free.actions, ["iam:TagRole"]);
    assert!(free.conditions.is_empty());
    assert_eq!(under.actions, ["iam:CreateRole"]);
    let condition = &under.conditions[0];
    assert_eq!((condition.0, condition.1.as_str()), ("StringEquals", "iam:PermissionsBoundary"));
    assert_eq!(condition.2, "arn:aws:iam::111111111111:policy/boundary");
}

#[test]
fn read_only_policy_allows_only_reads() {
    let all = vec![
        statement("BucketsRead", &["s3:GetLifecycleConfiguration", "s3:ListAllMyBuckets"], "*"),
        statement("BucketsWrite", &["s3:PutBucketPolicy", "s3:ListBucketVersions"], "*"),
        statement("Filters", &["logs:DescribeMetricFilters", "logs:PutMetricFilter"], "*"),
    ];
    let actions = |all: &[Statement]| all.iter().flat_map(|one| one.actions.clone()).collect::<Vec<_>>();
    let ours = ["s3:GetLifecycleConfiguration", "s3:ListAllMyBuckets"];
    assert_eq!(actions(&reading(all.clone(), &[])), ours);
    let extra = reading(all, &["DescribeMetricFilters"]);
    assert_eq!(actions(&extra), [&["logs:DescribeMetricFilters"], &ours[..]].concat());
}

#[test]
fn read_only_policy_allows_every_read_call() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../environments");
    let environment =
        Environment::load(&folder, "dev", AppSettings::NONE).expect("a committed environment is valid");
    let stack = Stack::new(environment.scope("demo"), aws::resources::kinds());
    let allowed = looking(&environment, &stack);
    let allowed: BTreeSet<&str> =
        allowed.iter().flat_map(|statement| &statement.actions).map(|action| operation(action)).collect();
    let not: Vec<_> = READS.iter().filter(|read| !allowed.contains(**read)).collect();
    // `GetCallerIdentity` needs no permission; `HeadBucket` needs the same one as `ListObjectsV2`.
    let said = "no action of the read-only policy has the name of these calls: see `operation`";
    assert_eq!(not, [&"GetCallerIdentity", &"ListObjectsV2"], "{said}");
}

#[test]
fn statement_names_are_dropped_in_a_large_policy() {
    let of = |number: usize| {
        let resources =
            (0..number).map(|number| statement("Read", &["s3:ListBucket"], &format!("{number:0100}")));
        document(
            &resources
                .map(|one| Statement { sid: format!("Read{}", one.resources[0]), ..one })
                .collect::<Vec<_>>(),
        )
    };
    let (few, many) = (of(2), of(25));
    assert!(few["Statement"][0]["Sid"].is_string() && many["Statement"][0]["Sid"].is_null(), "{many}");
    assert!(size(&many) <= MANAGED_POLICY);
}

#[test]
fn large_policy_is_printed_in_parts_that_fit() {
    let of = |number: usize| -> Vec<Statement> {
        let resources = (0..number).map(|number| format!("{number:0100}"));
        resources
            .map(|resource| Statement {
                sid: format!("Read{resource}"),
                ..statement("", &["s3:ListBucket"], &resource)
            })
            .collect()
    };
    assert_eq!(
        documents(&of(25)),
        [document(&of(25))],
        "one policy is enough without the names of statements"
    );
    let statements = of(90);
    let parts = documents(&statements);
    assert_eq!(parts.len(), 3);
    assert!(parts.iter().all(|part| size(part) <= MANAGED_POLICY));
    let resources = parts.iter().flat_map(|part| part["Statement"].as_array().cloned().unwrap_or_default());
    let resources: BTreeSet<String> =
        resources.map(|one| one["Resource"].as_str().unwrap_or_default().to_owned()).collect();
    let all = statements.iter().map(|statement| statement.resources[0].clone()).collect();
    assert_eq!(resources, all, "no statement is lost");
}

/// A function whose variables cannot be decrypted cannot be read, and that stops `up`.
#[test]
fn deploy_policy_allows_decrypting_with_former_keys() {
    let [old, new] = ["old", "new"].map(|id| format!("arn:aws:kms:eu-central-1:111111111111:key/{id}"));
    let environment = environment(&format!("[org.kms]\ndefault = \"{new}\"\nformer = [\"{old}\"]\n"));
    let all = keys(&environment, &environment.scope("demo"));
    let on_old = all.iter().filter(|statement| statement.resources == [old.as_str()]);
    let on_old: Vec<_> =
        on_old.map(|statement| (&statement.actions[..], &statement.conditions[0].2)).collect();
    assert_eq!(on_old, [(&["kms:Decrypt"][..], &"lambda.eu-central-1.amazonaws.com".to_owned())]);
}

#[test]
fn deploy_policy_lets_functions_use_networks_and_layers() {
    let environment = environment("");
    let scope = environment.scope("demo");
    let layer = "arn:aws:lambda:eu-central-1:111111111111:layer:tools:3";
    let actions = |function: Function| {
        let mut stack = Stack::new(scope.clone(), Vec::new());
        stack.add(function);
        let in_policy =
            |of: Vec<Statement>| of.into_iter().flat_map(|one| one.actions).collect::<BTreeSet<_>>();
        (in_policy(deploying(&environment, &stack)), in_policy(looking(&environment, &stack)))
    };
    let function = || Function::new(&scope, "f", "arn:aws:iam::111111111111:role/f", Vec::new());
    let (plain, read_only) = actions(function());
    let (all, read_only_of_all) =
        actions(function().layers([layer.to_owned()]).subnets(["subnet-1".to_owned()]));
    let added =
        ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs", "lambda:GetLayerVersion"];
    assert_eq!(all.difference(&plain).copied().collect::<Vec<_>>(), added);
    assert_eq!(read_only_of_all, read_only);
}
