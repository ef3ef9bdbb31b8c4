//! Hints for AWS errors: what the user can do, or who can change it.
//!
//! The wordings of denials are from "Troubleshoot access denied error messages" (IAM user guide).

use engine::error::Class;

use super::endpoint::own_endpoint;

/// An error as AWS returned it.
pub(super) struct Said<'a> {
    operation: &'a str,
    class: Class,
    code: &'a str,
    status: Option<u16>,
    /// The message in lower case.
    text: String,
}

impl<'a> Said<'a> {
    /// Returns an error of an operation. The status is `None` without a response.
    pub(super) fn new(
        operation: &'a str,
        class: Class,
        code: Option<&'a str>,
        status: Option<u16>,
        message: &str,
    ) -> Self {
        Self { operation, class, code: code.unwrap_or_default(), status, text: message.to_lowercase() }
    }

    fn says(&self, parts: &[&str]) -> bool {
        parts.iter().any(|part| self.text.contains(part))
    }
}

/// Returns a plain message where the SDK's own describes SDK internals.
pub(super) fn plain_message(said: &Said<'_>) -> Option<String> {
    no_credentials(said).then(|| format!("no AWS credentials were found{}", of_profile()))
}

/// Returns the profile that `AWS_PROFILE` names, for the message that it has no credentials.
fn of_profile() -> String {
    let profile = std::env::var_os("AWS_PROFILE").filter(|profile| !profile.is_empty());
    profile
        .map(|profile| format!(", also not in profile `{}`", profile.to_string_lossy()))
        .unwrap_or_default()
}

/// Returns the hint for an error.
pub(super) fn hint(said: &Said<'_>) -> Option<String> {
    let hint = match said.class {
        Class::Credentials => Some(credentials(said)),
        Class::Quota => Some(quota(said)),
        _ if said.class == Class::Denied || said.says(&["is not authorized to perform"]) => {
            by_policy(said).or_else(|| special(said)).or_else(|| Some(denied(said)))
        }
        _ => special(said),
    };
    match hint {
        Some(hint) => Some(hint.to_owned()),
        None if said.status.is_none() => endpoint(),
        None => None,
    }
}

/// Returns whether no source had credentials. The instance metadata (IMDS) is the last source, so on a machine
/// that is not an instance, the error is the one of IMDS.
fn no_credentials(said: &Said<'_>) -> bool {
    const NONE: [&str; 3] =
        ["no providers in chain provided credentials", "the credential provider was not enabled", "imds"];
    said.class == Class::Credentials && said.says(&NONE)
}

