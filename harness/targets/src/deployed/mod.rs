//! The deployed target: a stack on AWS that somebody made with Terraform, and that stays.
//!
//! The main type is [`Deployed`]: where its InfluxDB is, with the tokens that its secrets hold, and
//! whether it may be written to. [`examine`] asks the same one by one, for the doctor. Nothing is
//! started here, nothing is given back, and nothing of the stack itself is ever changed.

mod examine;
mod guard;
mod outputs;
mod stack;
mod token;

use cutover_clients::aws::{AwsAccount, CredentialsError};
use cutover_clients::influx::InfluxEndpoint;
use cutover_clients::timestream::TimestreamEndpoint;
use cutover_clients::{ClientError, Http, Timeouts};
use cutover_model::{Clock, Secret};
use std::time::Duration;

use crate::{Permission, chain};

pub use examine::{Part, PartState, examine};
pub use guard::{AllowWrites, WRITES_TAG, WritesTag};
pub use outputs::{Need, OutputProblem, StackError};
pub use stack::{
    Stack, StackAppconfig, StackInfluxdb, StackMonitoring, StackRunner, TokenDocument,
    TokenDocuments, TokenSecrets,
};
pub use token::TokenProblem;

/// How long the account and the stack may take to answer.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    answer: Duration::from_secs(20),
    idle: Duration::from_secs(20),
};

/// Which stack, and what may be done with it.
#[derive(Clone, Debug)]
pub struct DeployedSpec {
    /// Its outputs.
    pub stack: Stack,
    /// What it is compared with.
    pub source: DeployedSource,
    /// Whether the user wants to write to it.
    pub writes: AllowWrites,
}

/// What a deployed stack is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeployedSource {
    /// The account's Timestream for LiveAnalytics, in the stack's region. It is only ever read.
    LiveAnalytics,
    /// The Timestream stand-in, in this process.
    StandIn,
}

/// A stack that can be asked.
#[derive(Debug)]
pub(crate) struct Deployed {
    /// Its InfluxDB, for reading.
    pub(crate) reader: InfluxEndpoint,
    /// Its InfluxDB, for writing, where that is allowed.
    pub(crate) writer: Option<InfluxEndpoint>,
    pub(crate) writing: Permission,
    /// The source, unless it is the stand-in.
    pub(crate) source: Option<TimestreamEndpoint>,
    pub(crate) description: String,
}

/// A stack that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DeployedError {
    /// Nobody is there to ask AWS.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// No connections can be made at all.
    #[error("no connection to AWS can be made")]
    Http(#[source] ClientError),
    /// A secret cannot be read.
    #[error("the secret of the token `{token}`, `{arn}`, cannot be read")]
    Secret {
        /// Which token.
        token: &'static str,
        /// The secret.
        arn: String,
        /// Why not.
        #[source]
        cause: ClientError,
    },
    /// A secret holds no token for this stack.
    #[error("the secret of the token `{token}`, `{arn}`, cannot be used")]
    Token {
        /// Which token.
        token: &'static str,
        /// The secret.
        arn: String,
        /// Why not.
        #[source]
        cause: TokenProblem,
    },
}

/// Which of a stack's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Reader,
    Writer,
}

impl Deployed {
    /// Fetches what is needed to use the stack. The writer's token is not touched unless the stack
    /// may be written to.
    pub(crate) async fn find(spec: &DeployedSpec, clock: &Clock) -> Result<Self, DeployedError> {
        let DeployedSpec { stack, source, writes } = spec;
        let http = Http::sockets(TIMEOUTS).map_err(DeployedError::Http)?;
        let account = AwsAccount::find(&stack.region, &http, clock).await?;
        let tag = match (writes, stack.writes_allowed) {
            (AllowWrites::Asked, true) => writes_tag(&account, stack).await,
            _ => WritesTag::Unasked,
        };
        let writing = guard::decide(*writes, stack, &tag);
        let reader = fetch(&account, stack, Token::Reader).await?;
        let writer = match &writing {
            Permission::Granted => Some(fetch(&account, stack, Token::Writer).await?),
            Permission::Refused(_) => None,
        };
        let source = match source {
            DeployedSource::LiveAnalytics => Some(account.timestream(&stack.region)),
            DeployedSource::StandIn => None,
        };
        let at = |token| endpoint(stack, token);
        Ok(Self {
            reader: at(reader),
            writer: writer.map(at),
            writing,
            source,
            description: format!("InfluxDB of the stack {}", stack.describe()),
        })
    }
}

impl Token {
    fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Writer => "writer",
        }
    }

    fn secret_of(self, stack: &Stack) -> &str {
        let secrets = &stack.influxdb.token_secret_arns;
        match self {
            Self::Reader => &secrets.reader,
            Self::Writer => &secrets.writer,
        }
    }
}

fn endpoint(stack: &Stack, token: Secret) -> InfluxEndpoint {
    let StackInfluxdb { url, organization, .. } = &stack.influxdb;
    InfluxEndpoint { url: url.clone(), org: organization.clone(), token }
}

/// The tag as the instance carries it now.
async fn writes_tag(account: &AwsAccount, stack: &Stack) -> WritesTag {
    match account.influx_instance(&stack.influxdb.instance_id).await {
        Ok(instance) => WritesTag::among(&instance.tags),
        Err(error) => WritesTag::Unreadable(chain(&error)),
    }
}

async fn fetch(account: &AwsAccount, stack: &Stack, token: Token) -> Result<Secret, DeployedError> {
    let (name, arn) = (token.name(), token.secret_of(stack));
    let text = account.secret(arn).await.map_err(|cause| DeployedError::Secret {
        token: name,
        arn: arn.to_owned(),
        cause,
    })?;
    token::token_of(&text, stack).map_err(|cause| DeployedError::Token {
        token: name,
        arn: arn.to_owned(),
        cause,
    })
}

#[cfg(test)]
mod tests;
