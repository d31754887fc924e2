//! Client tokens: a query that comes again with the same token gets the same first page.
//!
//! The main type is [`Repeats`]. It forgets the oldest answers when they are too many, which only
//! makes a later repeat run anew.

use std::collections::{BTreeMap, VecDeque};

use axum::body::Bytes;

use crate::error::ApiError;

/// How long a token means the same query.
const LIFETIME_NS: i64 = 4 * 3_600 * 1_000_000_000;
const MAX_KEPT: usize = 1_024;
const MAX_KEPT_BYTES: usize = 32 * 1024 * 1024;

/// A request that names a client token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repeat {
    token: String,
    query: String,
    max_rows: Option<i64>,
}

/// First pages by client token.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    kept: BTreeMap<String, Kept>,
    /// The tokens in the order in which they came.
    order: VecDeque<String>,
    bytes: usize,
}

#[derive(Debug)]
struct Kept {
    repeat: Repeat,
    body: Bytes,
    until_ns: i64,
}

impl Repeat {
    pub(super) fn read(
        token: Option<String>,
        query: &str,
        max_rows: Option<i64>,
    ) -> Result<Option<Self>, ApiError> {
        let Some(token) = token else { return Ok(None) };
        if !(32..=128).contains(&token.len()) {
            return Err(ApiError::validation("The ClientToken must have 32 to 128 characters."));
        }
        Ok(Some(Self { token, query: query.to_owned(), max_rows }))
    }
}

impl Repeats {
    /// The first page that this token's query got, if it is remembered.
    pub(super) fn find(&self, repeat: &Repeat, now_ns: i64) -> Result<Option<Bytes>, ApiError> {
        let kept = self.kept.get(&repeat.token).filter(|kept| now_ns < kept.until_ns);
        match kept {
            None => Ok(None),
            Some(kept) if kept.repeat == *repeat => Ok(Some(kept.body.clone())),
            Some(_) => Err(ApiError::validation(
                "The ClientToken was used before with another query or other parameters.",
            )),
        }
    }

    pub(super) fn keep(&mut self, repeat: Repeat, body: &Bytes, now_ns: i64) {
        let token = repeat.token.clone();
        let until_ns = now_ns.saturating_add(LIFETIME_NS);
        let kept = Kept { repeat, body: body.clone(), until_ns };
        self.bytes += body.len();
        if let Some(replaced) = self.kept.insert(token.clone(), kept) {
            self.bytes -= replaced.body.len();
        } else {
            self.order.push_back(token);
        }
        while self.order.len() > MAX_KEPT || self.bytes > MAX_KEPT_BYTES {
            let Some(oldest) = self.order.pop_front() else { break };
            let dropped = self.kept.remove(&oldest);
            self.bytes -= dropped.map_or(0, |kept| kept.body.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeat(number: usize, query: &str) -> Repeat {
        Repeat { token: format!("{number:032}"), query: query.to_owned(), max_rows: None }
    }

    #[test]
    fn the_same_token_and_query_get_the_same_page() {
        let mut repeats = Repeats::default();
        repeats.keep(repeat(1, "SELECT 1"), &Bytes::from("page"), 0);
        let found = repeats.find(&repeat(1, "SELECT 1"), 1).unwrap();
        assert_eq!(found, Some(Bytes::from("page")));
    }

    #[test]
    fn the_same_token_with_another_query_is_refused() {
        let mut repeats = Repeats::default();
        repeats.keep(repeat(1, "SELECT 1"), &Bytes::from("page"), 0);
        assert!(repeats.find(&repeat(1, "SELECT 2"), 1).is_err());
    }

    #[test]
    fn a_token_is_new_again_after_four_hours() {
        let mut repeats = Repeats::default();
        repeats.keep(repeat(1, "SELECT 1"), &Bytes::from("page"), 0);
        assert_eq!(repeats.find(&repeat(1, "SELECT 2"), LIFETIME_NS).unwrap(), None);
    }

    #[test]
    fn the_oldest_page_is_forgotten_when_there_are_too_many() {
        let mut repeats = Repeats::default();
        for number in 0..=MAX_KEPT {
            repeats.keep(repeat(number, "SELECT 1"), &Bytes::from("page"), 0);
        }
        assert_eq!(repeats.find(&repeat(0, "SELECT 1"), 1).unwrap(), None);
        assert!(repeats.find(&repeat(1, "SELECT 1"), 1).unwrap().is_some());
    }

    #[test]
    fn a_token_of_the_wrong_length_is_refused() {
        assert!(Repeat::read(Some("short".to_owned()), "SELECT 1", None).is_err());
    }
}
