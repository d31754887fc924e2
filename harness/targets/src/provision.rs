//! What a scenario needs on its destination: buckets with their retention, and tokens for them.
//!
//! [`provision`] makes what is absent and compares what is there. Nothing that exists is changed or
//! dropped: a bucket with another retention is an error that names both, since shortening it would
//! delete data and lengthening it would hide that somebody else decided otherwise.

use std::time::Duration;

use cutover_clients::influx::{
    Access, Authorization, BucketOutcome, InfluxClient, InfluxEndpoint, Retention,
};
use cutover_clients::{ClientError, Http};
use cutover_model::scenario::Bucket;
use cutover_model::{Secret, ShortDuration};

/// The destination as a scenario sees it.
#[derive(Debug)]
pub struct Provisioned {
    /// With a token that may read from and write to the scenario's buckets, and no other.
    pub writer: InfluxEndpoint,
    /// With a token that may read from the scenario's buckets, and no other.
    pub reader: InfluxEndpoint,
    /// The buckets that were made.
    pub made: Vec<String>,
    /// The buckets that were there, as wanted.
    pub found: Vec<String>,
    operator: InfluxClient,
    /// Those that the scenario works with.
    tokens: Vec<Authorization>,
}

/// A destination that is not as a scenario needs it.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// A bucket keeps its data for another time.
    #[error(
        "the bucket `{bucket}` keeps its data {}, and the scenario wants it kept {}: change one \
         of them; nothing was changed here", kept(*found), kept(*wanted)
    )]
    Drifted {
        /// Which.
        bucket: String,
        /// What it has.
        found: Retention,
        /// What the scenario says.
        wanted: Retention,
    },
    /// The destination refuses.
    #[error("the destination could not be prepared: `{subject}`")]
    Refused {
        /// Of what.
        subject: String,
        /// Why.
        #[source]
        cause: ClientError,
    },
}

