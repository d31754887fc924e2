//! What a scenario needs on its destination: buckets with their retention, and tokens for them.
//!
//! [`provision`] makes what is absent and compares what is there. Nothing that exists is changed or
//! dropped: a bucket with another retention is an error that names both, since shortening it would
//! delete data and lengthening it would hide that somebody else decided otherwise. Where the tokens
//! are given, none are made, and buckets only with the one that may write.

use std::time::Duration;

use cutover_clients::influx::{
    Access, Authorization, BucketOutcome, InfluxClient, InfluxEndpoint, Retention,
};
use cutover_clients::{ClientError, Http};
use cutover_model::scenario::Bucket;
use cutover_model::{Secret, ShortDuration};

/// Where the destination is, and with whose rights it is asked.
#[derive(Clone, Debug)]
pub enum Destination {
    /// It was started for the run, with a token that may do everything.
    Ours(InfluxEndpoint),
    /// It is somebody else's, with tokens that were given.
    Given {
        /// With the token that reads.
        reader: InfluxEndpoint,
        /// With the token that writes, where writing is allowed.
        writer: Option<InfluxEndpoint>,
    },
}

/// The destination as a scenario sees it.
#[derive(Debug)]
pub struct Provisioned {
    /// With a token that may read from and write to the scenario's buckets, and no other.
    pub writer: InfluxEndpoint,
    /// With a token that may read from the scenario's buckets, and no other.
    pub reader: InfluxEndpoint,
    /// What was made and found of the scenario's buckets.
    pub buckets: Buckets,
    /// The tokens that were made for the scenario, and who takes them back.
    minted: Option<(InfluxClient, Vec<Authorization>)>,
}

/// What became of a scenario's buckets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buckets {
    /// Those that were made.
    pub made: Vec<String>,
    /// Those that were there, as wanted.
    pub found: Vec<String>,
    /// Those that are not there, or that the token may not see, where none may be made.
    pub absent: Vec<String>,
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

/// Makes sure of a scenario's buckets and of its tokens. `name` says whose they are.
pub async fn provision(
    destination: &Destination,
    http: &Http,
    name: &str,
    buckets: &[Bucket],
) -> Result<Provisioned, ProvisionError> {
    match destination {
        Destination::Ours(operator) => provision_ours(operator, http, name, buckets).await,
        Destination::Given { reader, writer } => {
            provision_given((reader, writer.as_ref()), http, buckets).await
        }
    }
}

fn refused(subject: &str) -> impl FnOnce(ClientError) -> ProvisionError {
    let subject = subject.to_owned();
    move |cause| ProvisionError::Refused { subject, cause }
}

fn wanted(bucket: &Bucket) -> Retention {
    bucket.retention.map_or(Retention::Infinite, Retention::For)
}

