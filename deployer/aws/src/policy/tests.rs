//! Tables of equal and different policies, and of allowed and denied calls.

use serde_json::{Value, json};

use super::*;

fn policy(statements: &Value) -> Policy {
    Policy::from(json!({"Version": "2012-10-17", "Statement": statements}))
}

fn plain(policy: &Policy) -> Value {
    serde_json::to_value(policy).expect("a policy can be serialized")
}

/// Returns whether two policies are equal, and checks that a diff agrees.
fn equal(one: &Policy, other: &Policy) -> bool {
    assert_eq!(one == other, plain(one) == plain(other), "equality and the serialized form agree");
    one == other
}

const ACCOUNT: &str = "111111111111";
const ROOT: &str = "arn:aws:iam::111111111111:root";

#[test]
fn policies_with_same_meaning_are_equal() {
    let pairs = [
        // A scalar equals a list with one item.
        (json!({"Action": "s3:GetObject"}), json!([{"Action": ["s3:GetObject"]}])),
        (json!({"Resource": "a"}), json!({"Resource": ["a"]})),
        (json!({"NotAction": "s3:*"}), json!({"NotAction": ["s3:*"]})),
        (json!({"NotResource": "a"}), json!({"NotResource": ["a"]})),
        (
            json!({"Principal": {"Service": "lambda.amazonaws.com"}}),
            json!({"Principal": {"Service": ["lambda.amazonaws.com"]}}),
        ),
        // Order and repetition do not count.
        (json!({"Action": ["a:B", "a:C"]}), json!({"Action": ["a:C", "a:B"]})),
        (json!({"Resource": ["b", "a"]}), json!({"Resource": ["a", "b"]})),
        (json!({"Resource": ["a", "a"]}), json!({"Resource": "a"})),
        (json!({"NotAction": ["a:B", "a:C"]}), json!({"NotAction": ["a:C", "a:B", "a:B"]})),
        (
            json!({"Principal": {"AWS": ["222222222222", ACCOUNT]}}),
            json!({"Principal": {"AWS": [ACCOUNT, "222222222222"]}}),
        ),
        (
            json!([{"Sid": "B", "Action": "b:B"}, {"Sid": "A", "Action": "a:A"}]),
            json!([{"Sid": "A", "Action": "a:A"}, {"Sid": "B", "Action": "b:B"}]),
        ),
        (json!([{"Action": "b:B"}, {"Action": "a:A"}]), json!([{"Action": "a:A"}, {"Action": "b:B"}])),
        (json!([{"Action": "a:A"}, {"Action": "a:A"}]), json!({"Action": "a:A"})),
        (
            json!([{"Sid": "S", "Action": "a:A"}, {"Sid": "S", "Action": "b:B"}]),
            json!([{"Sid": "S", "Action": "b:B"}, {"Sid": "S", "Action": "a:A"}]),
        ),
        (json!({"Sid": "", "Action": "a:A"}), json!({"Action": "a:A"})),
        // Names that ignore case.
        (json!({"Action": "S3:getobject"}), json!({"Action": "s3:GetObject"})),
        (json!({"NotAction": "S3:getobject"}), json!({"NotAction": "s3:GetObject"})),
        (
            json!({"Condition": {"StringEquals": {"aws:SourceAccount": "1"}}}),
            json!({"Condition": {"stringequals": {"AWS:sourceaccount": "1"}}}),
        ),
        // Forms of principals.
        (json!({"Effect": "Allow", "Principal": "*"}), json!({"Effect": "Allow", "Principal": {"AWS": "*"}})),
        (json!({"Principal": {"AWS": ACCOUNT}}), json!({"Principal": {"AWS": [ROOT]}})),
        (json!({"NotPrincipal": {"AWS": ACCOUNT}}), json!({"NotPrincipal": {"AWS": ROOT}})),
        (
            json!({"Principal": {"AWS": "arn:aws-cn:iam::111111111111:root"}}),
            json!({"Principal": {"AWS": ACCOUNT}}),
        ),
        // Values of conditions.
        (
            json!({"Condition": {"Bool": {"aws:SecureTransport": false}}}),
            json!({"Condition": {"Bool": {"aws:SecureTransport": ["false"]}}}),
        ),
        (
            json!({"Condition": {"Bool": {"aws:SecureTransport": "False"}}}),
            json!({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}),
        ),
        (
            json!({"Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": 3600}}}),
            json!({"Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}}),
        ),
        (
            json!({"Condition": {"StringLike": {"k": ["b", "a", "a"]}}}),
            json!({"Condition": {"StringLike": {"k": ["a", "b"]}}}),
        ),
        (json!({"Action": "a:A", "Condition": {}}), json!({"Action": "a:A"})),
        (json!({"Action": "a:A", "Condition": {"Bool": {}}}), json!({"Action": "a:A"})),
    ];
    for (one, other) in &pairs {
        assert!(equal(&policy(one), &policy(other)), "{one} and {other}");
    }
}

