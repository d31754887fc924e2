//! What the sink can be told to do wrong, and to which requests.
//!
//! The main type is [`Fault`]. It is written as `throttle:1@0..3`: its name, its parameter, and
//! the numbers of the requests that it meets (all, if nothing is said).

use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

/// A fault and the requests that it meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub(crate) kind: Kind,
    /// The numbers of the requests, counted from 0 over all connections.
    pub(crate) requests: Range<u64>,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `dead`: every connection is closed and none is accepted any more.
    Dead,
    /// `status:CODE`: another status, with the body that InfluxDB has for it.
    Status(u16),
    /// `throttle:SECONDS`: 503 with `Retry-After`.
    Throttle(u32),
    /// `cut-body`: the connection is closed in the middle of the body.
    CutBody,
    /// `slow-body:MS`: each byte of the body comes so long after the one before.
    SlowBody(Duration),
    /// `wrong-body`: another body of the same length.
    WrongBody,
    /// `close`: the connection is closed after the answer, which says so.
    Close,
    /// `close-silently`: the same, and the answer does not say so.
    CloseSilently,
    /// `close-unanswered`: the connection is closed without an answer.
    CloseUnanswered,
    /// `reset`: the connection is reset without an answer.
    Reset,
    /// `never`: no answer, and the connection stays open.
    Never,
    /// `garbage`: an answer that is no HTTP.
    Garbage,
    /// `endless-head`: headers without end.
    EndlessHead,
    /// `long-body`: more bytes than the answer's length says.
    LongBody,
    /// `chunked`: nothing is wrong; the body comes in chunks, after an interim answer.
    Chunked,
}

/// A fault that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no fault such as `throttle:1@0..3` or `dead@100..`")]
pub struct FaultError(String);

impl Fault {
    pub(crate) fn meets(&self, request: u64) -> bool {
        self.requests.contains(&request)
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        parse(text).ok_or_else(|| FaultError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Fault> {
    let (kind, requests) = match text.split_once('@') {
        None => (text, 0..u64::MAX),
        Some((kind, range)) => {
            let (from, to) = range.split_once("..")?;
            let to = if to.is_empty() { u64::MAX } else { to.parse().ok()? };
            (kind, from.parse().ok()?..to)
        }
    };
    let (name, parameter) = kind.split_once(':').unwrap_or((kind, ""));
    let kind = match (name, parameter) {
        ("status", code) => {
            Kind::Status(code.parse().ok().filter(|code| (200..600).contains(code))?)
        }
        ("throttle", seconds) => Kind::Throttle(seconds.parse().ok()?),
        ("slow-body", ms) => Kind::SlowBody(Duration::from_millis(ms.parse().ok()?)),
        (_, parameter) if !parameter.is_empty() => return None,
        ("dead", _) => Kind::Dead,
        ("cut-body", _) => Kind::CutBody,
        ("wrong-body", _) => Kind::WrongBody,
        ("close", _) => Kind::Close,
        ("close-silently", _) => Kind::CloseSilently,
        ("close-unanswered", _) => Kind::CloseUnanswered,
        ("reset", _) => Kind::Reset,
        ("never", _) => Kind::Never,
        ("garbage", _) => Kind::Garbage,
        ("endless-head", _) => Kind::EndlessHead,
        ("long-body", _) => Kind::LongBody,
        ("chunked", _) => Kind::Chunked,
        _ => return None,
    };
    Some(Fault { kind, requests })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_meets_the_requests_of_its_range_and_no_other() {
        let fault: Fault = "throttle:1@2..4".parse().unwrap();
        assert_eq!(fault.kind, Kind::Throttle(1));
        let met: Vec<u64> = (0..6).filter(|request| fault.meets(*request)).collect();
        assert_eq!(met, [2, 3]);
    }

    #[test]
    fn what_is_no_fault_is_refused() {
        for text in ["", "ded", "dead:3", "status", "status:9", "close@3", "slow-body:x"] {
            assert!(text.parse::<Fault>().is_err(), "{text}");
        }
    }
}
