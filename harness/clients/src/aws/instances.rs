//! Instances of Timestream for InfluxDB, as the service's control plane describes them.

use std::collections::BTreeMap;

use super::AwsAccount;
use super::error::classify_by_word;
use crate::error::ClientError;

/// An instance and its tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InfluxInstance {
    /// Its name.
    pub name: String,
    /// Its state in the service's words: `AVAILABLE`.
    pub status: String,
    /// Its tags, as they are now.
    pub tags: BTreeMap<String, String>,
}

impl AwsAccount {
    /// The instance with this id, with the tags that it carries at this moment.
    pub async fn influx_instance(&self, id: &str) -> Result<InfluxInstance, ClientError> {
        let client = aws_sdk_timestreaminfluxdb::Client::new(&self.config);
        let found = client.get_db_instance().identifier(id).send().await;
        let found = found.map_err(|error| classify_by_word("get db instance", error))?;
        let listed = client.list_tags_for_resource().resource_arn(found.arn()).send().await;
        let listed = listed.map_err(|error| classify_by_word("list tags", error))?;
        let tags = listed.tags.unwrap_or_default().into_iter().collect();
        let status = found.status().map_or("unknown", |status| status.as_str()).to_owned();
        Ok(InfluxInstance { name: found.name().to_owned(), status, tags })
    }
}
