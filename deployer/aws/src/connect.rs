//! The connection to AWS: endpoint, credentials, and one HTTPS stack for all clients.

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

/// The maximum number of attempts of the SDK for a call that fails temporarily.
pub(super) const ATTEMPTS: u32 = 4;

/// The timeout for opening a connection.
pub(super) const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// The name of the setting in the AWS configuration files that has the endpoint of all services.
const PROFILE_ENDPOINT: &str = "`endpoint_url` of the AWS configuration file";

/// The source of the credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// The SDK's default chain (environment, profile, SSO, process, container, instance), with the profile
    /// and role of the environment file.
    Chain(Login),
    /// A fixed access key and secret, for a local cloud without access control.
    Fixed(&'static str, &'static str),
}

/// The caller of AWS.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The ARN of the user or of the role's session.
    pub arn: String,
    /// AWS's clock, from its response.
    pub clock: Clock,
}

/// How to connect to AWS.
#[derive(Debug, Clone)]
pub struct Target {
    /// An endpoint for all services; `None` means AWS, or `AWS_ENDPOINT_URL` if it is set.
    pub endpoint: Option<String>,
    /// The source of the credentials.
    pub credentials: Credentials,
    /// The log of calls, if they are logged.
    pub call_log: Option<CallLog>,
    /// Refuses calls that may change a resource, if set.
    pub read_only: Option<ReadOnly>,
}

impl Aws {
    /// Returns clients for the scope's account and region. Sends no call.
    pub async fn connect(scope: Scope, target: &Target) -> Self {
        let config = config(&scope, target).await;
        Self::of(scope, target, &config)
    }

    /// Returns clients like [`Aws::connect`], after a check of the configured endpoints.
    ///
    /// # Errors
    /// Returns an error if an endpoint is not a valid URL.
    pub async fn connect_checked(scope: Scope, target: &Target) -> Result<Self, WrongEndpoint> {
        // An endpoint in the target takes precedence over all variables and files.
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
        // A macro, because the clients' builders share no trait.
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
        // With a custom endpoint, bucket names have no DNS entries.
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

    /// Checks that the credentials belong to the account and partition of the scope, and returns the caller.
    ///
    /// # Errors
    /// Fails if they belong to another account or partition, or if the call fails.
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
                "choose other credentials (AWS_PROFILE; a key in AWS_ACCESS_KEY_ID takes precedence), \
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

/// Returns the configuration of all clients. The region of the environment file takes precedence over the
/// profile and `AWS_REGION`.
async fn config(scope: &Scope, target: &Target) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(https())
        .region(Region::new(scope.region.clone()))
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_WITHIN)
                // The longest call is an upload of 50 MB over a slow connection.
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

/// Returns the HTTPS stack of all clients.
pub(super) fn https() -> SharedHttpClient {
    Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https()
}