fn credentials(said: &Said<'_>) -> &'static str {
    if said.says(&["signature expired", "signature not yet current"]) || said.code == "RequestTimeTooSkewed" {
        return "correct the clock of this machine: AWS rejects requests signed more than a few minutes off";
    }
    // Errors of SSO are recognised by their message, all others by their code.
    let expired = ["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"];
    if expired.contains(&said.code) || said.says(&["expired"]) {
        return "the credentials have expired: log in again (`aws sso login` or `aws login`), then run the command \
                again; it continues from there";
    }
    if said.says(&["sts:assumerole", "assumerole", "assume role"]) {
        return "these credentials cannot assume the role of `org.assume_role`: they need sts:AssumeRole, and the \
                role's trust policy must allow them. It may require `external_id`";
    }
    if no_credentials(said) || said.says(&["profile"]) {
        return "log in (`aws sso login` or `aws login`), or select a profile of `~/.aws/config` with AWS_PROFILE or \
                with `org.profile` in the environment file";
    }
    match said.code {
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidAccessKeyId"
        | "AuthFailure"
        | "InvalidToken" => {
            "log in again, or choose other credentials with AWS_PROFILE. If `region` is not enabled for the account, \
             an account administrator has to enable it"
        }
        "SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature" => {
            "check that the secret access key belongs to the access key, and that the clock of this machine is right"
        }
        _ => "log in again (`aws sso login` or `aws login`), or set AWS_PROFILE",
    }
}

fn quota(said: &Said<'_>) -> &'static str {
    if said.says(&["unreservedconcurrentexecution"]) {
        return "remove `reserved_concurrency`, or request a higher Lambda quota `Concurrent executions` in the \
                Service Quotas console: 100 executions must stay unreserved, and new accounts often have only 10";
    }
    "request a higher quota in the Service Quotas console"
}

/// Returns the hint for an error that is specific to one service or to a wrong region.
fn special(said: &Said<'_>) -> Option<&'static str> {
    if said.says(&["does not exist or is not attachable"]) {
        return Some(
            "this policy does not exist: correct `org.permissions_boundary` in the environment file, or ask an \
             account administrator to create the policy",
        );
    }
    if said.says(&["s3 error code: accessdenied"]) {
        return Some(
            "Lambda reads the package from S3 with the caller's permissions: add the statement PackagesWrite that \
             `deployer policy <environment>` prints",
        );
    }
    let group = ["CreateLogGroup", "AssociateKmsKey"].contains(&said.operation);
    if group && said.says(&["kms"]) {
        return Some(
            "ask the owner of the key in `org.kms` to let logs.<region>.amazonaws.com use it for this log group, in \
             the key's policy (docs/environments.md)",
        );
    }
    if said.code.starts_with("KMS") || said.says(&["kms:", "kms key", "kms exception"]) {
        return Some(
            "ask the owner of the key in `org.kms` to allow its use, in the key's policy or with a grant \
             (docs/environments.md lists the permissions)",
        );
    }
    let elsewhere =
        ["PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"];
    if said.status == Some(301) || elsewhere.contains(&said.code) {
        return Some(
            "the bucket is in another region: correct `region` in the environment file, or delete the bucket",
        );
    }
    if said.says(&["dns error", "failed to lookup address"]) {
        return Some(
            "check the network connection, and `region` in the environment file: the address was not found",
        );
    }
    None
}

/// Returns the hint for a denial whose message names the type of policy.
fn by_policy(said: &Said<'_>) -> Option<&'static str> {
    let by = [
        (
            "service control polic",
            "a service control policy of the organisation forbids this: check whether it allows `region`, or ask an \
             administrator of the organisation to change it",
        ),
        (
            "resource control polic",
            "a resource control policy of the organisation forbids this: ask an administrator of the organisation to \
             change it",
        ),
        (
            "permissions boundary",
            "the caller's permissions boundary does not allow this: ask an account administrator to extend it",
        ),
        (
            "session policy",
            "the session's policy does not allow this: extend it where the session is opened, such as in a pipeline, \
             a credentials broker or IAM Identity Center",
        ),
        (
            "vpc endpoint policy",
            "the policy of the VPC endpoint does not allow this: ask a network administrator to extend it",
        ),
        (
            "iam:passrole",
            "the caller needs iam:PassRole on the functions' roles, for lambda.amazonaws.com: give an account \
             administrator the output of `deployer policy <environment>`",
        ),
    ];
    by.iter().find(|(words, _)| said.text.contains(words)).map(|(_, hint)| *hint)
}

fn denied(said: &Said<'_>) -> &'static str {
    if said.says(&["resource-based policy"]) {
        return "the resource's own policy forbids this: ask the owner of the resource to change it";
    }
    match (said.code, said.operation) {
        ("OptInRequired", _) => {
            "ask an account administrator to enable this region or service for the account"
        }
        (_, "CreateRole" | "PutRolePermissionsBoundary" | "PutRolePolicy" | "AttachRolePolicy") => {
            "give an account administrator the output of `deployer policy <environment>`. If the account allows \
             only roles with a permissions boundary, name it as `org.permissions_boundary` in the environment file"
        }
        _ => {
            "the caller's IAM policies do not allow this: an account administrator can change them. `deployer policy \
             <environment>` prints what plan, up, drift and down need, and docs/commands.md what the other commands need"
        }
    }
}

/// Returns the hint for a missing response: the usual reason is a forgotten `AWS_ENDPOINT_URL`.
fn endpoint() -> Option<String> {
    let endpoint = own_endpoint()?.into_string().ok()?;
    Some(format!("AWS_ENDPOINT_URL is set to {endpoint}: check that it responds, or unset it to call AWS"))
}

#[cfg(test)]
mod tests;
