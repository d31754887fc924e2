//! Tokens that may do less than the one that makes them.
//!
//! [`InfluxClient::authorize`] mints a token for some buckets, and [`InfluxClient::revoke`] takes
//! it back. [`InfluxClient::may_write`] asks what a token may do that somebody else has minted.

use bytes::Bytes;
use cutover_model::Secret;
use http::{Method, StatusCode};
use serde::Deserialize;

use super::client::{Call, InfluxClient, JSON_CAP};
use super::write::{Encoding, Precision, WriteOutcome};
use crate::error::ClientError;

/// What a token may do with its buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read from them.
    Read,
    /// Read from them, write to them and delete from them.
    ReadWrite,
}

/// A token and its name on the server.
#[derive(Clone, Debug)]
pub struct Authorization {
    /// The server's id of it.
    pub id: String,
    /// The token.
    pub token: Secret,
}

impl InfluxClient {
    /// Mints a token for these buckets, by their ids, and no other.
    pub async fn authorize(
        &self,
        description: &str,
        buckets: &[String],
        access: Access,
    ) -> Result<Authorization, ClientError> {
        #[derive(Deserialize)]
        struct Wire {
            id: String,
            token: String,
        }
        let org = self.org_id().await?;
        let actions: &[&str] = match access {
            Access::Read => &["read"],
            Access::ReadWrite => &["read", "write"],
        };
        let permissions = buckets.iter().flat_map(|bucket| {
            let resource = serde_json::json!({ "type": "buckets", "id": bucket, "orgID": org });
            actions
                .iter()
                .map(move |action| serde_json::json!({ "action": action, "resource": resource }))
        });
        let permissions: Vec<_> = permissions.collect();
        let body = serde_json::json!({
            "orgID": org,
            "description": description,
            "permissions": permissions,
        });
        let call = Call::post_json("create token", "/api/v2/authorizations", &body);
        let answer = self.call(call).await?;
        if answer.status != StatusCode::CREATED {
            return Err(self.refused("create token", answer).await);
        }
        let Wire { id, token } = answer.json(JSON_CAP).await?;
        Ok(Authorization { id, token: Secret::new(token) })
    }

    /// Whether this client's own token may write to a bucket. A body without a line is sent: it
    /// stores nothing, and is refused to whoever may not write.
    pub async fn may_write(&self, bucket: &str) -> Result<bool, ClientError> {
        const OPERATION: &str = "write nothing";
        let answer =
            self.write(bucket, Precision::Nanoseconds, Bytes::new(), Encoding::Plain).await?;
        match answer {
            WriteOutcome::Stored => Ok(true),
            WriteOutcome::Unauthorized { .. } | WriteOutcome::BucketMissing { .. } => Ok(false),
            other => {
                let problem = format!("nobody knows what it says of the token: {other:?}");
                Err(ClientError::Malformed { operation: OPERATION, problem })
            }
        }
    }

    /// Takes a token back. One that is gone already is as good.
    pub async fn revoke(&self, id: &str) -> Result<(), ClientError> {
        let path = format!("/api/v2/authorizations/{id}");
        let call = Call {
            operation: "revoke token",
            method: Method::DELETE,
            path: &path,
            query: &[],
            headers: &[],
            body: Bytes::new(),
        };
        let answer = self.call(call).await?;
        if answer.status == StatusCode::NO_CONTENT || answer.status == StatusCode::NOT_FOUND {
            return Ok(());
        }
        Err(self.refused("revoke token", answer).await)
    }
}