async fn provision_ours(
    destination: &InfluxEndpoint,
    http: &Http,
    name: &str,
    buckets: &[Bucket],
) -> Result<Provisioned, ProvisionError> {
    let operator =
        InfluxClient::new(destination.clone(), http.clone()).map_err(refused(&destination.org))?;
    let mut seen = Buckets::default();
    let mut ids = Vec::new();
    for bucket in buckets {
        seen.ensure(&operator, bucket).await?;
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
    Ok(Provisioned { writer, reader, buckets: seen, minted: Some((operator, tokens)) })
}

async fn provision_given(
    (reader, writer): (&InfluxEndpoint, Option<&InfluxEndpoint>),
    http: &Http,
    buckets: &[Bucket],
) -> Result<Provisioned, ProvisionError> {
    let client = |endpoint: &InfluxEndpoint| {
        InfluxClient::new(endpoint.clone(), http.clone()).map_err(refused(&endpoint.org))
    };
    let reads = client(reader)?;
    let writes = writer.map(client).transpose()?;
    let mut seen = Buckets::default();
    for bucket in buckets {
        match &writes {
            Some(writes) => seen.ensure(writes, bucket).await?,
            None => seen.look(&reads, bucket).await?,
        }
    }
    let writer = writer.cloned().unwrap_or_else(|| nobody(reader));
    Ok(Provisioned { writer, reader: reader.clone(), buckets: seen, minted: None })
}

impl Buckets {
    /// Makes a bucket that is absent; one that is there has to be as wanted.
    async fn ensure(
        &mut self,
        client: &InfluxClient,
        bucket: &Bucket,
    ) -> Result<(), ProvisionError> {
        let (name, wanted) = (bucket.name.clone(), wanted(bucket));
        match client.ensure_bucket(&name, wanted).await.map_err(refused(&name))? {
            BucketOutcome::Created => self.made.push(name),
            BucketOutcome::Present => self.found.push(name),
            BucketOutcome::Drifted { found } => {
                return Err(ProvisionError::Drifted { bucket: name, found, wanted });
            }
        }
        Ok(())
    }

    /// Looks for a bucket, which has to be as wanted where it is there.
    async fn look(&mut self, client: &InfluxClient, bucket: &Bucket) -> Result<(), ProvisionError> {
        let (name, wanted) = (bucket.name.clone(), wanted(bucket));
        match client.find_bucket(&name).await.map_err(refused(&name))? {
            None => self.absent.push(name),
            Some(found) if found.retention == wanted => self.found.push(name),
            Some(found) => {
                let found = found.retention;
                return Err(ProvisionError::Drifted { bucket: name, found, wanted });
            }
        }
        Ok(())
    }
}

/// The destination for whoever may do nothing there.
fn nobody(destination: &InfluxEndpoint) -> InfluxEndpoint {
    InfluxEndpoint { token: Secret::new(""), ..destination.clone() }
}

impl Provisioned {
    /// Takes the tokens back that were made here. The buckets stay.
    pub async fn revoke(self) -> Result<(), ClientError> {
        let mut revoked = Ok(());
        let Some((operator, tokens)) = &self.minted else { return revoked };
        for token in tokens {
            let ended = operator.revoke(&token.id).await;
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
        let Buckets { made, found, absent } = &self.buckets;
        let parts = [
            told("buckets made:", made),
            told("buckets found:", found),
            told("buckets not found, and not made where nothing may be written:", absent),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

pub(crate) fn kept(retention: Retention) -> String {
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

    fn ours(standin: &Embedded) -> Destination {
        Destination::Ours(standin.endpoint.clone())
    }

    fn client(standin: &Embedded) -> InfluxClient {
        InfluxClient::new(standin.endpoint.clone(), http()).unwrap()
    }

    /// Somebody else's server, with tokens for the bucket `b1` alone.
    async fn given(standin: &Embedded, days: u64) -> (InfluxEndpoint, InfluxEndpoint) {
        let wanted = [bucket("b1", days)];
        let made = provision(&ours(standin), &http(), "theirs", &wanted).await.unwrap();
        (made.reader.clone(), made.writer.clone())
    }

    async fn standin() -> Embedded {
        Embedded::start(&Clock::new(|| 1_700_000_000_000_000_000)).await.unwrap()
    }

    #[tokio::test]
    async fn a_bucket_that_is_absent_is_made_with_its_retention() {
        let standin = standin().await;
        let wanted = [bucket("consumption_data", 2_555)];
        let made = provision(&ours(&standin), &http(), "s", &wanted).await.unwrap();
        assert_eq!(made.buckets.made, ["consumption_data"]);
        let found = client(&standin).find_bucket("consumption_data").await.unwrap().unwrap();
        assert_eq!(found.retention, Retention::For(Duration::from_hours(24 * 2_555)));
    }

    #[tokio::test]
    async fn a_scenario_without_buckets_may_do_nothing() {
        let standin = standin().await;
        let made = provision(&ours(&standin), &http(), "s", &[]).await.unwrap();
        let tokens = made.minted.map(|(_, tokens)| tokens.len());
        assert_eq!((tokens, made.writer.token.expose()), (Some(0), ""));
    }

    #[tokio::test]
    async fn a_bucket_that_is_as_wanted_is_found() {
        let standin = standin().await;
        let wanted = [bucket("b1", 7)];
        provision(&ours(&standin), &http(), "s", &wanted).await.unwrap();
        let again = provision(&ours(&standin), &http(), "s", &wanted).await.unwrap();
        assert_eq!((again.buckets.made.len(), again.buckets.found), (0, vec!["b1".to_owned()]));
    }

    #[tokio::test]
    async fn a_bucket_with_another_retention_is_refused_and_left_alone() {
        let standin = standin().await;
        provision(&ours(&standin), &http(), "s", &[bucket("b1", 30)]).await.unwrap();
        let error = provision(&ours(&standin), &http(), "s", &[bucket("b1", 7)]).await;
        let told = error.unwrap_err().to_string();
        assert!(told.contains("keeps its data for 30 days"), "{told}");
        let found = client(&standin).find_bucket("b1").await.unwrap().unwrap();
        assert_eq!(found.retention, Retention::For(Duration::from_hours(24 * 30)));
    }

    #[tokio::test]
    async fn a_bucket_that_is_absent_is_told_and_not_made_where_nothing_may_be_written() {
        let standin = standin().await;
        let (reader, _) = given(&standin, 7).await;
        let destination = Destination::Given { reader, writer: None };
        let wanted = [bucket("b1", 7), bucket("b2", 7)];
        let made = provision(&destination, &http(), "s", &wanted).await.unwrap();
        assert_eq!(
            (made.buckets.found, made.buckets.absent),
            (vec!["b1".into()], vec!["b2".into()])
        );
        assert_eq!(client(&standin).find_bucket("b2").await.unwrap(), None);
    }

    #[tokio::test]
    async fn drift_is_refused_with_a_token_that_only_reads_too() {
        let standin = standin().await;
        let (reader, _) = given(&standin, 30).await;
        let destination = Destination::Given { reader, writer: None };
        let error = provision(&destination, &http(), "s", &[bucket("b1", 7)]).await.unwrap_err();
        assert!(matches!(error, ProvisionError::Drifted { .. }), "{error}");
    }

    #[tokio::test]
    async fn tokens_that_were_given_are_used_and_not_taken_back() {
        let standin = standin().await;
        let (reader, writer) = given(&standin, 7).await;
        let destination =
            Destination::Given { reader: reader.clone(), writer: Some(writer.clone()) };
        let made = provision(&destination, &http(), "s", &[bucket("b1", 7)]).await.unwrap();
        assert_eq!((&made.reader.token, &made.writer.token), (&reader.token, &writer.token));
        made.revoke().await.unwrap();
        let reads = InfluxClient::new(reader, http()).unwrap();
        assert!(reads.find_bucket("b1").await.unwrap().is_some());
    }

    #[tokio::test]
    async fn without_the_right_to_write_the_writing_end_is_nobody() {
        let standin = standin().await;
        let (reader, _) = given(&standin, 7).await;
        let destination = Destination::Given { reader, writer: None };
        let made = provision(&destination, &http(), "s", &[bucket("b1", 7)]).await.unwrap();
        let writes = InfluxClient::new(made.writer, http()).unwrap();
        assert!(!writes.may_write("b1").await.unwrap());
    }
}
