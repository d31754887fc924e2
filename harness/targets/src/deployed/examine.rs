//! What of a stack can be reached, part by part, for the doctor.
//!
//! The main function is [`examine`]. It changes nothing: whether a token may write is asked with a
//! body that has no line in it. Each part that is missing says what to do about it.

use cutover_clients::aws::{AwsAccount, InfluxInstance};
use cutover_clients::influx::{HealthStatus, InfluxClient, Retention};
use cutover_clients::timestream::TimestreamClient;
use cutover_clients::{ClientError, Http};
use cutover_model::{Clock, Secret};

use super::guard::{AllowWrites, WRITES_TAG, WritesTag, decide};
use super::{DeployedSource, DeployedSpec, Stack, TIMEOUTS, Token, endpoint, fetch};
use crate::provision::kept;
use crate::{Permission, chain};

/// One part of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which.
    pub name: &'static str,
    /// Whether it can be used.
    pub state: PartState,
    /// What was seen.
    pub told: String,
    /// What to do about it, where something is missing.
    pub remedy: Option<String>,
}

/// Whether a part can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartState {
    /// It can.
    Ok,
    /// It is needed and cannot be used.
    Missing,
    /// Nobody asked for it.
    Unasked,
}

impl Part {
    fn ok(name: &'static str, told: impl Into<String>) -> Self {
        Self { name, state: PartState::Ok, told: told.into(), remedy: None }
    }

    fn unasked(name: &'static str, told: impl Into<String>) -> Self {
        Self { name, state: PartState::Unasked, told: told.into(), remedy: None }
    }

    fn missing(name: &'static str, told: impl Into<String>, remedy: impl Into<String>) -> Self {
        let (told, remedy) = (told.into(), Some(remedy.into()));
        Self { name, state: PartState::Missing, told, remedy }
    }
}

const NO_CREDENTIALS: &str = "it takes credentials to ask";

const CREDENTIALS_HELP: &str = "name a profile in AWS_PROFILE, or pass credentials on: \
    eval \"$(aws configure export-credentials --format env)\"";

const SEE_CREDENTIALS: &str = "see the credentials";

const NETWORK_HELP: &str =
    "InfluxDB is reached from inside its network alone: are you there, with its security group?";

/// Asks every part of a stack whether it is there. `source` is asked where it is not the stand-in.
pub async fn examine(
    spec: &DeployedSpec,
    source: Option<DeployedSource>,
    clock: &Clock,
) -> Result<Vec<Part>, ClientError> {
    let http = Http::sockets(TIMEOUTS)?;
    let stack = &spec.stack;
    let mut parts = vec![Part::ok("outputs", stack.describe())];
    let account = match AwsAccount::find(&stack.region, &http, clock).await {
        Ok(account) => {
            parts.push(credentials(&account, stack));
            Some(account)
        }
        Err(error) => {
            parts.push(Part::missing("credentials", error.to_string(), CREDENTIALS_HELP));
            None
        }
    };
    parts.push(self::source(account.as_ref(), stack, source, (&http, clock)).await);
    let found = match &account {
        Some(account) => Some(account.influx_instance(&stack.influxdb.instance_id).await),
        None => None,
    };
    parts.push(instance(found.as_ref(), stack));
    parts.push(health(stack, &http).await?);
    let reader = token(account.as_ref(), stack, Token::Reader, &http).await;
    parts.push(reader.part);
    let buckets = buckets(reader.client.as_ref(), stack).await;
    parts.extend(buckets);
    parts.push(writes(found.as_ref(), spec));
    parts.push(match spec.writes {
        AllowWrites::Asked => token(account.as_ref(), stack, Token::Writer, &http).await.part,
        AllowWrites::NotAsked => {
            Part::unasked("writer token", "not fetched without --allow-writes")
        }
    });
    Ok(parts)
}

fn credentials(account: &AwsAccount, stack: &Stack) -> Part {
    let identity = account.identity();
    let told = format!("access key {}", identity.access_key);
    match &identity.account {
        Some(id) if *id != stack.account_id => {
            let told = format!("{told} is of the account {id}, and the stack is not");
            let remedy = format!("use credentials of the account {}", stack.account_id);
            Part::missing("credentials", told, remedy)
        }
        _ => Part::ok("credentials", told),
    }
}

