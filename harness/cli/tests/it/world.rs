//! A world for the deployed target without an account: the few calls of AWS that it makes, answered
//! in this process, and the InfluxDB stand-in with tokens of two kinds.
//!
//! What stands for AWS looks at the signature's access key, region and service, as the services do,
//! and refuses in their words. It does not compute signatures.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use cutover_model::Clock;
use cutover_targets::{QuirkControl, influxdb_standin, timestream_standin};
use serde_json::{Map, Value, json};

use crate::support::{Ran, Sandbox};

const KEY: &str = "AKIATEST";
const REGION: &str = "us-east-1";
const BUCKET: &str = "small_data";
const INSTANCE: &str = "abc123";
pub(crate) const OPERATOR: &str = "operator-token";

/// Three servers, for as long as the test goes on.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) aws: Arc<Mutex<Aws>>,
    pub(crate) outputs: Map<String, Value>,
    tokens: [String; 2],
    environment: BTreeMap<&'static str, String>,
    _runtime: tokio::runtime::Runtime,
}

/// What AWS holds.
pub(crate) struct Aws {
    /// The text of each secret, or the error that stands for it.
    pub(crate) secrets: BTreeMap<String, Result<String, &'static str>>,
    /// The instance's tags, or the error that stands for them.
    pub(crate) tags: Result<BTreeMap<String, String>, &'static str>,
    /// What was asked, by the name of the call and its subject.
    pub(crate) asked: Vec<String>,
}

pub(crate) fn arn(token: &str) -> String {
    format!("arn:aws:secretsmanager:{REGION}:111122223333:secret:{token}")
}

impl World {
    /// A stack that may be written to, beside `sandbox`.
    pub(crate) fn new(sandbox: Sandbox) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let clock = Clock::new(|| 1_700_000_000_000_000_000);
        let any_port = "127.0.0.1:0".parse().unwrap();
        let influxdb =
            runtime.block_on(influxdb_standin(any_port, &clock, QuirkControl::Off)).unwrap();
        let timestream = runtime.block_on(timestream_standin(any_port, &clock)).unwrap();
        let url = influxdb.url();
        let tokens = set_up(&url);
        let aws = Arc::new(Mutex::new(Aws::holding(&tokens)));
        let aws_url = runtime.block_on(serve(Arc::clone(&aws)));
        let environment = BTreeMap::from([
            ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "unchecked".to_owned()),
            ("AWS_ENDPOINT_URL", aws_url),
            ("AWS_ENDPOINT_URL_TIMESTREAM_QUERY", timestream.url()),
            ("AWS_ENDPOINT_URL_TIMESTREAM_WRITE", timestream.url()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("AWS_CONFIG_FILE", "/nonexistent".to_owned()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent".to_owned()),
        ]);
        // They serve until the runtime ends.
        runtime.spawn(async move {
            let _serving = (influxdb, timestream);
            std::future::pending::<()>().await;
        });
        let world =
            Self { sandbox, aws, outputs: outputs(&url), tokens, environment, _runtime: runtime };
        world.write_outputs();
        world
    }

    pub(crate) fn set_output(&mut self, name: &str, value: Value) {
        self.outputs[name]["value"] = value;
        self.write_outputs();
    }

    fn write_outputs(&self) {
        let document = Value::Object(self.outputs.clone());
        self.sandbox.write("stack.json", &document.to_string());
    }

    pub(crate) fn forget_credentials(&mut self) {
        self.environment.remove("AWS_ACCESS_KEY_ID");
        self.environment.remove("AWS_SECRET_ACCESS_KEY");
    }

    pub(crate) fn set_secret(&self, token: &str, text: Result<String, &'static str>) {
        self.aws.lock().unwrap().secrets.insert(arn(token), text);
    }

    pub(crate) fn set_tag(&self, value: Option<&str>) {
        let tags = value.map(|value| ("cutover:allow-writes".to_owned(), value.to_owned()));
        self.aws.lock().unwrap().tags = Ok(tags.into_iter().collect());
    }

