//! The client itself: addresses, credentials, time and the transport under the SDK.
//!
//! The main type is [`TimestreamClient`]. What it asks for lives beside it in `tables`, `write` and
//! `query`. Nothing is read from the environment: whoever makes a client hands everything in.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::invocation_id::DefaultInvocationIdGenerator;
use aws_sdk_timestreamquery::config::{
    BehaviorVersion, IdentityCache, Region, StalledStreamProtectionConfig,
};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use cutover_model::draw::draw;
use cutover_model::{Clock, Secret};
use tokio::task::JoinHandle;

use crate::aws::{AwsAccount, ClockTime, Connector};
use crate::error::ClientError;
use crate::http::{Http, Transport};

/// Where a Timestream is, and who asks it.
#[derive(Clone, Debug)]
pub struct TimestreamEndpoint {
    /// The address of the service.
    pub address: TimestreamAddress,
    /// The AWS region that requests are signed for.
    pub region: String,
    /// What requests are signed with.
    pub credentials: Credentials,
}

/// How the service is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimestreamAddress {
    /// At these addresses, and nowhere else: the service is not asked where it would rather be.
    Fixed {
        /// The address of the query API.
        query: String,
        /// The address of the write API.
        write: String,
    },
    /// In AWS, where each API first says which address serves this account.
    Discovered,
}

impl TimestreamAddress {
    /// One address for both APIs.
    pub fn fixed(url: impl Into<String>) -> Self {
        let query = url.into();
        Self::Fixed { write: query.clone(), query }
    }
}

/// What requests are signed with.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// An access key.
    Fixed {
        /// Its id.
        access_key: String,
        /// Its secret.
        secret: Secret,
        /// The token of a session, where the key belongs to one.
        session: Option<Secret>,
    },
    /// What the account's own chain gives, asked again before it expires.
    Account(Box<AwsAccount>),
}

impl Credentials {
    /// Credentials for a server that does not check them.
    pub fn unchecked() -> Self {
        let (access_key, secret) = ("unchecked".to_owned(), Secret::new("unchecked"));
        Self::Fixed { access_key, secret, session: None }
    }
}

/// A client of one Timestream. Clones share their connections.
#[derive(Clone)]
pub struct TimestreamClient {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) query: aws_sdk_timestreamquery::Client,
    pub(super) write: aws_sdk_timestreamwrite::Client,
    clock: Clock,
    seed: u64,
    tokens: AtomicU64,
    /// Tasks that keep discovered addresses fresh.
    reloading: Vec<JoinHandle<()>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        for task in &self.reloading {
            task.abort();
        }
    }
}

impl TimestreamClient {
    /// A client of the service at `endpoint`, which signs by `clock` and draws the ids of requests
    /// from `seed`. With fixed addresses nothing is sent yet; discovered ones are asked for now.
    pub async fn connect(
        endpoint: TimestreamEndpoint,
        http: Http,
        clock: Clock,
        seed: u64,
    ) -> Result<Self, ClientError> {
        let TimestreamEndpoint { address, region, credentials } = endpoint;
        let shared = shared_config(region, credentials, &http, &clock);
        let mut query = aws_sdk_timestreamquery::config::Builder::from(&shared)
            .invocation_id_generator(DefaultInvocationIdGenerator::with_seed(seed));
        let mut write = aws_sdk_timestreamwrite::config::Builder::from(&shared)
            .invocation_id_generator(DefaultInvocationIdGenerator::with_seed(!seed));
        if let TimestreamAddress::Fixed { query: query_url, write: write_url } = &address {
            query = query.endpoint_url(checked(query_url, &http)?);
            write = write.endpoint_url(checked(write_url, &http)?);
        }
        let mut query = aws_sdk_timestreamquery::Client::from_conf(query.build());
        let mut write = aws_sdk_timestreamwrite::Client::from_conf(write.build());
        let mut reloading = Vec::new();
        if address == TimestreamAddress::Discovered {
            let operation = "discover endpoints";
            let failed = |cause| ClientError::Interrupted { operation, cause };
            let (found, reload) = query.with_endpoint_discovery_enabled().await.map_err(failed)?;
            query = found;
            reloading.push(tokio::spawn(reload.reload_task()));
            let (found, reload) = write.with_endpoint_discovery_enabled().await.map_err(failed)?;
            write = found;
            reloading.push(tokio::spawn(reload.reload_task()));
        }
        let tokens = AtomicU64::new(0);
        let inner = Inner { query, write, clock, seed, tokens, reloading };
        Ok(Self { inner: Arc::new(inner) })
    }
}

impl Inner {
    /// A token that marks a query as a new one. The service answers a token that it has seen with
    /// the earlier answer for hours, so the instant goes in beside the seed.
    pub(super) fn client_token(&self) -> String {
        let n = self.tokens.fetch_add(1, Ordering::Relaxed);
        let now = self.clock.now_ns().cast_unsigned();
        format!("{:016x}{:016x}", draw(self.seed, now, n), draw(!self.seed, now, n))
    }
}

impl fmt::Debug for TimestreamClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimestreamClient").finish_non_exhaustive()
    }
}

/// What both APIs have in common. With an access key, nothing random and no clock but the given one
/// is left in it.
fn shared_config(
    region: String,
    credentials: Credentials,
    http: &Http,
    clock: &Clock,
) -> SdkConfig {
    let (provider, cache) = match credentials {
        Credentials::Fixed { access_key, secret, session } => {
            let session = session.map(|token| token.expose().to_owned());
            let fixed = aws_credential_types::Credentials::new(
                access_key,
                secret.expose(),
                session,
                None,
                "cutover",
            );
            (SharedCredentialsProvider::new(fixed), IdentityCache::no_cache())
        }
        // Asking the chain for each request would be a request more each time.
        Credentials::Account(account) => (account.provider(), IdentityCache::lazy().build()),
    };
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(provider)
        .identity_cache(cache)
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .sleep_impl(TokioSleep::new())
        .time_source(ClockTime::of(clock))
        .http_client(Connector::new(http.clone()))
        .build()
}

fn checked<'a>(url: &'a str, http: &Http) -> Result<&'a str, ClientError> {
    let uri: http::Uri = url.parse().map_err(|_| ClientError::invalid(url, "is no address"))?;
    match (uri.scheme_str(), &http.transport) {
        (Some("http"), _) | (Some("https"), Transport::Sockets(_)) => Ok(url),
        (Some("https"), Transport::InMemory(_)) => {
            let problem = "asks for TLS, which the in-memory network does not speak";
            Err(ClientError::invalid(url, problem))
        }
        _ => Err(ClientError::invalid(url, "is neither `http://…` nor `https://…`")),
    }
}
