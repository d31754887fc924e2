//! The table of everything that has a name: functions and constants by package.
//!
//! [`package`] and [`universe`] look into it. A new file of functions is a line in [`TABLES`].

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use super::{
    Builtin, Constant, aggregate, aggregate_window, bitwise, change, classic_join, collections,
    columns, convert, date, describe, experimental, find, generate, group, histogram_quantile,
    holt_winters, http, inline, join, location, lookup, map, math, moving, pivot, prelude, promql,
    reduce, regexp, rows, sampledata, select, shift, source, statistics, strings, system, window,
};
use crate::flux::duration::Duration;
use crate::flux::interpreter::Function;
use crate::flux::value::{Record, Value};

/// The parts of the table, one a file.
const TABLES: &[&[Builtin]] = &[
    source::BUILTINS,
    inline::BUILTINS,
    rows::BUILTINS,
    map::BUILTINS,
    columns::BUILTINS,
    group::BUILTINS,
    aggregate::BUILTINS,
    select::BUILTINS,
    window::BUILTINS,
    aggregate_window::BUILTINS,
    pivot::BUILTINS,
    convert::BUILTINS,
    change::BUILTINS,
    moving::BUILTINS,
    statistics::BUILTINS,
    histogram_quantile::BUILTINS,
    holt_winters::BUILTINS,
    reduce::BUILTINS,
    describe::BUILTINS,
    find::BUILTINS,
    shift::BUILTINS,
    classic_join::BUILTINS,
    lookup::BUILTINS,
    date::BUILTINS,
    location::BUILTINS,
    strings::BUILTINS,
    math::BUILTINS,
    regexp::BUILTINS,
    collections::BUILTINS,
    join::BUILTINS,
    experimental::BUILTINS,
    generate::BUILTINS,
    system::BUILTINS,
    sampledata::BUILTINS,
    bitwise::BUILTINS,
    bitwise::EXPERIMENTAL,
    promql::BUILTINS,
    http::BUILTINS,
];

/// Functions that a package has from another: both import paths and the names.
const SHARED: &[(&str, &str, &[&str])] = &[
    ("experimental/array", "array", &["from"]),
    ("internal/promql", "experimental", &["join"]),
    (
        "experimental",
        "",
        &[
            "count",
            "distinct",
            "fill",
            "first",
            "histogram",
            "histogramQuantile",
            "integral",
            "kaufmansAMA",
            "last",
            "max",
            "mean",
            "min",
            "mode",
            "quantile",
            "skew",
            "spread",
            "stddev",
            "sum",
            "unique",
            "window",
        ],
    ),
];

/// The constants of packages, one part a file.
const CONSTANTS: &[&[Constant]] = &[
    date::CONSTANTS,
    location::CONSTANTS,
    math::CONSTANTS,
    system::CONSTANTS,
    sampledata::CONSTANTS,
];

/// The members of all packages by import path; what needs no import is under the empty path.
static PACKAGES: LazyLock<HashMap<&'static str, Record>> = LazyLock::new(|| {
    let mut packages: HashMap<&'static str, Record> = HashMap::new();
    for builtin in TABLES.iter().flat_map(|table| table.iter()) {
        let package = packages.entry(builtin.package).or_default();
        package.set(Arc::from(builtin.name), function(builtin));
    }
    for constant in CONSTANTS.iter().flat_map(|table| table.iter()) {
        let package = packages.entry(constant.package).or_default();
        package.set(Arc::from(constant.name), (constant.value)());
    }
    for &(path, source, names) in SHARED {
        for name in names {
            let member = packages.get(source).and_then(|package| package.get(name)).cloned();
            let member = member.expect("a shared function is in the table");
            packages.entry(path).or_default().set(Arc::from(*name), member);
        }
    }
    prelude::define(&mut packages);
    packages
});

/// What a name means when the script does not define it.
pub(crate) fn universe(name: &str) -> Option<Value> {
    match name {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        "inf" => Some(Value::Duration(Duration::INFINITE)),
        name => PACKAGES.get("")?.get(name).cloned(),
    }
}

/// The contents of a package; `None` when there is nothing under this path.
pub(crate) fn package(path: &str) -> Option<&'static Record> {
    PACKAGES.get(path).filter(|_| !path.is_empty())
}

fn function(builtin: &'static Builtin) -> Value {
    Value::Function(Arc::new(Function::Builtin(builtin)))
}
