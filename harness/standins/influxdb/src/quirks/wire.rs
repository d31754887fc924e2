//! Quirks as JSON, for whoever switches them on over HTTP.
//!
//! [`QuirkWire`] is one of them as it is written; [`decode`] reads a list, [`encode`] shows one.

use std::time::Duration;

use cutover_model::Ratio;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use super::{Quirk, QuirkCount, QuirkKind, Schedule, Scope};
use crate::flux::time::{format_rfc3339, parse_rfc3339};

/// One quirk.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuirkWire {
    kind: KindWire,
    #[serde(default = "all")]
    ratio: Ratio,
    #[serde(default)]
    scope: ScopeWire,
    #[serde(default)]
    schedule: ScheduleWire,
}

fn all() -> Ratio {
    Ratio::ONE
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum KindWire {
    Latency { add_ms: u64 },
    HttpError { status: u16, retry_after_s: Option<u64> },
    RefuseConnections,
    AckLost,
    PartialWrite,
    DuplicateApply,
    TruncatedCsv,
    ErrorTable,
    ConnectionReset,
    StalledBody,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ScopeWire {
    method: Option<String>,
    #[serde(default = "root")]
    path: String,
}

fn root() -> String {
    "/".to_owned()
}

impl Default for ScopeWire {
    fn default() -> Self {
        Self { method: None, path: root() }
    }
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum ScheduleWire {
    #[default]
    Always,
    Between {
        from: String,
        until: String,
    },
    Requests {
        from: u64,
        until: u64,
    },
}

/// Why a quirk cannot be switched on.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum QuirkError {
    #[error("`{0}` is not the status of an error")]
    Status(u16),
    #[error("`{0}` is not a method")]
    Method(String),
    #[error("`{0}` is not a path: it begins with `/`")]
    Path(String),
    #[error("`{0}` is not an instant, as in `2023-01-01T00:00:00Z`")]
    Instant(String),
}

/// Reads quirks.
pub(crate) fn decode(list: Vec<QuirkWire>) -> Result<Vec<Quirk>, QuirkError> {
    list.into_iter().map(Quirk::try_from).collect()
}

impl TryFrom<QuirkWire> for Quirk {
    type Error = QuirkError;

    fn try_from(wire: QuirkWire) -> Result<Self, QuirkError> {
        let QuirkWire { kind, ratio, scope, schedule } = wire;
        Ok(Self {
            kind: kind.try_into()?,
            ratio,
            scope: scope.try_into()?,
            schedule: schedule.try_into()?,
        })
    }
}

impl TryFrom<KindWire> for QuirkKind {
    type Error = QuirkError;

    fn try_from(wire: KindWire) -> Result<Self, QuirkError> {
        Ok(match wire {
            KindWire::Latency { add_ms } => Self::Latency { add: Duration::from_millis(add_ms) },
            KindWire::HttpError { status, retry_after_s } => {
                let known = StatusCode::from_u16(status).ok();
                let error =
                    known.filter(|status| status.is_client_error() || status.is_server_error());
                let status = error.ok_or(QuirkError::Status(status))?;
                Self::HttpError { status, retry_after: retry_after_s.map(Duration::from_secs) }
            }
            KindWire::RefuseConnections => Self::RefuseConnections,
            KindWire::AckLost => Self::AckLost,
            KindWire::PartialWrite => Self::PartialWrite,
            KindWire::DuplicateApply => Self::DuplicateApply,
            KindWire::TruncatedCsv => Self::TruncatedCsv,
            KindWire::ErrorTable => Self::ErrorTable,
            KindWire::ConnectionReset => Self::ConnectionReset,
            KindWire::StalledBody => Self::StalledBody,
        })
    }
}

impl TryFrom<ScopeWire> for Scope {
    type Error = QuirkError;

    fn try_from(wire: ScopeWire) -> Result<Self, QuirkError> {
        let ScopeWire { method, path } = wire;
        let method = method.map(|name| match Method::from_bytes(name.as_bytes()) {
            Ok(method) => Ok(method),
            Err(_) => Err(QuirkError::Method(name)),
        });
        if !path.starts_with('/') {
            return Err(QuirkError::Path(path));
        }
        Ok(Self { method: method.transpose()?, path })
    }
}

impl TryFrom<ScheduleWire> for Schedule {
    type Error = QuirkError;

    fn try_from(wire: ScheduleWire) -> Result<Self, QuirkError> {
        let instant = |text: String| parse_rfc3339(&text).ok_or(QuirkError::Instant(text));
        Ok(match wire {
            ScheduleWire::Always => Self::Always,
            ScheduleWire::Between { from, until } => {
                Self::Between { from_ns: instant(from)?, until_ns: instant(until)? }
            }
            ScheduleWire::Requests { from, until } => Self::Requests { from, until },
        })
    }
}

/// A quirk as it is shown, with its counts.
pub(crate) fn encode(count: QuirkCount) -> serde_json::Value {
    let QuirkCount { quirk, seen, hit } = count;
    let Quirk { kind, ratio, scope, schedule } = quirk;
    let kind = match kind {
        QuirkKind::Latency { add } => {
            KindWire::Latency { add_ms: u64::try_from(add.as_millis()).unwrap_or(u64::MAX) }
        }
        QuirkKind::HttpError { status, retry_after } => KindWire::HttpError {
            status: status.as_u16(),
            retry_after_s: retry_after.map(|after| after.as_secs()),
        },
        QuirkKind::RefuseConnections => KindWire::RefuseConnections,
        QuirkKind::AckLost => KindWire::AckLost,
        QuirkKind::PartialWrite => KindWire::PartialWrite,
        QuirkKind::DuplicateApply => KindWire::DuplicateApply,
        QuirkKind::TruncatedCsv => KindWire::TruncatedCsv,
        QuirkKind::ErrorTable => KindWire::ErrorTable,
        QuirkKind::ConnectionReset => KindWire::ConnectionReset,
        QuirkKind::StalledBody => KindWire::StalledBody,
    };
    let schedule = match schedule {
        Schedule::Always => ScheduleWire::Always,
        Schedule::Between { from_ns, until_ns } => {
            ScheduleWire::Between { from: format_rfc3339(from_ns), until: format_rfc3339(until_ns) }
        }
        Schedule::Requests { from, until } => ScheduleWire::Requests { from, until },
    };
    let scope = ScopeWire { method: scope.method.map(|it| it.to_string()), path: scope.path };
    let quirk = QuirkWire { kind, ratio, scope, schedule };
    serde_json::json!({ "quirk": quirk, "seen": seen, "hit": hit })
}
