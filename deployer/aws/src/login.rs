//! The credentials settings of an environment: a profile, and a role to assume.

use aws_config::SdkConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::provider::SharedCredentialsProvider;

/// How to obtain credentials. The default is the SDK's default chain alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Login {
    /// The profile of the AWS configuration files, instead of `AWS_PROFILE`. Keys in environment variables
    /// take precedence, as in CI without such files.
    pub profile: Option<String>,
    /// ARN of the role to assume with the available credentials.
    pub role: Option<String>,
    /// The external id, if the role's trust policy requires one.
    pub external_id: Option<String>,
}

impl Login {
    /// Returns the configuration with the credentials of the role, if there is one to assume.
    /// Sends no call: the role is assumed when credentials are needed, and again before they expire.
    pub(super) async fn assume(&self, config: SdkConfig) -> SdkConfig {
        let Some(role) = &self.role else { return config };
        let mut provider =
            AssumeRoleProvider::builder(role).session_name(session_name(&who())).configure(&config);
        if let Some(id) = &self.external_id {
            provider = provider.external_id(id);
        }
        let provider = SharedCredentialsProvider::new(provider.build().await);
        config.into_builder().credentials_provider(provider).build()
    }
}

/// Returns the name of the user: of the CI job or of this machine.
fn who() -> String {
    let variables = ["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER", "USERNAME"];
    let known = variables.iter().filter_map(|name| std::env::var(name).ok()).find(|name| !name.is_empty());
    known.unwrap_or_else(|| "unknown".into())
}

/// Returns the session name, which CloudTrail shows. It has letters, digits and `_=,.@-`, 64 at most
/// ("AssumeRole", STS API reference).
fn session_name(who: &str) -> String {
    let right = |c: char| if c.is_ascii_alphanumeric() || "_=,.@-".contains(c) { c } else { '-' };
    format!("deployer-{who}").chars().map(right).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_is_named_after_its_user() {
        assert_eq!(session_name("ann.b@example.com"), "deployer-ann.b@example.com");
        assert_eq!(session_name("dépendabot[bot]"), "deployer-d-pendabot-bot-");
        assert_eq!(session_name(&"x".repeat(100)).len(), 64);
    }
}