#[test]
fn policies_with_different_meaning_differ() {
    let pairs = [
        (json!({"Effect": "Allow"}), json!({"Effect": "Deny"})),
        (json!({"Action": "s3:GetObject"}), json!({"NotAction": "s3:GetObject"})),
        (json!({"Action": "s3:GetObject"}), json!({"Action": "s3:PutObject"})),
        (json!({"Action": "s3:GetObject"}), json!({"Action": ["s3:GetObject", "s3:PutObject"]})),
        (json!({"Action": "s3:Get*"}), json!({"Action": "s3:GetObject"})),
        (json!({"Action": "s3:GetObject"}), json!({"Action": "*"})),
        (json!({"Resource": "a"}), json!({"NotResource": "a"})),
        (json!({"Resource": "a"}), json!({"Resource": "A"})),
        (json!({"Resource": "a"}), json!({"Resource": "*"})),
        (json!({"Resource": ["a"]}), json!({"Resource": ["a", "b"]})),
        (json!({"Action": "a:A"}), json!({"Action": "a:A", "Resource": "a"})),
        // Principals.
        (json!({"Principal": {"AWS": ACCOUNT}}), json!({"NotPrincipal": {"AWS": ACCOUNT}})),
        (json!({"Principal": {"AWS": ACCOUNT}}), json!({"Principal": {"AWS": "222222222222"}})),
        (json!({"Principal": {"AWS": ACCOUNT}}), json!({"Principal": "*"})),
        (
            json!({"Principal": {"AWS": ROOT}}),
            json!({"Principal": {"AWS": "arn:aws:iam::111111111111:user/root"}}),
        ),
        (
            json!({"Principal": {"AWS": "arn:aws:iam::111111111111:role/A"}}),
            json!({"Principal": {"AWS": "arn:aws:iam::111111111111:role/a"}}),
        ),
        (
            json!({"Principal": {"Service": "lambda.amazonaws.com"}}),
            json!({"Principal": {"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]}}),
        ),
        (json!({"Principal": {"Service": ACCOUNT}}), json!({"Principal": {"AWS": ACCOUNT}})),
        (json!({"Principal": {"AWS": "*"}}), json!({"Principal": {"Federated": "*"}})),
        (json!({"Effect": "Deny", "Principal": "*"}), json!({"Effect": "Deny", "Principal": {"AWS": "*"}})),
        (
            json!({"Principal": {"AWS": "AROAEXAMPLE1"}}),
            json!({"Principal": {"AWS": "arn:aws:iam::111111111111:role/deleted"}}),
        ),
        // Conditions.
        (json!({"Action": "a:A"}), json!({"Action": "a:A", "Condition": {"Bool": {"k": "true"}}})),
        (
            json!({"Condition": {"StringEquals": {"k": "v"}}}),
            json!({"Condition": {"StringLike": {"k": "v"}}}),
        ),
        (
            json!({"Condition": {"StringEquals": {"k": "v"}}}),
            json!({"Condition": {"StringEqualsIfExists": {"k": "v"}}}),
        ),
        (
            json!({"Condition": {"StringEquals": {"k": "v"}}}),
            json!({"Condition": {"StringEquals": {"k": "V"}}}),
        ),
        (
            json!({"Condition": {"StringEquals": {"k": "v"}}}),
            json!({"Condition": {"StringEquals": {"l": "v"}}}),
        ),
        (
            json!({"Condition": {"StringEquals": {"k": "v"}}}),
            json!({"Condition": {"StringEquals": {"k": ["v", "w"]}}}),
        ),
        (json!({"Condition": {"Bool": {"k": "true"}}}), json!({"Condition": {"Bool": {"k": "false"}}})),
        (
            json!({"Condition": {"StringEquals": {"k": "v", "K": "w"}}}),
            json!({"Condition": {"StringEquals": {"k": "w"}}}),
        ),
        (
            json!({"Condition": {"StringEquals": {"k": "v", "K": "w"}}}),
            json!({"Condition": {"StringEquals": {"k": "v"}}}),
        ),
        (
            json!({"Condition": {"StringEquals": {"k": "v"}}}),
            json!({"Condition": {"StringEquals": {"k": "v"}, "Bool": {"b": "true"}}}),
        ),
        // Statements.
        (json!([{"Action": "a:A"}]), json!([{"Action": "a:A"}, {"Action": "b:B"}])),
        (json!([{"Action": "a:A"}]), json!([])),
        (
            json!([{"Action": "a:A", "Resource": "a"}, {"Action": "b:B", "Resource": "b"}]),
            json!([{"Action": "a:A", "Resource": "b"}, {"Action": "b:B", "Resource": "a"}]),
        ),
        (json!({"Sid": "A", "Action": "a:A"}), json!({"Sid": "B", "Action": "a:A"})),
    ];
    for (one, other) in &pairs {
        assert!(!equal(&policy(one), &policy(other)), "{one} and {other}");
    }
}

#[test]
fn policy_version_counts_and_defaults_to_2008() {
    let of = |version: Value| Policy::from(json!({"Version": version, "Statement": []}));
    assert!(equal(&Policy::from(json!({"Statement": []})), &of(json!("2008-10-17"))));
    assert!(!equal(&of(json!("2012-10-17")), &of(json!("2008-10-17"))));
    // The id of a document does not change its meaning.
    let named = Policy::from(json!({"Version": "2012-10-17", "Id": "default", "Statement": []}));
    assert!(equal(&named, &of(json!("2012-10-17"))));
}

#[test]
fn policy_difference_is_located_in_its_statement() {
    let desired = policy(
        &json!([{"Sid": "Read", "Action": "a:Get"}, {"Sid": "Write", "Action": "a:Put"}, {"Action": "b:B"}]),
    );
    let live =
        policy(&json!([{"Sid": "Read", "Action": "a:*"}, {"Action": "b:B"}, {"Sid": "All", "Action": "*"}]));
    let changes = engine::diff::diff(&plain(&live), &plain(&desired));
    let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(paths, ["statements.All", "statements.Read.Action", "statements.Write"]);
}

#[test]
fn statement_without_unique_sid_is_one_difference() {
    for sid in ["", "S"] {
        let statement = |action| json!({"Sid": sid, "Action": action});
        let desired = policy(&json!([statement("b:B"), statement("c:C")]));
        for added in ["a:A", "b:C", "d:D"] {
            let live = policy(&json!([statement("b:B"), statement(added), statement("c:C")]));
            let changes = engine::diff::diff(&plain(&live), &plain(&desired));
            assert_eq!(changes.len(), 1, "{changes:?}");
            assert_eq!(changes[0].live, json!({"Action": [added.to_lowercase()]}));
            assert!(changes[0].path.starts_with(&format!("statements.{sid}#")), "{changes:?}");
        }
    }
}

#[test]
fn statement_with_colliding_sid_hides_no_other() {
    let alone = plain(&policy(&json!([{"Action": "a:A"}])));
    let given = alone["statements"].as_object().and_then(|statements| statements.keys().next());
    let both = plain(&policy(&json!([{"Action": "a:A"}, {"Sid": given, "Action": "b:B"}])));
    assert_eq!(both["statements"].as_object().map(|statements| statements.len()), Some(2), "{both}");
}

#[test]
fn deleted_principal_is_labelled() {
    let trust = policy(&json!({"Sid": "S", "Principal": {"AWS": ["AROAEXAMPLE1", "AIDAEXAMPLE2", ROOT]}}));
    assert_eq!(
        plain(&trust)["statements"]["S"]["Principal"]["AWS"],
        json!([ACCOUNT, "AIDAEXAMPLE2 (a deleted user)", "AROAEXAMPLE1 (a deleted role)"]),
    );
}

#[test]
fn percent_encoded_policy_is_read() {
    let text = r#"{"Version":"2012-10-17","Statement":[{"Action":"a:B","Resource":"a+b%c"}]}"#;
    let encoded = percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let expected = policy(&json!({"Action": "a:B", "Resource": "a+b%c"}));
    for form in [text, &encoded] {
        assert!(equal(&Policy::parse(form).expect("both forms parse"), &expected), "{form}");
    }
    assert!(Policy::parse("not a policy").is_err());
}

#[test]
fn white_space_is_not_counted() {
    assert_eq!(
        Policy::from(json!({"Statement": [{"Sid": "a b"}]})).length(),
        r#"{"Statement":[{"Sid":"ab"}]}"#.len()
    );
}

#[test]
fn policy_allows_only_matching_actions_and_resources() {
    let stream = "arn:aws:kinesis:eu-central-1:111111111111:stream/demo-dev-events";
    let statements = json!([
        {"Effect": "Allow", "Action": ["kinesis:GetRecords", "kinesis:Describe*"], "Resource": stream},
        {"Effect": "Allow", "Action": "kinesis:ListStreams", "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:?utObject", "Resource": "arn:aws:s3:::b/aws/lambda/*"},
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": {"Bool": {"k": "true"}}},
        {"Effect": "Allow", "NotAction": ["iam:*", "kinesis:*", "s3:*", "kms:*"], "NotResource": "secret"},
        {"Effect": "Deny", "Action": "sns:Publish", "Resource": "*"},
        {"Effect": "Deny", "Action": "sqs:*", "Resource": "*", "Condition": {"Bool": {"k": "true"}}},
    ]);
    let policy = policy(&statements);
    let allowed = [
        ("kinesis:GetRecords", stream),
        ("Kinesis:getrecords", stream),
        ("kinesis:DescribeStreamSummary", stream),
        ("kinesis:ListStreams", "*"),
        ("kinesis:ListStreams", stream),
        ("s3:PutObject", "arn:aws:s3:::b/aws/lambda/x"),
        ("s3:PutObject", "arn:aws:s3:::b/aws/lambda/"),
        ("kms:Decrypt", "k"),
        ("ec2:RunInstances", "i"),
        ("sqs:SendMessage", "q"),
    ];
    for (action, resource) in allowed {
        assert!(policy.allows(action, resource), "{action} on {resource}");
    }
    let denied = [
        ("kinesis:GetShardIterator", stream),
        ("kinesis:GetRecords", "arn:aws:kinesis:eu-central-1:111111111111:stream/demo-dev-events-2"),
        ("kinesis:GetRecords", "*"),
        ("kinesis:GetRecord", stream),
        ("s3:PutObject", "arn:aws:s3:::b/other/x"),
        ("s3:PutObjectAcl", "arn:aws:s3:::b/aws/lambda/x"),
        ("iam:PassRole", "r"),
        ("ec2:RunInstances", "secret"),
        ("sns:Publish", "t"),
    ];
    for (action, resource) in denied {
        assert!(!policy.allows(action, resource), "{action} on {resource}");
    }
    assert!(!Policy::allowing(&[]).allows("a:B", "*"));
}

proptest::proptest! {
    #[test]
    fn pattern_matches_itself_and_starred_prefix_or_suffix(text in "[a-z:/*?-]{0,12}", cut in 0_usize..12) {
        let resource = |pattern: String| {
            policy(&json!({"Effect": "Allow", "Action": "a:B", "Resource": pattern})).allows("a:B", &text)
        };
        let (begins, ends) = text.split_at(cut.min(text.len()));
        for pattern in [text.clone(), [begins, "*"].concat(), ["*", ends].concat()] {
            proptest::prop_assert!(resource(pattern));
        }
    }
}