    /// The secret of a token that InfluxDB knows, as the rotation functions write it.
    pub(crate) fn secret_with(token: &str) -> String {
        json!({ "engine": "timestream-influxdb", "org": "ons", "type": "custom",
                "dbIdentifier": INSTANCE, "token": token })
        .to_string()
    }

    /// This world's environment, and nothing of AWS beside it.
    pub(crate) fn dress(&self, command: &mut Command) {
        let ours = |name: &str| name.starts_with("AWS_");
        let found = std::env::vars_os().map(|(name, _)| name);
        for name in found.filter(|name| name.to_str().is_some_and(ours)) {
            command.env_remove(name);
        }
        command.envs(&self.environment);
    }

    /// Runs the binary; whatever it prints, no token is in it.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        let mut command = self.sandbox.command(args);
        self.dress(&mut command);
        let ran = Ran::from(command.output().unwrap());
        for token in &self.tokens {
            let printed = format!("{}{}", ran.stdout, ran.stderr);
            assert!(!printed.contains(token.as_str()), "a token was printed: {printed}");
        }
        ran
    }

    /// Runs `small.yaml` against the stack, with the stand-in as the source.
    pub(crate) fn run_small(&self, out: &str, more: &[&str]) -> Ran {
        let args = ["run", "small.yaml", "--target", "deployed", "--stack", "stack.json"];
        self.run(&[&args[..], &["--source", "standin", "--out", out], more].concat())
    }

    pub(crate) fn doctor(&self, more: &[&str]) -> Ran {
        let args = ["doctor", "--target", "deployed", "--stack", "stack.json"];
        self.run(&[&args[..], more].concat())
    }
}

impl Aws {
    fn holding([reader, writer]: &[String; 2]) -> Self {
        let secrets = [("reader", reader), ("writer", writer)]
            .map(|(name, token)| (arn(name), Ok(World::secret_with(token))));
        let tags = [("cutover:allow-writes".to_owned(), "true".to_owned())];
        Self { secrets: secrets.into(), tags: Ok(tags.into()), asked: Vec::new() }
    }

    fn answer(&mut self, target: &str, body: &Value) -> Result<Value, &'static str> {
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let (service, call) = target.split_once('.').unwrap();
        match (service, call) {
            ("secretsmanager", "GetSecretValue") => {
                let id = text("SecretId");
                self.asked.push(format!("{call} {id}"));
                let found = self.secrets.get(&id).cloned();
                let secret = found.unwrap_or(Err("ResourceNotFoundException"))?;
                Ok(json!({ "ARN": id, "Name": "s", "VersionId": "v", "SecretString": secret }))
            }
            ("AmazonTimestreamInfluxDB", "GetDbInstance") => {
                self.asked.push(format!("{call} {}", text("identifier")));
                if text("identifier") != INSTANCE {
                    return Err("ResourceNotFoundException");
                }
                Ok(json!({ "id": INSTANCE, "name": "ons-staging", "arn": "arn:instance",
                           "status": "AVAILABLE", "vpcSubnetIds": ["subnet-1"] }))
            }
            ("AmazonTimestreamInfluxDB", "ListTagsForResource") => {
                self.asked.push(format!("{call} {}", text("resourceArn")));
                assert_eq!(text("resourceArn"), "arn:instance");
                Ok(json!({ "tags": self.tags.clone()? }))
            }
            _ => Err("UnknownOperationException"),
        }
    }
}

async fn serve(aws: Arc<Mutex<Aws>>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().route("/", post(answer)).with_state(aws);
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    url
}

