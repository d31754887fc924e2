//! Flux queries, read as a stream.
//!
//! The main type is [`FluxReader`]. It joins the body of an answer to the decoder of
//! [`super::csv`], so that an answer of any length takes the memory of one part of it.

use bytes::Bytes;
use http::{Method, StatusCode, header};

use super::client::{Call, InfluxClient};
use super::csv::CsvDecoder;
use super::table::FluxChunk;
use crate::error::ClientError;
use crate::http::Body;

/// The rows of a Flux answer, in the order of the answer.
pub struct FluxReader {
    body: Body,
    decoder: CsvDecoder,
    state: State,
}

enum State {
    Reading,
    Failing(ClientError),
    Ended,
    Failed,
}

impl InfluxClient {
    /// Runs a Flux query and returns once the server begins to answer.
    pub async fn query(&self, flux: &str) -> Result<FluxReader, ClientError> {
        let call = Call {
            operation: "query",
            method: Method::POST,
            path: "/api/v2/query",
            query: &[("org", &self.inner.org)],
            headers: &[
                (header::CONTENT_TYPE, "application/json"),
                (header::ACCEPT, "application/csv"),
            ],
            body: Bytes::from(query_body(flux)),
        };
        let answer = self.call(call).await?;
        if answer.status != StatusCode::OK {
            return Err(self.refused("query", answer).await);
        }
        if !answer.declares_its_end() {
            let problem = "it declares neither a length nor parts, so that its end proves nothing";
            let problem = problem.to_owned();
            return Err(ClientError::Malformed { operation: "query", problem });
        }
        let decoder = CsvDecoder::new();
        Ok(FluxReader { body: answer.body, decoder, state: State::Reading })
    }
}

/// A Flux query and the form of its answer.
pub(super) fn query_body(flux: &str) -> String {
    let body = serde_json::json!({
        "query": flux,
        "type": "flux",
        "dialect": {
            "header": true,
            "delimiter": ",",
            "commentPrefix": "#",
            "annotations": ["datatype", "group", "default"],
        },
    });
    body.to_string()
}

impl FluxReader {
    /// The next rows, or `None` after the last. Rows that arrived before an error come first; after
    /// the error there is no quiet end.
    pub async fn next(&mut self) -> Result<Option<FluxChunk>, ClientError> {
        loop {
            if let Some(chunk) = self.decoder.take() {
                return Ok(Some(chunk));
            }
            match std::mem::replace(&mut self.state, State::Failed) {
                State::Reading => self.state = self.read().await,
                State::Failing(error) => return Err(error),
                State::Ended => {
                    self.state = State::Ended;
                    return Ok(None);
                }
                State::Failed => {
                    let problem = "an earlier error ended it".to_owned();
                    return Err(ClientError::Truncated { operation: "query", problem });
                }
            }
        }
    }

    async fn read(&mut self) -> State {
        let part = match self.body.chunk().await {
            Ok(part) => part,
            Err(error) => return State::Failing(error),
        };
        let (fed, after) = match part {
            Some(part) => (self.decoder.feed(&part), State::Reading),
            None => (self.decoder.finish(), State::Ended),
        };
        fed.map_or_else(State::Failing, |()| after)
    }
}
