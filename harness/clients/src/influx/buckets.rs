//! Buckets and their retention, and deleting from them.
//!
//! The main types are [`Retention`] and [`BucketOutcome`]. A bucket that exists is never changed or
//! dropped from here: one with another retention is reported, and what to do about it is the
//! caller's choice.

use std::time::Duration;

use bytes::Bytes;
use cutover_model::TimeRange;
use http::{Method, StatusCode, header};
use serde::Deserialize;

use super::client::{Call, InfluxClient, JSON_CAP};
use super::line_protocol::TIMES;
use crate::error::ClientError;
use crate::http::Answer;
use crate::instant::format_rfc3339;

/// How long a bucket keeps its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// For ever.
    Infinite,
    /// For this long, in whole seconds.
    For(Duration),
}

/// A bucket as the server describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The server's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How long it keeps its data.
    pub retention: Retention,
}

/// What was found or made of a bucket that should be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BucketOutcome {
    /// It was made.
    Created,
    /// It was there, as wanted.
    Present,
    /// It was there with another retention, and was left as it is.
    Drifted {
        /// The retention that it has.
        found: Retention,
    },
}

#[derive(Deserialize)]
struct BucketWire {
    id: String,
    name: String,
    #[serde(default, rename = "retentionRules")]
    retention_rules: Vec<RuleWire>,
}

#[derive(Deserialize)]
struct RuleWire {
    #[serde(default, rename = "everySeconds")]
    every_seconds: u64,
}

impl Retention {
    /// As the API counts it, where no time at all means for ever.
    pub(super) fn seconds(self) -> Result<u64, ClientError> {
        match self {
            Self::Infinite => Ok(0),
            Self::For(time) if time.subsec_nanos() == 0 && time.as_secs() > 0 => Ok(time.as_secs()),
            Self::For(time) => {
                let problem = "is no retention: whole seconds, and at least one, are needed";
                Err(ClientError::invalid(format!("{time:?}"), problem))
            }
        }
    }
}

impl From<BucketWire> for Bucket {
    fn from(wire: BucketWire) -> Self {
        let BucketWire { id, name, retention_rules } = wire;
        let retention = match retention_rules.first() {
            Some(RuleWire { every_seconds }) if *every_seconds > 0 => {
                Retention::For(Duration::from_secs(*every_seconds))
            }
            _ => Retention::Infinite,
        };
        Self { id, name, retention }
    }
}

impl InfluxClient {
    /// Looks for a bucket by its exact name.
    pub async fn find_bucket(&self, name: &str) -> Result<Option<Bucket>, ClientError> {
        #[derive(Deserialize)]
        struct Wire {
            buckets: Vec<BucketWire>,
        }
        let query = [("org", self.inner.org.as_str()), ("name", name)];
        let answer = self.call(Call::get("find bucket", "/api/v2/buckets", &query)).await?;
        if answer.status == StatusCode::NOT_FOUND {
            let refusal = self.refusal(answer, &[]).await;
            // The server says 404 for an unknown organisation, too, and that is a mistake of ours.
            if refusal.message.starts_with("organization") {
                return Err(refusal.into_error("find bucket"));
            }
            return Ok(None);
        }
        let Wire { buckets } = self.expect_json(StatusCode::OK, "find bucket", answer).await?;
        Ok(buckets.into_iter().find(|bucket| bucket.name == name).map(Bucket::from))
    }

    /// Makes sure that a bucket is there. One that is there is left as it is.
    pub async fn ensure_bucket(
        &self,
        name: &str,
        retention: Retention,
    ) -> Result<BucketOutcome, ClientError> {
        let seconds = retention.seconds()?;
        if let Some(found) = self.find_bucket(name).await? {
            return Ok(found.compared_to(retention));
        }
        let rules = match retention {
            Retention::Infinite => serde_json::json!([]),
            Retention::For(_) => serde_json::json!([{ "type": "expire", "everySeconds": seconds }]),
        };
        let body = serde_json::json!({
            "orgID": self.org_id().await?,
            "name": name,
            "retentionRules": rules,
        });
        let call = Call::post_json("create bucket", "/api/v2/buckets", &body);
        let answer = self.call(call).await?;
        if answer.status == StatusCode::CREATED {
            return Ok(BucketOutcome::Created);
        }
        let refusal = self.refusal(answer, &[]).await;
        if refusal.is_conflict() {
            // Somebody else was faster; what they made counts.
            if let Some(found) = self.find_bucket(name).await? {
                return Ok(found.compared_to(retention));
            }
        }
        Err(refusal.into_error("create bucket"))
    }

    /// Deletes what lies in `range` and matches `predicate` (`""` matches everything).
    pub async fn delete(
        &self,
        bucket: &str,
        range: TimeRange,
        predicate: &str,
    ) -> Result<(), ClientError> {
        if range.start_ns >= range.stop_ns {
            return Ok(());
        }
        // The API deletes at its `stop`, too; our ranges end before it. It refuses instants that no
        // point can have, so a range that reaches beyond them is as good without them.
        let (first, last) = (range.start_ns.max(*TIMES.start()), range.stop_ns - 1);
        let mut body = serde_json::json!({
            "start": format_rfc3339(first),
            "stop": format_rfc3339(last.min(*TIMES.end())),
        });
        if !predicate.is_empty() {
            body["predicate"] = predicate.into();
        }
        let call = Call {
            operation: "delete",
            method: Method::POST,
            path: "/api/v2/delete",
            query: &[("org", &self.inner.org), ("bucket", bucket)],
            headers: &[(header::CONTENT_TYPE, "application/json")],
            body: Bytes::from(body.to_string()),
        };
        let answer = self.call(call).await?;
        if answer.status == StatusCode::NO_CONTENT {
            return Ok(());
        }
        Err(self.refused("delete", answer).await)
    }

    pub(super) async fn org_id(&self) -> Result<String, ClientError> {
        #[derive(Deserialize)]
        struct Wire {
            orgs: Vec<OrgWire>,
        }
        #[derive(Deserialize)]
        struct OrgWire {
            id: String,
            name: String,
        }
        let query = [("org", self.inner.org.as_str())];
        let answer = self.call(Call::get("find organisation", "/api/v2/orgs", &query)).await?;
        let Wire { orgs } = self.expect_json(StatusCode::OK, "find organisation", answer).await?;
        let found = orgs.into_iter().find(|org| org.name == self.inner.org);
        found.map(|org| org.id).ok_or_else(|| {
            ClientError::invalid(&*self.inner.org, "is no organisation that the token can see")
        })
    }

    pub(super) async fn expect_json<T: serde::de::DeserializeOwned>(
        &self,
        status: StatusCode,
        operation: &'static str,
        answer: Answer,
    ) -> Result<T, ClientError> {
        if answer.status != status {
            return Err(self.refused(operation, answer).await);
        }
        answer.json(JSON_CAP).await
    }
}

impl Bucket {
    fn compared_to(&self, wanted: Retention) -> BucketOutcome {
        if self.retention == wanted {
            BucketOutcome::Present
        } else {
            BucketOutcome::Drifted { found: self.retention }
        }
    }
}