async fn source(
    account: Option<&AwsAccount>,
    stack: &Stack,
    asked: Option<DeployedSource>,
    (http, clock): (&Http, &Clock),
) -> Part {
    const NAME: &str = "source";
    match (asked, account) {
        (None, _) => Part::unasked(NAME, "LiveAnalytics is asked with --source liveanalytics"),
        (Some(DeployedSource::StandIn), _) => Part::ok(NAME, "the stand-in, in this process"),
        (Some(DeployedSource::LiveAnalytics), None) => {
            Part::missing(NAME, NO_CREDENTIALS, SEE_CREDENTIALS)
        }
        (Some(DeployedSource::LiveAnalytics), Some(account)) => {
            let endpoint = account.timestream(&stack.region);
            let asked = async {
                let client =
                    TimestreamClient::connect(endpoint, http.clone(), clock.clone(), 0).await?;
                // The least that can be asked: a query that reads no table.
                let mut answer = client.query("SELECT 1");
                answer.next_page().await
            };
            match asked.await {
                Ok(_) => Part::ok(NAME, format!("LiveAnalytics answers in {}", stack.region)),
                Err(error) => Part::missing(
                    NAME,
                    format!("LiveAnalytics does not answer in {}: {}", stack.region, chain(&error)),
                    "an account that never had LiveAnalytics has none: --source standin",
                ),
            }
        }
    }
}

fn instance(found: Option<&Result<InfluxInstance, ClientError>>, stack: &Stack) -> Part {
    const NAME: &str = "instance";
    match found {
        None => Part::missing(NAME, NO_CREDENTIALS, SEE_CREDENTIALS),
        Some(Err(error)) => {
            let id = &stack.influxdb.instance_id;
            Part::missing(NAME, format!("`{id}`: {}", chain(error)), asking_help(error))
        }
        Some(Ok(it)) if it.name != stack.influxdb.instance_name => Part::missing(
            NAME,
            format!("the id belongs to `{}`, not to `{}`", it.name, stack.influxdb.instance_name),
            "write the outputs anew: cutover stack output --out FILE",
        ),
        Some(Ok(it)) => Part::ok(NAME, format!("`{}`, {}", it.name, it.status)),
    }
}

/// What to do when AWS refuses an answer.
fn asking_help(error: &ClientError) -> String {
    match error {
        ClientError::Answered { code, .. } if code.contains("AccessDenied") => {
            "take on the stack's policy `reader` or `writer`: cutover stack output, `policy_arns`"
                .to_owned()
        }
        ClientError::Answered { code, .. } if code.contains("NotFound") => {
            "is it this account and region? else write the outputs anew: cutover stack output"
                .to_owned()
        }
        ClientError::Answered { .. } => {
            "are the credentials of this account, and still valid?".to_owned()
        }
        _ => "AWS is reached through the VPC's endpoints or the internet: is either there?".into(),
    }
}

async fn health(stack: &Stack, http: &Http) -> Result<Part, ClientError> {
    const NAME: &str = "influxdb";
    let client = InfluxClient::new(endpoint(stack, Secret::new("")), http.clone())?;
    let url = &stack.influxdb.url;
    Ok(match client.health().await {
        Ok(health) if health.status == HealthStatus::Pass => {
            Part::ok(NAME, format!("{url} is well, {}", health.version))
        }
        Ok(health) => {
            let told = format!("{url} says that it is not well: {}", health.message);
            Part::missing(NAME, told, "look at the instance's logs and metrics")
        }
        Err(error) => Part::missing(NAME, format!("{url}: {}", chain(&error)), NETWORK_HELP),
    })
}

/// A token, and a client that has it, where it is accepted.
struct Held {
    part: Part,
    client: Option<InfluxClient>,
}

async fn token(account: Option<&AwsAccount>, stack: &Stack, token: Token, http: &Http) -> Held {
    let (name, documents) = match token {
        Token::Reader => ("reader token", &stack.influxdb.token_documents.reader),
        Token::Writer => ("writer token", &stack.influxdb.token_documents.writer),
    };
    let missing =
        |told: String, remedy: &str| Held { part: Part::missing(name, told, remedy), client: None };
    let Some(account) = account else {
        return missing(NO_CREDENTIALS.to_owned(), SEE_CREDENTIALS);
    };
    let secret = match fetch(account, stack, token).await {
        Ok(secret) => secret,
        Err(super::DeployedError::Secret { cause, arn, .. }) => {
            // A secret without a version has had no token yet; the service calls that not found.
            let remedy = match &cause {
                ClientError::Answered { code, .. } if code.contains("NotFound") => {
                    "make the token and put it in: docs/stack.md, step 4".to_owned()
                }
                cause => asking_help(cause),
            };
            return missing(format!("`{arn}`: {}", chain(&cause)), &remedy);
        }
        Err(error) => {
            return missing(chain(&error), "put the token in anew: docs/stack.md, step 4");
        }
    };
    let client = match InfluxClient::new(endpoint(stack, secret), http.clone()) {
        Ok(client) => client,
        Err(error) => {
            return missing(chain(&error), "put the token in anew: docs/stack.md, step 4");
        }
    };
    match scopes(&client, stack, documents.read_buckets.as_slice()).await {
        Ok(scopes) => {
            let part = scopes.told(name, token, documents);
            Held { part, client: Some(client) }
        }
        Err(ClientError::Answered { status: 401, .. }) => missing(
            "InfluxDB does not accept it".to_owned(),
            "it was taken back or belongs to another server: make a new one, docs/stack.md, step 4",
        ),
        Err(error) => missing(format!("it cannot be tried: {}", chain(&error)), NETWORK_HELP),
    }
}

