//! Making a server that was just started ready for use: waiting for it, and its first user.
//!
//! [`Starting`] is the same for every target: it asks until the server says that it is well, with
//! one limit over all, and sets it up through the API.

use std::time::Duration;

use cutover_clients::influx::{
    HealthStatus, InfluxClient, InfluxEndpoint, Retention, SetupOutcome, SetupRequest,
};
use cutover_clients::{ClientError, Http, Timeouts};
use tokio::time::{Instant, sleep, timeout_at};

use crate::random::random_secret;

/// How long a server may take to answer that it is well.
pub(crate) const READY_WITHIN: Duration = Duration::from_mins(1);

/// How long the server is left alone between two questions.
const PAUSE: Duration = Duration::from_millis(50);

/// The organisation and the first bucket of a server that is set up here.
const NAME: &str = "cutover";

/// A server that could not be made ready.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// It ended by itself.
    #[error("the InfluxDB ended while it was starting: {how}\n{log}")]
    Ended {
        /// How, as the system tells it.
        how: String,
        /// The last lines that it wrote.
        log: String,
    },
    /// It did not become ready in time.
    #[error("the InfluxDB was not ready within {within:?}; the last that was seen: {last}")]
    NotReady {
        /// The limit.
        within: Duration,
        /// What the last question gave.
        last: String,
    },
    /// It is not ours to set up: somebody has done so before.
    #[error("the InfluxDB at `{url}` is set up already, and not by this run")]
    NotOurs {
        /// Where.
        url: String,
    },
    /// It refuses its set-up.
    #[error("the InfluxDB refuses to be set up")]
    Refused(#[source] ClientError),
    /// No credentials could be drawn.
    #[error("the system gives no random numbers for credentials")]
    Random(#[source] std::io::Error),
}

/// A server that was set up.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    /// Where it is, with a token that may do everything.
    pub(crate) endpoint: InfluxEndpoint,
    /// What it says that it is: `v2.7.12`.
    pub(crate) version: String,
}

/// A server that was started and is waited for.
#[derive(Debug)]
pub(crate) struct Starting {
    endpoint: InfluxEndpoint,
    client: InfluxClient,
    deadline: Instant,
}

impl Starting {
    /// Begins to wait for the server at `url`, with one limit over all.
    pub(crate) fn at(url: String) -> Result<Self, SetUpError> {
        let token = random_secret().map_err(SetUpError::Random)?;
        let endpoint = InfluxEndpoint { url, org: NAME.to_owned(), token };
        let timeouts = Timeouts {
            connect: Duration::from_secs(2),
            answer: Duration::from_secs(10),
            idle: Duration::from_secs(10),
        };
        let http = Http::sockets(timeouts).map_err(SetUpError::Refused)?;
        let client = InfluxClient::new(endpoint.clone(), http).map_err(SetUpError::Refused)?;
        Ok(Self { endpoint, client, deadline: Instant::now() + READY_WITHIN })
    }

    /// Asks the server once whether it is well, and sets it up if so. `None` when it is too early;
    /// whoever started the server looks in between whether it still runs.
    pub(crate) async fn ask(&self) -> Result<Option<Ready>, SetUpError> {
        let last = match timeout_at(self.deadline, self.client.health()).await {
            Ok(Ok(health)) if health.status == HealthStatus::Pass => {
                return self.set_up(health.version).await.map(Some);
            }
            Ok(Ok(health)) => format!("it says that it is not well: {}", health.message),
            Ok(Err(error)) => crate::chain(&error),
            Err(_) => "no answer to `GET /health`".to_owned(),
        };
        if Instant::now() + PAUSE >= self.deadline {
            return Err(SetUpError::NotReady { within: READY_WITHIN, last });
        }
        sleep(PAUSE).await;
        Ok(None)
    }

    async fn set_up(&self, version: String) -> Result<Ready, SetUpError> {
        let request = SetupRequest {
            username: NAME.to_owned(),
            password: random_secret().map_err(SetUpError::Random)?,
            bucket: NAME.to_owned(),
            retention: Retention::Infinite,
        };
        match self.client.setup(&request).await.map_err(SetUpError::Refused)? {
            SetupOutcome::Done { .. } => Ok(Ready { endpoint: self.endpoint.clone(), version }),
            SetupOutcome::AlreadySetUp => {
                Err(SetUpError::NotOurs { url: self.endpoint.url.clone() })
            }
        }
    }
}
