//! What Flux has and the stand-in may not have.
//!
//! A name that is in neither is a mistake of the script, and told in the server's words. One that
//! only the server knows is refused as not in the stand-in.

use super::ast::Span;
use super::error::FluxError;

/// The functions that need no import and are not in the stand-in.
const FUNCTIONS: &[&str] = &["to", "_hourSelection", "_window"];

/// The packages of Flux by import path.
const PACKAGES: &[&str] = &[
    "array",
    "bitwise",
    "contrib/RohanSreerama5/naiveBayesClassifier",
    "contrib/anaisdg/anomalydetection",
    "contrib/anaisdg/statsmodels",
    "contrib/bonitoo-io/alerta",
    "contrib/bonitoo-io/hex",
    "contrib/bonitoo-io/servicenow",
    "contrib/bonitoo-io/tickscript",
    "contrib/bonitoo-io/victorops",
    "contrib/bonitoo-io/zenoss",
    "contrib/chobbs/discord",
    "contrib/jsternberg/influxdb",
    "contrib/qxip/clickhouse",
    "contrib/qxip/hash",
    "contrib/qxip/logql",
    "contrib/rhajek/bigpanda",
    "contrib/sranka/opsgenie",
    "contrib/sranka/sensu",
    "contrib/sranka/teams",
    "contrib/sranka/telegram",
    "contrib/sranka/webexteams",
    "contrib/tomhollingworth/events",
    "csv",
    "date",
    "date/boundaries",
    "dict",
    "experimental",
    "experimental/aggregate",
    "experimental/array",
    "experimental/bigtable",
    "experimental/bitwise",
    "experimental/csv",
    "experimental/date/boundaries",
    "experimental/dynamic",
    "experimental/geo",
    "experimental/http",
    "experimental/http/requests",
    "experimental/influxdb",
    "experimental/iox",
    "experimental/json",
    "experimental/mqtt",
    "experimental/oee",
    "experimental/polyline",
    "experimental/prometheus",
    "experimental/query",
    "experimental/record",
    "experimental/table",
    "experimental/usage",
    "generate",
    "http",
    "http/requests",
    "influxdata/influxdb",
    "influxdata/influxdb/monitor",
    "influxdata/influxdb/sample",
    "influxdata/influxdb/schema",
    "influxdata/influxdb/secrets",
    "influxdata/influxdb/tasks",
    "influxdata/influxdb/v1",
    "internal/debug",
    "internal/gen",
    "internal/influxql",
    "internal/promql",
    "interpolate",
    "join",
    "json",
    "kafka",
    "math",
    "pagerduty",
    "planner",
    "profiler",
    "pushbullet",
    "regexp",
    "runtime",
    "sampledata",
    "slack",
    "socket",
    "sql",
    "strings",
    "system",
    "testing",
    "testing/expect",
    "timezone",
    "types",
];

/// The refusal of a name that nothing defines.
pub(crate) fn undefined(name: &str, at: Span) -> FluxError {
    let message = format!("undefined identifier {name}");
    if FUNCTIONS.contains(&name) {
        let message = format!("{message}: `{name}` is not in the stand-in's Flux");
        return FluxError::compilation(at, message);
    }
    FluxError::semantic(at, message)
}

/// The refusal of an import of a package that the stand-in has not.
pub(crate) fn unknown_package(path: &str, at: Span) -> FluxError {
    let message = format!("invalid import path {path}");
    if PACKAGES.contains(&path) {
        let message = format!("{message}: the package is not in the stand-in's Flux");
        return FluxError::compilation(at, message);
    }
    FluxError::semantic(at, message)
}