/// What a token may do with the buckets of its document.
#[derive(Debug, Default)]
struct Scopes {
    reads: Vec<String>,
    writes: Vec<String>,
}

/// Tries it out.
async fn scopes(
    client: &InfluxClient,
    stack: &Stack,
    buckets: &[String],
) -> Result<Scopes, ClientError> {
    let mut scopes = Scopes::default();
    let own = std::slice::from_ref(&stack.influxdb.bucket);
    // A token for everything has no list in its document.
    for bucket in if buckets.is_empty() { own } else { buckets } {
        if client.find_bucket(bucket).await?.is_some() {
            scopes.reads.push(bucket.clone());
        }
        if client.may_write(bucket).await? {
            scopes.writes.push(bucket.clone());
        }
    }
    Ok(scopes)
}

impl Scopes {
    fn told(self, name: &'static str, token: Token, document: &super::TokenDocument) -> Part {
        let list = |names: &[String]| match names {
            [] => "nothing".to_owned(),
            names => names.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", "),
        };
        let told = format!("accepted; reads {}, writes {}", list(&self.reads), list(&self.writes));
        let lacks = |wanted: &[String], has: &[String]| wanted.iter().any(|it| !has.contains(it));
        let short = lacks(&document.read_buckets, &self.reads)
            || lacks(&document.write_buckets, &self.writes);
        if short {
            let wanted = format!(
                "it should read {} and write {}: make the buckets first, then the token",
                list(&document.read_buckets),
                list(&document.write_buckets)
            );
            return Part::missing(name, told, wanted);
        }
        if token == Token::Reader && !self.writes.is_empty() {
            let remedy = "make one that only reads: docs/stack.md, step 4";
            return Part::missing(name, format!("{told}: it may write"), remedy);
        }
        Part::ok(name, told)
    }
}

async fn buckets(reader: Option<&InfluxClient>, stack: &Stack) -> Vec<Part> {
    const NAME: &str = "bucket";
    let Some(reader) = reader else {
        let remedy = "see the reader's token";
        return vec![Part::missing(NAME, "it takes the reader's token to look", remedy)];
    };
    let named = &stack.influxdb.token_documents.reader.read_buckets;
    let mut names = vec![&stack.influxdb.bucket];
    names.extend(named.iter().filter(|it| **it != stack.influxdb.bucket));
    let mut parts = Vec::new();
    for name in names {
        parts.push(match reader.find_bucket(name).await {
            Ok(Some(bucket)) => {
                let told = match bucket.retention {
                    Retention::Infinite => "kept for ever".to_owned(),
                    some @ Retention::For(_) => format!("kept {}", kept(some)),
                };
                Part::ok(NAME, format!("`{name}`, {told}"))
            }
            Ok(None) => Part::missing(
                NAME,
                format!("`{name}` is not there, or the reader may not see it"),
                format!("influx bucket create --name {name} --retention 0, then the token anew"),
            ),
            Err(error) => Part::missing(NAME, format!("`{name}`: {}", chain(&error)), NETWORK_HELP),
        });
    }
    parts
}

fn writes(found: Option<&Result<InfluxInstance, ClientError>>, spec: &DeployedSpec) -> Part {
    const NAME: &str = "writes";
    let tag = match found {
        Some(Ok(instance)) => WritesTag::among(&instance.tags),
        Some(Err(error)) => WritesTag::Unreadable(chain(error)),
        None => WritesTag::Unreadable(NO_CREDENTIALS.to_owned()),
    };
    match (decide(spec.writes, &spec.stack, &tag), spec.writes) {
        (Permission::Granted, _) => Part::ok(NAME, "allowed by the outputs, the tag and you"),
        (Permission::Refused(why), AllowWrites::NotAsked) => Part::unasked(NAME, why),
        (Permission::Refused(why), AllowWrites::Asked) => {
            let remedy = format!(
                "to allow them, set `allow_writes = true`, plan and apply, which sets the tag \
                 `{WRITES_TAG}`, and write the outputs anew"
            );
            Part::missing(NAME, why, remedy)
        }
    }
}
