//! The account itself: its credentials, and where its services are.
//!
//! The main type is [`AwsAccount`]. The SDK finds credentials and addresses by its own rules: the
//! environment (`AWS_ACCESS_KEY_ID`, `AWS_PROFILE`, `AWS_ENDPOINT_URL`, …), files of profiles, a
//! web identity, and the services that give a container or a machine its role. What is asked of
//! the account lives beside it in `secrets` and `instances`.

use std::error::Error;
use std::fmt;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_types::retry::RetryConfig;
use aws_types::service_config::ServiceConfigKey;
use cutover_model::Clock;

use super::{ClockTime, Connector, shortened};
use crate::http::Http;
use crate::timestream::{self, TimestreamAddress, TimestreamEndpoint};

/// An account in one region, for which there are credentials. Clones share them.
#[derive(Clone)]
pub struct AwsAccount {
    pub(super) config: SdkConfig,
    provider: SharedCredentialsProvider,
    identity: AwsIdentity,
}

/// Whose credentials they are, as far as that can be told without asking anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsIdentity {
    /// The id of the access key, which is no secret.
    pub access_key: String,
    /// The account, where the credentials tell it.
    pub account: Option<String>,
}

/// There are no credentials that could be used.
#[derive(Debug, thiserror::Error)]
#[error("no AWS credentials were found: {problem}")]
pub struct CredentialsError {
    problem: String,
}

impl AwsAccount {
    /// Looks for credentials as every AWS tool does, and keeps them up to date from then on. The
    /// environment, files and, where there is one, the role of this machine are asked.
    pub async fn find(region: &str, http: &Http, clock: &Clock) -> Result<Self, CredentialsError> {
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .http_client(Connector::new(http.clone()))
            .time_source(ClockTime::of(clock))
            .sleep_impl(TokioSleep::new())
            // A caller that wants another try asks again; each answer is seen.
            .retry_config(RetryConfig::disabled())
            .load()
            .await;
        let provider = config.credentials_provider().ok_or_else(|| CredentialsError {
            problem: "the SDK was built without a way to find them".to_owned(),
        })?;
        let found = provider.provide_credentials().await;
        let found = found.map_err(|error| CredentialsError { problem: in_one_line(&error) })?;
        Ok(Self { config, provider, identity: AwsIdentity::of(&found) })
    }

    /// Whose credentials were found.
    pub fn identity(&self) -> &AwsIdentity {
        &self.identity
    }

    /// This account's Timestream for LiveAnalytics. The service says itself where it is, unless the
    /// settings of the account name an address.
    pub fn timestream(&self, region: &str) -> TimestreamEndpoint {
        let query = self.endpoint_of("Timestream Query");
        let write = self.endpoint_of("Timestream Write");
        let address = match query.zip(write) {
            Some((query, write)) => TimestreamAddress::Fixed { query, write },
            None => TimestreamAddress::Discovered,
        };
        let credentials = timestream::Credentials::Account(Box::new(self.clone()));
        TimestreamEndpoint { address, region: region.to_owned(), credentials }
    }

    pub(crate) fn provider(&self) -> SharedCredentialsProvider {
        self.provider.clone()
    }

    /// The address that the settings give for a service, or for all of them.
    fn endpoint_of(&self, service: &'static str) -> Option<String> {
        let key = ServiceConfigKey::builder()
            .service_id(service)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .ok();
        let own = key.and_then(|key| self.config.service_config()?.load_config(key));
        own.or_else(|| self.config.endpoint_url().map(str::to_owned))
    }
}

impl AwsIdentity {
    fn of(credentials: &Credentials) -> Self {
        let account = credentials.account_id().map(|id| id.as_str().to_owned());
        Self { access_key: credentials.access_key_id().to_owned(), account }
    }
}

impl fmt::Debug for AwsAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsAccount").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// The SDK tells the cause of a cause of a cause; each says a part.
fn in_one_line(error: &(dyn Error + 'static)) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let part = error.to_string();
        if !told.contains(&part) {
            told = format!("{told}: {part}");
        }
        cause = error.source();
    }
    shortened(&told)
}
