//! Reaching AWS: which endpoint, which credentials, one HTTPS stack for all clients.

use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_http_client::{Builder, tls};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use engine::error::{Class, Error};
use engine::scope::Scope;

use super::endpoint::WrongEndpoint;
use super::login::Login;
use super::names::AwsNames;
use super::{Aws, CallLog, Clock, Noted, Packages, ReadOnly, log_lines};

/// How often the SDK sends a call that fails in passing.
pub(super) const ATTEMPTS: u32 = 4;

/// How long a connection may take to come about.
pub(super) const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// The setting of the AWS configuration files that has the endpoint of all services.
const PROFILE_ENDPOINT: &str = "`endpoint_url` of the AWS configuration file";

/// Whose credentials to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// The SDK's usual chain: environment, profile, SSO, process, container, instance; by
    /// way of what the environment's file says.
    Chain(Login),
    /// A fixed access key and secret, for a cloud of our own that protects nothing.
    Fixed(&'static str, &'static str),
}

/// Who calls AWS.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The ARN of the user, or of the session of a role.
    pub arn: String,
    /// AWS's clock, as its answer told it.
    pub clock: Clock,
}

/// Where to find AWS.
#[derive(Debug, Clone)]
pub struct Target {
    /// An endpoint for all services; nothing means AWS, or `AWS_ENDPOINT_URL` when set.
    pub endpoint: Option<String>,
    /// Whose credentials to use.
    pub credentials: Credentials,
    /// Where to record calls.
    pub call_log: Option<CallLog>,
    /// What refuses calls that may change something before they are sent, if anything does.
    pub read_only: Option<ReadOnly>,
}

impl Aws {
    /// Returns clients for the scope's account and region. Makes no call.
    pub async fn connect(scope: Scope, target: &Target) -> Self {
        let config = config(&scope, target).await;
        Self::of(scope, target, &config)
    }

    /// Returns clients like [`Aws::connect`], after a look at the endpoints that the caller chose.
    ///
    /// # Errors
    /// No call can be sent to one of them.
    pub async fn connect_checked(scope: Scope, target: &Target) -> Result<Self, WrongEndpoint> {
        // An endpoint given here comes before all variables and files.
        if target.endpoint.is_none()
            && let Some(wrong) = WrongEndpoint::in_variables(std::env::vars_os())
        {
            return Err(wrong);
        }
        let config = config(&scope, target).await;
        let wrong = config.endpoint_url().and_then(|url| WrongEndpoint::of(PROFILE_ENDPOINT, url));
        wrong.map_or_else(|| Ok(Self::of(scope, target, &config)), Err)
    }

    fn of(scope: Scope, target: &Target, config: &SdkConfig) -> Self {
        // One macro, because the clients' builders share no trait.
        macro_rules! client {
            ($sdk:ident) => {{
                let mut builder = $sdk::config::Builder::from(config);
                if let Some(log) = &target.call_log {
                    builder = builder.interceptor(log.clone());
                }
                builder = builder.interceptor(Noted);
                if let Some(read_only) = &target.read_only {
                    builder = builder.interceptor(read_only.clone());
                }
                builder
            }};
        }
        // Under an endpoint of one's own, bucket names have no DNS entries.
        let path_style = config.endpoint_url().is_some();
        Self {
            scope,
            #[cfg(feature = "cloudwatch")]
            cloudwatch: aws_sdk_cloudwatch::Client::from_conf(client!(aws_sdk_cloudwatch).build()),
            #[cfg(feature = "sources")]
            dynamodb: aws_sdk_dynamodb::Client::from_conf(client!(aws_sdk_dynamodb).build()),
            iam: aws_sdk_iam::Client::from_conf(client!(aws_sdk_iam).build()),
            #[cfg(feature = "sources")]
            kinesis: aws_sdk_kinesis::Client::from_conf(client!(aws_sdk_kinesis).build()),
            lambda: aws_sdk_lambda::Client::from_conf(client!(aws_sdk_lambda).build()),
            logs: aws_sdk_cloudwatchlogs::Client::from_conf(client!(aws_sdk_cloudwatchlogs).build()),
            s3: aws_sdk_s3::Client::from_conf(client!(aws_sdk_s3).force_path_style(path_style).build()),
            sts: aws_sdk_sts::Client::from_conf(client!(aws_sdk_sts).build()),
            packages: Packages::default(),
            log_reads: log_lines::pace(),
            sweep: Arc::default(),
        }
    }

    /// Checks that the credentials belong to the account and partition of the scope, and
    /// returns who has them.
    ///
    /// # Errors
    /// They belong to another account or partition, or the call failed.
    pub async fn guard(&self) -> Result<Caller, Error> {
        const CALL: &str = "GetCallerIdentity";
        let (identity, clock) = self.identity().await?;
        let (account, arn) = (identity.account().unwrap_or_default(), identity.arn().unwrap_or_default());
        let partition = arn.split(':').nth(1).unwrap_or_default();
        if account != self.scope.account {
            let wanted = &self.scope.account;
            return Err(Error::new(
                Class::Credentials,
                CALL,
                format!("the credentials belong to account {account}, the environment to {wanted}"),
            )
            .hint(
                "choose other credentials (AWS_PROFILE; keys in AWS_ACCESS_KEY_ID come before any profile), \
                 or correct `account` in the environment file",
            ));
        }
        if partition != self.scope.partition() {
            let wanted = self.scope.partition();
            return Err(Error::new(
                Class::Credentials,
                CALL,
                format!("the credentials belong to partition {partition}, the region to {wanted}"),
            )
            .hint("choose other credentials, or correct `region` in the environment file"));
        }
        Ok(Caller { arn: arn.to_owned(), clock })
    }
}

/// Returns what all clients have in common. The region is that of the environment's file,
/// whatever the profile or `AWS_REGION` say.
async fn config(scope: &Scope, target: &Target) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(https())
        .region(Region::new(scope.region.clone()))
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_WITHIN)
                // An upload of 50 MB over a slow line is the longest call there is.
                .operation_attempt_timeout(Duration::from_secs(180))
                .build(),
        );
    if let Some(endpoint) = &target.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    match &target.credentials {
        Credentials::Fixed(key, secret) => {
            let key = aws_credential_types::Credentials::new(*key, *secret, None, None, "local cloud");
            loader.credentials_provider(key).load().await
        }
        Credentials::Chain(login) => {
            if let Some(profile) = &login.profile {
                loader = loader.profile_name(profile);
            }
            login.assume(loader.load().await).await
        }
    }
}

/// Returns the one HTTPS stack.
pub(super) fn https() -> SharedHttpClient {
    Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https()
}
