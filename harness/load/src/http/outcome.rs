//! What an answer means: right, refused, failed or wrong.
//!
//! [`BodyCheck`] follows the body of one answer; [`ended`] and [`broken`] turn what became of a
//! request into an [`Outcome`]. The codes are those of InfluxDB's answers.

use std::io;

use memchr::memmem;

use super::plan::{Answer, BodyRule};
use super::prepared::in_turn;
use super::response::Malformed;
use crate::operation::{Outcome, OutcomeClass};

/// A body that has to be seen whole may have so many bytes.
const KEPT_LIMIT: usize = 64 * 1024 * 1024;
/// As much of an error's body as is looked at.
const REASON_LIMIT: usize = 16 * 1024;

/// Why no answer came, or no whole one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The host has no address.
    Name,
    /// Nobody took the connection.
    Connect,
    /// The two did not agree on TLS.
    Tls,
    /// It ended or was reset before anything of an answer came.
    Unanswered,
    /// It ended or was reset in the middle of an answer.
    Cut,
    /// What came is no HTTP.
    Malformed,
    /// What came is beyond all reason.
    TooLong,
}

impl From<Malformed> for Broken {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::Syntax => Self::Malformed,
            Malformed::TooLong => Self::TooLong,
        }
    }
}

/// The outcome of a request that got no whole answer.
pub(crate) fn broken(how: Broken) -> Outcome {
    Outcome::failed(OutcomeClass::Error(match how {
        Broken::Name => "name not resolved",
        Broken::Connect => "no connection",
        Broken::Tls => "no TLS",
        Broken::Unanswered => "the connection broke",
        Broken::Cut => "truncated answer",
        Broken::Malformed => "malformed answer",
        Broken::TooLong => "answer too long",
    }))
}

/// Follows the body of one answer. Its buffer is used again and again.
#[derive(Debug, Default)]
pub(crate) struct BodyCheck {
    kept: Vec<u8>,
    seen: usize,
    differs: bool,
}

impl BodyCheck {
    pub(crate) fn reset(&mut self) {
        self.kept.clear();
        self.seen = 0;
        self.differs = false;
    }

    /// Takes the next piece of the body of the answer to request `k`.
    pub(crate) fn take(
        &mut self,
        piece: &[u8],
        answer: &Answer,
        (status, k): (u16, u64),
    ) -> Result<(), Broken> {
        if piece.is_empty() {
            return Ok(());
        }
        if status != answer.status {
            let room = REASON_LIMIT.saturating_sub(self.kept.len());
            self.kept.extend_from_slice(&piece[..piece.len().min(room)]);
            return Ok(());
        }
        match &answer.body {
            BodyRule::Any => {}
            BodyRule::Equals(due) => self.compare(piece, due),
            BodyRule::EqualsInTurn(all) => self.compare(piece, &all[in_turn(k, all.len())]),
            BodyRule::Contains(_) | BodyRule::Judged(_) => {
                if self.kept.len() + piece.len() > KEPT_LIMIT {
                    return Err(Broken::TooLong);
                }
                self.kept.extend_from_slice(piece);
            }
        }
        Ok(())
    }

    fn compare(&mut self, piece: &[u8], due: &[u8]) {
        let rest = due.get(self.seen..).unwrap_or_default();
        self.differs |= !rest.starts_with(piece);
        self.seen = self.seen.saturating_add(piece.len());
    }

    fn right(&self, answer: &Answer, k: u64) -> bool {
        match &answer.body {
            BodyRule::Any => true,
            BodyRule::Equals(due) => !self.differs && self.seen == due.len(),
            BodyRule::EqualsInTurn(all) => {
                !self.differs && self.seen == all[in_turn(k, all.len())].len()
            }
            BodyRule::Contains(part) => memmem::find(&self.kept, part).is_some(),
            BodyRule::Judged(judge) => judge(k, &self.kept),
        }
    }
}

/// The outcome of a request `k` that got a whole answer. `work` is what it asked for.
pub(crate) fn ended(
    status: u16,
    check: &BodyCheck,
    answer: &Answer,
    (k, work): (u64, u64),
) -> Outcome {
    if status == answer.status {
        if check.right(answer, k) {
            return Outcome::ok(work);
        }
        return Outcome::failed(OutcomeClass::WrongAnswer);
    }
    let rejected = |code| Outcome::failed(OutcomeClass::Rejected(code));
    match status {
        400 | 422 => match dropped(&check.kept) {
            Some(dropped) => Outcome {
                class: OutcomeClass::Rejected("partial write"),
                work: work.saturating_sub(dropped),
            },
            None if status == 422 => rejected("unprocessable"),
            None => rejected("bad request"),
        },
        401 | 403 => rejected("unauthorized"),
        404 => rejected("not found"),
        413 => rejected("too large"),
        429 | 503 => Outcome::failed(OutcomeClass::Error("throttled")),
        402..=499 => rejected("refused"),
        500..=599 => Outcome::failed(OutcomeClass::Error("server error")),
        _ => Outcome::failed(OutcomeClass::WrongAnswer),
    }
}

/// How many points a partial write says it dropped.
fn dropped(body: &[u8]) -> Option<u64> {
    const MARK: &[u8] = b"dropped=";
    memmem::find(body, b"partial write")?;
    let from = memmem::rfind(body, MARK)? + MARK.len();
    let digits = body[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&body[from..from + digits]).ok()?.parse().ok()
}

/// What an error of the socket says, in the middle of an answer or before it.
pub(crate) fn socket_error(error: &io::Error, untouched: bool) -> Broken {
    match error.kind() {
        io::ErrorKind::InvalidData => Broken::Tls,
        _ if untouched => Broken::Unanswered,
        _ => Broken::Cut,
    }
}
