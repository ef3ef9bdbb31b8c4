use aws_credential_types::Credentials as Keys;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_sts::config::{BehaviorVersion, Region};

use super::*;
use crate::Called;

/// Returns the hint for an error of this class, with this code and message.
fn hint_for(operation: &str, class: Class, code: &str, message: &str) -> String {
    let code = Some(code).filter(|code| !code.is_empty());
    let said = Said::new(operation, class, code, Some(400), message);
    hint(&said).unwrap_or_else(|| "-".to_owned())
}

#[test]
fn denial_hints_name_who_can_grant_access() {
    let user = "User: arn:aws:sts::111111111111:assumed-role/ci/x is not authorized to perform: ";
    let cases = [
        (
            "CreateTable",
            "dynamodb:CreateTable with an explicit deny in a service control policy: arn:aws:organizations",
        ),
        (
            "CreateTable",
            "dynamodb:CreateTable because no service control policy allows the dynamodb:CreateTable action",
        ),
        ("PutObject", "s3:PutObject with an explicit deny in a resource control policy"),
        (
            "CreateTable",
            "dynamodb:CreateTable because no permissions boundary allows the dynamodb:CreateTable action",
        ),
        ("CreateTable", "dynamodb:CreateTable with an explicit deny in a permissions boundary"),
        (
            "CreateTable",
            "dynamodb:CreateTable because no session policy allows the dynamodb:CreateTable action",
        ),
        (
            "CreateTable",
            "dynamodb:CreateTable because no VPC endpoint policy allows the dynamodb:CreateTable action",
        ),
        ("PutBucketPolicy", "s3:PutBucketPolicy with an explicit deny in a resource-based policy"),
        (
            "CreateFunction",
            "iam:PassRole on resource: r because no identity-based policy allows the iam:PassRole action",
        ),
        (
            "CreateRole",
            "iam:CreateRole on resource: r because no identity-based policy allows the iam:CreateRole action",
        ),
        ("CreateTable", "kms:CreateGrant with an explicit deny in a service control policy"),
        ("CreateTable", "kms:CreateGrant because no resource-based policy allows the kms:CreateGrant action"),
        ("StartStreamEncryption", "kms:GenerateDataKey on this resource"),
        (
            "CreateTable",
            "dynamodb:CreateTable because no identity-based policy allows the dynamodb:CreateTable action",
        ),
    ];
    let said: Vec<String> = cases
        .iter()
        .map(|(operation, message)| {
            let hint =
                hint_for(operation, Class::Denied, "AccessDeniedException", &format!("{user}{message}"));
            format!("{operation}: {message}\n  {hint}")
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn fixable_errors_have_a_hint() {
    use Class::*;
    let cases = [
        ("GetRole", Credentials, "ExpiredToken", "The security token included in the request is expired"),
        (
            "GetRole",
            Credentials,
            "",
            "an error occurred while loading credentials: the SSO session has expired",
        ),
        (
            "GetRole",
            Credentials,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        ),
        (
            "GetTable",
            Credentials,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        (
            "GetRole",
            Credentials,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match",
        ),
        ("GetRole", Credentials, "SignatureDoesNotMatch", "Signature expired: 2026 is now earlier than 2027"),
        (
            "GetRole",
            Credentials,
            "",
            "loading credentials: User u is not authorized to perform: sts:AssumeRole",
        ),
        (
            "GetRole",
            Credentials,
            "",
            "the credentials provider was not properly configured: profile `x` was not defined",
        ),
        ("GetRole", Denied, "OptInRequired", "You are not subscribed to this service"),
        ("CreateRole", Other, "NoSuchEntity", "Scope ARN: arn:x does not exist or is not attachable."),
        (
            "PutFunctionConcurrency",
            Quota,
            "InvalidParameterValueException",
            "decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
        ),
        ("CreateTable", Quota, "LimitExceededException", "Resource limit exceeded."),
        (
            "CreateLogGroup",
            Other,
            "InvalidParameterException",
            "The specified KMS key does not exist or is not allowed to be used with LogGroup 'arn'",
        ),
        ("CreateFunction", Denied, "KMSAccessDeniedException", "no"),
        (
            "UpdateFunctionCode",
            Other,
            "InvalidParameterValueException",
            "Your access has been denied by S3, please make sure your request credentials have permission to \
             GetObject for b/packages/k.zip. S3 Error Code: AccessDenied. S3 Error Message: Access Denied",
        ),
        ("GetBucketTagging", Other, "PermanentRedirect", "The bucket must be addressed using the endpoint."),
        ("GetBucketTagging", Other, "AuthorizationHeaderMalformed", "the region 'a' is wrong; expecting 'b'"),
        ("CreateTable", Other, "ValidationException", "no"),
    ];
    let said: Vec<String> = cases
        .iter()
        .map(|(operation, class, code, message)| {
            format!("{operation}: {code}: {message}\n  {}", hint_for(operation, *class, code, message))
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"));
}

/// A credentials provider that fails for this reason.
#[derive(Debug)]
struct Failing(Reason);

type Reason = fn() -> CredentialsError;

impl ProvideCredentials for Failing {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err::<Keys, _>((self.0)()))
    }
}

/// The messages are the SDK's own, so the test uses the SDK. Without credentials it sends no call.
#[tokio::test]
async fn credentials_errors_have_distinct_messages() {
    let cases: [(&str, Reason); 5] = [
        ("no instance", || {
            CredentialsError::provider_error("failed to load IMDS session token: IMDS is disabled")
        }),
        ("none", || CredentialsError::not_loaded("no providers in chain provided credentials")),
        ("expired", || CredentialsError::provider_error("the SSO session has expired or is invalid")),
        ("assumed", || {
            CredentialsError::provider_error("User: u is not authorized to perform: sts:AssumeRole")
        }),
        ("profile", || CredentialsError::invalid_configuration("profile `acme` was not defined")),
    ];
    let mut said = Vec::new();
    for (name, failing) in cases {
        let config = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Failing(failing))
            .http_client(crate::connect::https())
            .build();
        let call = aws_sdk_sts::Client::from_conf(config).get_caller_identity().send().await;
        let error = call.called().expect_err("there are no credentials");
        assert_eq!(error.class, Class::Credentials, "{name}: {error}");
        let message = error.to_string();
        // A developer may have selected a profile.
        let message = message.strip_suffix(&of_profile()).unwrap_or(&message);
        said.push(format!("{message}\n  {}", error.hint.clone().unwrap_or_default()));
    }
    insta::assert_snapshot!(said.join("\n"));
}
