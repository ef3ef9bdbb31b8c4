//! What there is to say to people about an error of AWS: who can change what.
//!
//! The words of denials are those of "Troubleshoot access denied error messages" (IAM user
//! guide).

use engine::error::Class;

use super::endpoint::own_endpoint;

/// An error as AWS gave it.
pub(super) struct Said<'a> {
    operation: &'a str,
    class: Class,
    code: &'a str,
    status: Option<u16>,
    /// The message in lower case.
    text: String,
}

impl<'a> Said<'a> {
    /// Returns an error of an operation, with a status if there was an answer at all.
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

/// Returns the message in our words, where the SDK's own are about its insides.
pub(super) fn plainly(said: &Said<'_>) -> Option<String> {
    no_credentials(said).then(|| "no credentials were found".to_owned())
}

/// Returns what to do about an error.
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

fn no_credentials(said: &Said<'_>) -> bool {
    said.class == Class::Credentials
        && said
            .says(&["no providers in chain provided credentials", "the credential provider was not enabled"])
}

fn credentials(said: &Said<'_>) -> &'static str {
    if said.says(&["signature expired", "signature not yet current"]) || said.code == "RequestTimeTooSkewed" {
        return "the clock of this machine is wrong: AWS takes requests of the last minutes only";
    }
    // SSO tells by its words, everything else by the code.
    let expired = ["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"];
    if expired.contains(&said.code) || said.says(&["expired"]) {
        return "the credentials have expired: log in again (`aws sso login`, `aws login`); what is done stays \
                done, and the same command goes on from there";
    }
    if said.says(&["sts:assumerole", "assumerole", "assume role"]) {
        return "the role of `org.assume_role` cannot be assumed with these credentials: whoever made it lets them \
                in with its trust policy, which may ask for `external_id`; and they need sts:AssumeRole themselves";
    }
    if no_credentials(said) || said.says(&["profile"]) {
        return "log in (`aws sso login`, `aws login`), or name a profile that `~/.aws/config` has: AWS_PROFILE, or \
                `org.profile` in the environment file";
    }
    match said.code {
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidAccessKeyId"
        | "AuthFailure"
        | "InvalidToken" => {
            "AWS does not know these credentials there: log in again, or choose others (AWS_PROFILE); or `region` is \
             one that the account has not enabled, which only who administers the account can do"
        }
        "SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature" => {
            "the secret access key does not belong to the access key, or the clock of this machine is wrong"
        }
        _ => "log in again (`aws sso login`, `aws login`) or set AWS_PROFILE",
    }
}

fn quota(said: &Said<'_>) -> &'static str {
    if said.says(&["unreservedconcurrentexecution"]) {
        return "new accounts have few executions, often 10, and 100 have to stay unreserved: leave out \
                `reserved_concurrency`, or ask for more `Concurrent executions` of Lambda in the Service Quotas console";
    }
    "ask for a higher quota in the Service Quotas console"
}

/// What only one call of one service says, or what is about the place.
fn special(said: &Said<'_>) -> Option<&'static str> {
    if said.says(&["does not exist or is not attachable"]) {
        return Some(
            "there is no such policy in the account: correct `org.permissions_boundary`, or have whoever administers \
             the account make it",
        );
    }
    if said.says(&["s3 error code: accessdenied"]) {
        return Some(
            "Lambda reads the package as you, and you may not: the statement PackagesWrite that `policy` prints is \
             missing",
        );
    }
    let group = ["CreateLogGroup", "AssociateKmsKey"].contains(&said.operation);
    if group && said.says(&["kms"]) {
        return Some(
            "the key's own policy has to let logs.<region>.amazonaws.com use it for this log group: whoever owns the \
             key of `org.kms` can change that (docs/environments.md)",
        );
    }
    if said.code.starts_with("KMS") || said.says(&["kms:", "kms key", "kms exception"]) {
        return Some(
            "whoever owns the key of `org.kms` allows its use, with the key's policy or a grant \
             (docs/environments.md says what is needed)",
        );
    }
    let elsewhere =
        ["PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"];
    if said.status == Some(301) || elsewhere.contains(&said.code) {
        return Some(
            "it is in another region: correct `region` in the environment file, or remove it there first",
        );
    }
    if said.says(&["dns error", "failed to lookup address"]) {
        return Some(
            "there is no such address: is there a network, and is `region` in the environment file right?",
        );
    }
    None
}

/// Which policy it was, where AWS says so.
fn by_policy(said: &Said<'_>) -> Option<&'static str> {
    let by = [
        (
            "service control polic",
            "a service control policy of the organisation forbids it: who administers the organisation can change \
             that. Often it is about regions: is `region` one that is allowed?",
        ),
        (
            "resource control polic",
            "a resource control policy of the organisation forbids it: who administers the organisation can change \
             that",
        ),
        (
            "permissions boundary",
            "the caller's permissions boundary does not allow it: whoever gave the caller that boundary can change it",
        ),
        (
            "session policy",
            "the session has a policy that does not allow it: whatever opened the session (a broker, a pipeline, \
             IAM Identity Center) can open a wider one",
        ),
        (
            "vpc endpoint policy",
            "the policy of the VPC endpoint does not allow it: who administers the network can change that",
        ),
        (
            "iam:passrole",
            "the caller needs iam:PassRole on the roles of the functions, for lambda.amazonaws.com: `deployer policy` \
             lists everything that it needs",
        ),
    ];
    by.iter().find(|(words, _)| said.text.contains(words)).map(|(_, hint)| *hint)
}

fn denied(said: &Said<'_>) -> &'static str {
    if said.says(&["resource-based policy"]) {
        return "the policy of the thing itself forbids it: whoever owns that can change it";
    }
    match (said.code, said.operation) {
        ("OptInRequired", _) => {
            "the account has not enabled this region or service: who administers it can do so"
        }
        (_, "CreateRole" | "PutRolePermissionsBoundary" | "PutRolePolicy" | "AttachRolePolicy") => {
            "either the caller lacks the permission (`deployer policy` lists what it needs), or it may touch roles \
             under a permissions boundary only: name that as `org.permissions_boundary` in the environment file"
        }
        _ => {
            "the caller's own policies do not allow this: `deployer policy` lists what it needs, for who administers \
             the account"
        }
    }
}

/// An endpoint set in the environment and forgotten is the usual reason for not reaching AWS.
fn endpoint() -> Option<String> {
    let endpoint = own_endpoint()?.into_string().ok()?;
    Some(format!("AWS_ENDPOINT_URL is set to {endpoint}: is that what you mean, and does it answer?"))
}

#[cfg(test)]
mod tests;