/// Makes sure of a scenario's buckets and mints its tokens. `name` says whose they are.
pub async fn provision(
    destination: &InfluxEndpoint,
    http: &Http,
    name: &str,
    buckets: &[Bucket],
) -> Result<Provisioned, ProvisionError> {
    let refused = |subject: &str| {
        let subject = subject.to_owned();
        move |cause| ProvisionError::Refused { subject, cause }
    };
    let operator =
        InfluxClient::new(destination.clone(), http.clone()).map_err(refused(&destination.org))?;
    let (mut made, mut found, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for bucket in buckets {
        let wanted = bucket.retention.map_or(Retention::Infinite, Retention::For);
        let outcome = operator.ensure_bucket(&bucket.name, wanted).await;
        match outcome.map_err(refused(&bucket.name))? {
            BucketOutcome::Created => made.push(bucket.name.clone()),
            BucketOutcome::Present => found.push(bucket.name.clone()),
            BucketOutcome::Drifted { found } => {
                let bucket = bucket.name.clone();
                return Err(ProvisionError::Drifted { bucket, found, wanted });
            }
        }
        let made = operator.find_bucket(&bucket.name).await.map_err(refused(&bucket.name))?;
        ids.extend(made.map(|bucket| bucket.id));
    }
    let mut tokens = Vec::new();
    let mut ends = [nobody(destination), nobody(destination)];
    let rights = [("writing", "write", Access::ReadWrite), ("reading", "read", Access::Read)];
    // A scenario without buckets may do nothing here; the server grants no token for that.
    for (end, (doing, may, access)) in ends.iter_mut().zip(rights).filter(|_| !ids.is_empty()) {
        let description = format!("cutover {name}, {doing}");
        let token = operator.authorize(&description, &ids, access).await;
        let token = token.map_err(refused(&format!("a token that may {may}")))?;
        end.token = token.token.clone();
        tokens.push(token);
    }
    let [writer, reader] = ends;
    Ok(Provisioned { writer, reader, made, found, operator, tokens })
}

/// The destination for whoever may do nothing there.
fn nobody(destination: &InfluxEndpoint) -> InfluxEndpoint {
    InfluxEndpoint { token: Secret::new(""), ..destination.clone() }
}

impl Provisioned {
    /// Takes the tokens back. The buckets stay.
    pub async fn revoke(self) -> Result<(), ClientError> {
        let mut revoked = Ok(());
        for token in &self.tokens {
            let ended = self.operator.revoke(&token.id).await;
            revoked = revoked.and(ended);
        }
        revoked
    }

    /// What was made and found, as a sentence.
    pub fn describe(&self) -> Option<String> {
        let told = |what: &str, names: &[String]| {
            let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
            (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")))
        };
        let parts = [told("buckets made:", &self.made), told("buckets found:", &self.found)];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

fn kept(retention: Retention) -> String {
    match retention {
        Retention::Infinite => "for ever".to_owned(),
        Retention::For(time) => format!("for {}", days(time)),
    }
}

/// Whole days as such, anything else as a duration.
fn days(time: Duration) -> String {
    const DAY: u64 = 86_400;
    let seconds = time.as_secs();
    if seconds >= DAY && seconds.is_multiple_of(DAY) {
        format!("{} days", seconds / DAY)
    } else {
        ShortDuration(time).to_string()
    }
}

#[cfg(test)]
mod tests {
    use cutover_clients::Timeouts;
    use cutover_model::Clock;

    use super::*;
    use crate::embedded::Embedded;

    fn http() -> Http {
        let limit = Duration::from_secs(5);
        Http::sockets(Timeouts { connect: limit, answer: limit, idle: limit }).unwrap()
    }

    fn bucket(name: &str, days: u64) -> Bucket {
        let retention = Some(Duration::from_hours(24 * days));
        Bucket { name: name.to_owned(), retention }
    }

    async fn standin() -> Embedded {
        Embedded::start(&Clock::new(|| 1_700_000_000_000_000_000)).await.unwrap()
    }

    #[tokio::test]
    async fn a_bucket_that_is_absent_is_made_with_its_retention() {
        let standin = standin().await;
        let wanted = [bucket("consumption_data", 2_555)];
        let made = provision(&standin.endpoint, &http(), "s", &wanted).await.unwrap();
        assert_eq!(made.made, ["consumption_data"]);
        let found = made.operator.find_bucket("consumption_data").await.unwrap().unwrap();
        assert_eq!(found.retention, Retention::For(Duration::from_hours(24 * 2_555)));
    }

    #[tokio::test]
    async fn a_scenario_without_buckets_may_do_nothing() {
        let standin = standin().await;
        let made = provision(&standin.endpoint, &http(), "s", &[]).await.unwrap();
        assert_eq!((made.tokens.len(), made.writer.token.expose()), (0, ""));
    }

    #[tokio::test]
    async fn a_bucket_that_is_as_wanted_is_found() {
        let standin = standin().await;
        let wanted = [bucket("b1", 7)];
        provision(&standin.endpoint, &http(), "s", &wanted).await.unwrap();
        let again = provision(&standin.endpoint, &http(), "s", &wanted).await.unwrap();
        assert_eq!((again.made.len(), again.found.as_slice()), (0, &["b1".to_owned()][..]));
    }

    #[tokio::test]
    async fn a_bucket_with_another_retention_is_refused_and_left_alone() {
        let standin = standin().await;
        provision(&standin.endpoint, &http(), "s", &[bucket("b1", 30)]).await.unwrap();
        let error = provision(&standin.endpoint, &http(), "s", &[bucket("b1", 7)]).await;
        let told = error.unwrap_err().to_string();
        assert!(told.contains("keeps its data for 30 days"), "{told}");
        let client = InfluxClient::new(standin.endpoint.clone(), http()).unwrap();
        let found = client.find_bucket("b1").await.unwrap().unwrap();
        assert_eq!(found.retention, Retention::For(Duration::from_hours(24 * 30)));
    }
}