async fn answer(
    State(aws): State<Arc<Mutex<Aws>>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let (target, signed) = (header("x-amz-target"), header("authorization"));
    let service =
        if target.starts_with("secretsmanager") { "secretsmanager" } else { "timestream-influxdb" };
    let scope = signed.contains(&format!("/{REGION}/{service}/aws4_request"));
    let known = signed.starts_with(&format!("AWS4-HMAC-SHA256 Credential={KEY}/"));
    let body = serde_json::from_slice(&body).unwrap();
    let answered = if scope && known {
        aws.lock().unwrap().answer(&target, &body)
    } else {
        Err("UnrecognizedClientException")
    };
    match answered {
        Ok(answer) => (StatusCode::OK, answer.to_string()),
        Err(code) => {
            // The two services write this key differently.
            let key = if service == "secretsmanager" { "Message" } else { "message" };
            let refusal = json!({ "__type": code, key: "refused by the test" });
            (StatusCode::BAD_REQUEST, refusal.to_string())
        }
    }
}

/// Sets the server up with a bucket, a token that reads it and one that writes to it, too.
fn set_up(url: &str) -> [String; 2] {
    let owner = json!({ "username": "admin", "password": "password1", "org": "ons",
                        "bucket": BUCKET, "token": OPERATOR });
    let made = http("POST", &format!("{url}/api/v2/setup"), &owner);
    let (org, bucket) = (made["org"]["id"].clone(), made["bucket"]["id"].clone());
    [&["read"][..], &["read", "write"]].map(|actions| {
        let resource = json!({ "type": "buckets", "id": bucket, "orgID": org });
        let permissions: Vec<_> =
            actions.iter().map(|it| json!({ "action": it, "resource": resource })).collect();
        let wanted = json!({ "orgID": org, "permissions": permissions });
        let token = http("POST", &format!("{url}/api/v2/authorizations"), &wanted);
        token["token"].as_str().unwrap().to_owned()
    })
}

/// One request with the operator's token, and its answer in JSON.
fn http(method: &str, url: &str, body: &Value) -> Value {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let body = body.to_string();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Token {OPERATOR}\r\n\
         content-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let json = answer.find("\r\n\r\n").map(|end| &answer[end..]).unwrap();
    let whole = json.find('{').zip(json.rfind('}')).map(|(from, to)| &json[from..=to]);
    serde_json::from_str(whole.unwrap()).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// What `terraform output -json` says of the stack.
fn outputs(url: &str) -> Map<String, Value> {
    let tokens = json!({ "reader": arn("reader"), "writer": arn("writer") });
    let documents = json!({
        "reader": { "readBuckets": [BUCKET], "type": "custom" },
        "writer": { "readBuckets": [BUCKET], "writeBuckets": [BUCKET], "type": "custom" },
    });
    let values = json!({
        "name": "ons-staging", "environment": "staging", "region": REGION,
        "account_id": "111122223333", "influxdb_url": url, "influxdb_endpoint": "127.0.0.1",
        "influxdb_port": 8086, "influxdb_instance_id": INSTANCE,
        "influxdb_instance_name": "ons-staging", "influxdb_organization": "ons",
        "influxdb_bucket": BUCKET, "influxdb_auth_secret_arn": arn("administrator"),
        "influxdb_token_secret_arns": tokens, "influxdb_token_documents": documents,
        "influxdb_log_bucket": null, "writes_allowed": true,
        "stack_tags": { "cutover:allow-writes": "true" }, "appconfig_application_id": "app",
        "appconfig_environment_id": "env", "appconfig_profile_id": "profile",
        "appconfig_strategy_ids": { "instant": "s" }, "metric_namespace": "ONS/TrafficSwitching",
        "influxdb_metric_namespace": "AWS/Timestream/InfluxDB",
        "traffic_alarm_names": { "latency": "a" }, "composite_alarm_name": "c",
        "influxdb_alarm_names": ["a"],
    });
    let Value::Object(values) = values else { panic!("it is written above") };
    let entry = |(name, value)| (name, json!({ "sensitive": false, "value": value }));
    values.into_iter().map(entry).collect()
}
