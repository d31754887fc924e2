//! Results of which pages are still to come, by token.
//!
//! The main type is [`Results`]. A token names a kept result and the row at which the page begins;
//! it is good for the same query only, five times, for one hour, and until a later token of the
//! same result is used. Results are kept up to a bound, the oldest dropped first: its tokens are
//! then as invalid as expired ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Answer;
use super::repeats::Repeats;
use crate::error::ApiError;

const LIFETIME_NS: i64 = 3_600 * 1_000_000_000;
const MAX_USES: u32 = 5;
const MAX_KEPT: usize = 256;
const MAX_KEPT_BYTES: usize = 256 * 1024 * 1024;

/// The results that are kept, and what numbers queries.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(super) repeats: Repeats,
    kept: BTreeMap<u64, Kept>,
    bytes: usize,
    keep_count: u64,
    queries: u64,
}

#[derive(Debug)]
struct Kept {
    answer: Arc<Answer>,
    query: String,
    bytes: usize,
    /// By the row at which their pages begin.
    tokens: BTreeMap<usize, Token>,
}

#[derive(Debug)]
struct Token {
    until_ns: i64,
    uses: u32,
}

impl Results {
    pub(super) fn new_query_id(&mut self) -> String {
        self.queries += 1;
        query_id(self.queries)
    }

    pub(super) fn knows_query(&self, id: &str) -> bool {
        let number = id.strip_prefix('Q').and_then(|digits| digits.parse().ok());
        number.is_some_and(|number| (1..=self.queries).contains(&number) && id == query_id(number))
    }

    /// Keeps an answer and gives the token of the page that begins at `row`.
    pub(super) fn keep(
        &mut self,
        answer: &Arc<Answer>,
        query: &str,
        row: usize,
        now_ns: i64,
    ) -> String {
        let known = self.kept.iter().rev().find(|(_, kept)| Arc::ptr_eq(&kept.answer, answer));
        let id = match known {
            Some((id, _)) => *id,
            None => self.insert(answer, query, now_ns),
        };
        if let Some(kept) = self.kept.get_mut(&id) {
            let until_ns = now_ns.saturating_add(LIFETIME_NS);
            // The token of a page that was told before keeps its count of uses.
            kept.tokens.entry(row).or_insert(Token { until_ns, uses: 0 });
        }
        format!("{id:016X}{row:016X}")
    }

    /// The answer and the row that a token stands for.
    pub(super) fn redeem(
        &mut self,
        token: &str,
        query: &str,
        now_ns: i64,
    ) -> Result<(Arc<Answer>, usize), ApiError> {
        let (id, row) = read_token(token).ok_or_else(invalid)?;
        let kept = self.kept.get_mut(&id).ok_or_else(invalid)?;
        if kept.query != query {
            return Err(ApiError::validation(
                "The NextToken is invalid: it belongs to another query string.",
            ));
        }
        let used = kept.tokens.get_mut(&row).filter(|token| now_ns < token.until_ns);
        let used = used.filter(|token| token.uses < MAX_USES).ok_or_else(invalid)?;
        used.uses += 1;
        kept.tokens.retain(|&start, _| start >= row);
        Ok((Arc::clone(&kept.answer), row))
    }

    fn insert(&mut self, answer: &Arc<Answer>, query: &str, now_ns: i64) -> u64 {
        self.drop_expired(now_ns);
        self.keep_count += 1;
        let batches = answer.output.batches.iter();
        let bytes: usize = batches.map(arrow::array::RecordBatch::get_array_memory_size).sum();
        self.bytes += bytes;
        let kept = Kept {
            answer: Arc::clone(answer),
            query: query.to_owned(),
            bytes,
            tokens: BTreeMap::new(),
        };
        self.kept.insert(self.keep_count, kept);
        // The newest stays, however large it is: its first page is being sent.
        while self.kept.len() > 1 && (self.kept.len() > MAX_KEPT || self.bytes > MAX_KEPT_BYTES) {
            if let Some((_, oldest)) = self.kept.pop_first() {
                self.bytes -= oldest.bytes;
            }
        }
        self.keep_count
    }

