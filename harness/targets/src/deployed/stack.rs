//! What `terraform output -json` says of a stack, as types.
//!
//! The main type is [`Stack`]. [`Stack::parse`] names every output that is missing or is not what
//! it should be, all in one pass. The document of a runner holds the same map without the types,
//! and without what a runner knows of itself.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::outputs::{Need, Outputs, StackError};

/// The outputs of a stack. Each field is the output of its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// First part of every name in it.
    pub name: String,
    /// Its environment: `staging`.
    pub environment: String,
    /// Its AWS region.
    pub region: String,
    /// Its AWS account.
    pub account_id: String,
    /// The database.
    pub influxdb: StackInfluxdb,
    /// Whether the stack says that it may be written to.
    pub writes_allowed: bool,
    /// The tags that the database had when the outputs were written.
    pub stack_tags: BTreeMap<String, String>,
    /// Where the flags are.
    pub appconfig: StackAppconfig,
    /// Metrics and alarms.
    pub monitoring: StackMonitoring,
    /// The runner, where there is one.
    pub runner: StackRunner,
}

/// The outputs that begin with `influxdb_`.
#[derive(Clone, Debug, PartialEq)]
pub struct StackInfluxdb {
    /// Scheme, host and port of its API.
    pub url: String,
    /// Its host.
    pub endpoint: String,
    /// Its port.
    pub port: u16,
    /// Its id, by which the service addresses it.
    pub instance_id: String,
    /// Its name.
    pub instance_name: String,
    /// Its organisation.
    pub organization: String,
    /// Its first bucket.
    pub bucket: String,
    /// The administrator's secret. Nothing here reads it.
    pub auth_secret_arn: String,
    /// The secrets of the tokens.
    pub token_secret_arns: TokenSecrets,
    /// What the secrets hold beside the tokens.
    pub token_documents: TokenDocuments,
    /// The bucket of its logs.
    pub log_bucket: Option<String>,
}

/// The secrets of the tokens, by what the token may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct TokenSecrets {
    /// Of the token that reads.
    pub reader: String,
    /// Of the token that writes, too.
    pub writer: String,
}

/// What each secret of a token holds beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct TokenDocuments {
    /// Of the token that reads.
    pub reader: TokenDocument,
    /// Of the token that writes, too.
    pub writer: TokenDocument,
}

/// What a secret of a token holds beside it, as far as it says what the token may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenDocument {
    /// The buckets that it may read.
    #[serde(default)]
    pub read_buckets: Vec<String>,
    /// The buckets that it may write to.
    #[serde(default)]
    pub write_buckets: Vec<String>,
}

/// The outputs that begin with `appconfig_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackAppconfig {
    /// The application.
    pub application_id: String,
    /// The environment.
    pub environment_id: String,
    /// The profile that holds the flags.
    pub profile_id: String,
    /// The deployment strategies by name.
    pub strategy_ids: BTreeMap<String, String>,
}

/// The outputs about metrics and alarms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackMonitoring {
    /// The namespace of the application's own metrics.
    pub metric_namespace: String,
    /// The namespace of the database's metrics.
    pub influxdb_metric_namespace: String,
    /// The alarms that send traffic back, by what they watch.
    pub traffic_alarm_names: BTreeMap<String, String>,
    /// The alarm that stands for those.
    pub composite_alarm_name: String,
    /// The alarms on the database.
    pub influxdb_alarm_names: Vec<String>,
}

/// The outputs about the runner; none of them without one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackRunner {
    /// The bucket of its results.
    pub results_bucket: Option<String>,
    /// The queue that takes runs.
    pub job_queue_arn: Option<String>,
    /// The definition of a run.
    pub job_definition_arn: Option<String>,
    /// Parallel jobs of one run.
    pub runner_shards: Option<u32>,
    /// Where its image goes.
    pub repository_url: Option<String>,
}

impl Stack {
    /// Reads the text of `terraform output -json`.
    ///
    /// # Errors
    ///
    /// Every output that is missing or is not what it should be.
    pub fn parse(text: &str) -> Result<Self, StackError> {
        let mut outputs = Outputs::parse(text)?;
        let stack = Self::read(&mut outputs);
        outputs.finish().map(|()| stack)
    }

    /// The outputs that are read, by name.
    pub fn outputs() -> BTreeMap<&'static str, Need> {
        let mut outputs = Outputs::default();
        Self::read(&mut outputs);
        outputs.asked()
    }

    /// Whose stack it is, in a few words.
    pub fn describe(&self) -> String {
        let Self { name, environment, region, account_id, .. } = self;
        format!("{name} ({environment}) in {region}, account {account_id}")
    }

    /// What cannot be read stays empty here and is a problem there.
    fn read(outputs: &mut Outputs) -> Self {
        Self {
            name: outputs.text("name"),
            environment: outputs.text("environment"),
            region: outputs.text("region"),
            account_id: outputs.text("account_id"),
            influxdb: StackInfluxdb::read(outputs),
            writes_allowed: outputs.value("writes_allowed", "true or false"),
            stack_tags: outputs.value("stack_tags", "a map of texts"),
            appconfig: StackAppconfig {
                application_id: outputs.text("appconfig_application_id"),
                environment_id: outputs.text("appconfig_environment_id"),
                profile_id: outputs.text("appconfig_profile_id"),
                strategy_ids: outputs.value("appconfig_strategy_ids", "a map of texts"),
            },
            monitoring: StackMonitoring {
                metric_namespace: outputs.text("metric_namespace"),
                influxdb_metric_namespace: outputs.text("influxdb_metric_namespace"),
                traffic_alarm_names: outputs.value("traffic_alarm_names", "a map of texts"),
                composite_alarm_name: outputs.text("composite_alarm_name"),
                influxdb_alarm_names: outputs.value("influxdb_alarm_names", "a list of texts"),
            },
            runner: StackRunner {
                results_bucket: outputs.nullable("results_bucket", "a text or null"),
                job_queue_arn: outputs.nullable("job_queue_arn", "a text or null"),
                job_definition_arn: outputs.nullable("job_definition_arn", "a text or null"),
                runner_shards: outputs.nullable("runner_shards", "a whole number or null"),
                repository_url: outputs.nullable("repository_url", "a text or null"),
            },
        }
    }
}

impl StackInfluxdb {
    fn read(outputs: &mut Outputs) -> Self {
        let tokens = "a map with the ARNs `reader` and `writer`";
        let documents = "a map with the documents `reader` and `writer`";
        Self {
            url: outputs.url("influxdb_url"),
            endpoint: outputs.text("influxdb_endpoint"),
            port: outputs.value("influxdb_port", "a port"),
            instance_id: outputs.text("influxdb_instance_id"),
            instance_name: outputs.text("influxdb_instance_name"),
            organization: outputs.text("influxdb_organization"),
            bucket: outputs.text("influxdb_bucket"),
            auth_secret_arn: outputs.text("influxdb_auth_secret_arn"),
            token_secret_arns: outputs.value("influxdb_token_secret_arns", tokens),
            token_documents: outputs.value("influxdb_token_documents", documents),
            log_bucket: outputs.nullable("influxdb_log_bucket", "a text or null"),
        }
    }
}