    fn drop_expired(&mut self, now_ns: i64) {
        let bytes = &mut self.bytes;
        self.kept.retain(|_, kept| {
            let alive = kept.tokens.values().any(|token| now_ns < token.until_ns);
            if !alive {
                *bytes -= kept.bytes;
            }
            alive
        });
    }
}

fn query_id(number: u64) -> String {
    format!("Q{number:031}")
}

fn invalid() -> ApiError {
    ApiError::validation("The NextToken is invalid or has expired.")
}

fn read_token(token: &str) -> Option<(u64, usize)> {
    let (id, row) = token.split_at_checked(16)?;
    let hexadecimal = |digit: u8| digit.is_ascii_digit() || (b'A'..=b'F').contains(&digit);
    if row.len() != 16 || !token.bytes().all(hexadecimal) {
        return None;
    }
    Some((u64::from_str_radix(id, 16).ok()?, usize::from_str_radix(row, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Output;

    const QUERY: &str = "SELECT 1";

    fn answer() -> Arc<Answer> {
        let output = Output { columns: Vec::new(), batches: Vec::new(), bytes_scanned: 0 };
        Arc::new(Answer { query_id: String::new(), column_info: String::new(), output })
    }

    #[test]
    fn a_token_leads_to_its_row() {
        let mut results = Results::default();
        let token = results.keep(&answer(), QUERY, 7, 0);
        assert_eq!(results.redeem(&token, QUERY, 1).unwrap().1, 7);
    }

    #[test]
    fn a_token_is_good_for_its_query_only() {
        let mut results = Results::default();
        let token = results.keep(&answer(), QUERY, 7, 0);
        assert!(results.redeem(&token, "SELECT  1", 1).is_err());
    }

    #[test]
    fn a_token_is_good_for_five_calls() {
        let mut results = Results::default();
        let token = results.keep(&answer(), QUERY, 7, 0);
        let good = (0..6).map(|_| results.redeem(&token, QUERY, 1).is_ok()).collect::<Vec<_>>();
        assert_eq!(good, [true, true, true, true, true, false]);
    }

    #[test]
    fn a_token_is_good_for_an_hour() {
        let mut results = Results::default();
        let token = results.keep(&answer(), QUERY, 7, 0);
        assert!(results.redeem(&token, QUERY, LIFETIME_NS - 1).is_ok());
        assert!(results.redeem(&token, QUERY, LIFETIME_NS).is_err());
    }

    #[test]
    fn the_use_of_a_later_token_ends_the_earlier_ones() {
        let mut results = Results::default();
        let answer = answer();
        let first = results.keep(&answer, QUERY, 7, 0);
        let second = results.keep(&answer, QUERY, 14, 0);
        assert!(results.redeem(&first, QUERY, 1).is_ok());
        assert!(results.redeem(&second, QUERY, 1).is_ok());
        assert!(results.redeem(&first, QUERY, 1).is_err());
    }

    #[test]
    fn text_that_is_no_token_is_refused() {
        let mut results = Results::default();
        results.keep(&answer(), QUERY, 7, 0);
        for token in ["", "x", "0000000000000001000000000000000g", "ééééééééééééééééé"]
        {
            assert!(results.redeem(token, QUERY, 1).is_err(), "`{token}`");
        }
    }

    #[test]
    fn the_oldest_result_is_dropped_when_too_many_are_kept() {
        let mut results = Results::default();
        let tokens: Vec<String> =
            (0..=MAX_KEPT).map(|_| results.keep(&answer(), QUERY, 7, 0)).collect();
        assert!(results.redeem(&tokens[0], QUERY, 1).is_err());
        assert!(results.redeem(&tokens[1], QUERY, 1).is_ok());
    }

    #[test]
    fn only_ids_that_were_given_out_are_known() {
        let mut results = Results::default();
        let id = results.new_query_id();
        assert!(results.knows_query(&id));
        assert!(!results.knows_query("Q1") && !results.knows_query(&query_id(2)));
    }
}
