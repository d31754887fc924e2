//! What surrounds a script: `system`, `runtime`, `internal/debug`, `die` and `display`.

use std::sync::Arc;

use super::{Builtin, Call, Constant, Parameter, Run, optional, piped, required};
use crate::flux::display::display;
use crate::flux::error::FluxError;
use crate::flux::value::{ColumnType, Value};

/// The version of the language that the server of this API has.
const VERSION: &str = "v0.196.1";

/// The server's switches and what each is when nobody sets it.
const FEATURES: [(&str, Value); 12] = [
    ("aggregateTransformationTransport", Value::Bool(false)),
    ("groupTransformationGroup", Value::Bool(true)),
    ("optimizeUnionTransformation", Value::Bool(false)),
    ("narrowTransformationDifference", Value::Bool(false)),
    ("narrowTransformationFill", Value::Bool(false)),
    ("optimizeAggregateWindow", Value::Bool(true)),
    ("labelPolymorphism", Value::Bool(false)),
    ("optimizeSetTransformation", Value::Bool(false)),
    ("unusedSymbolWarnings", Value::Bool(false)),
    ("queryConcurrencyIncrease", Value::Int(0)),
    ("strictNullLogicalOps", Value::Bool(false)),
    ("prettyError", Value::Bool(false)),
];

const TABLES: &[Parameter] = &[piped("tables")];

const fn debug(name: &'static str, parameters: &'static [Parameter], run: Run) -> Builtin {
    Builtin { package: "internal/debug", name, parameters, run }
}

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        package: "system",
        name: "time",
        parameters: &[],
        run: |call| Ok(Value::Time(call.interpreter.execution.now_ns)),
    },
    Builtin {
        package: "runtime",
        name: "version",
        parameters: &[],
        run: |_| Ok(Value::string(VERSION)),
    },
    Builtin {
        package: "",
        name: "die",
        parameters: &[required("msg")],
        run: |call| Err(FluxError::new(&*call.string_or("msg", "")?)),
    },
    Builtin {
        package: "",
        name: "display",
        parameters: &[required("v")],
        run: |call| Ok(Value::string(&call.given("v").map_or(String::new(), display))),
    },
    Builtin {
        package: "testing",
        name: "load",
        parameters: TABLES,
        run: |call| match call.interpreter.option("testing.load") {
            Some(load) => {
                let tables = vec![(Arc::from("tables"), call.required("tables")?.clone())];
                call.interpreter.call(load, tables)
            }
            None => pass(call),
        },
    },
    Builtin {
        package: "influxdata/influxdb/monitor",
        name: "write",
        parameters: TABLES,
        run: |call| monitored(call, "monitor.write"),
    },
    Builtin {
        package: "influxdata/influxdb/monitor",
        name: "log",
        parameters: TABLES,
        run: |call| monitored(call, "monitor.log"),
    },
    debug("pass", TABLES, pass),
    debug("opaque", TABLES, pass),
    debug("slurp", TABLES, pass),
    debug("sink", TABLES, |call| {
        Ok(Value::Stream(call.stream("tables")?.each(call.site, |_| Ok(Vec::new()))?))
    }),
    debug("null", &[optional("type")], null),
    debug("getOption", &[required("pkg"), required("name")], option),
    debug("feature", &[required("key")], |call| {
        let key = call.string_or("key", "")?;
        let known = FEATURES.into_iter().find(|(own, _)| **own == *key);
        Ok(known.map_or(Value::Null(None), |(_, value)| value))
    }),
];

const fn no_names(package: &'static str, name: &'static str) -> Constant {
    Constant { package, name, value: || Value::Array(Arc::default()) }
}

const fn level(name: &'static str, value: fn() -> Value) -> Constant {
    Constant { package: "influxdata/influxdb/monitor", name, value }
}

pub(super) const CONSTANTS: &[Constant] = &[
    level("levelOK", || Value::string("ok")),
    level("levelInfo", || Value::string("info")),
    level("levelWarn", || Value::string("warn")),
    level("levelCrit", || Value::string("crit")),
    level("levelUnknown", || Value::string("unknown")),
    // These stand for options, which a script sets and nobody reads.
    no_names("planner", "disableLogicalRules"),
    no_names("planner", "disablePhysicalRules"),
    no_names("profiler", "enabledProfilers"),
    no_names("testing", "tags"),
    Constant { package: "internal/debug", name: "vectorize", value: || Value::Bool(false) },
    Constant { package: "internal/influxql", name: "epoch", value: || Value::Time(0) },
    Constant { package: "internal/influxql", name: "minTime", value: || Value::Time(i64::MIN + 2) },
    Constant { package: "internal/influxql", name: "maxTime", value: || Value::Time(i64::MAX - 1) },
];

/// What the script has set to be done with statuses; to write them is no part of a query here.
fn monitored(call: &Call<'_>, option: &str) -> Result<Value, FluxError> {
    let Some(work) = call.interpreter.option(option) else {
        let message = format!("`{option}` without an option set is not in the stand-in's Flux");
        return Err(FluxError::compilation(call.site.span, message));
    };
    let tables = vec![(Arc::from("tables"), call.required("tables")?.clone())];
    call.interpreter.call(work, tables)
}

fn pass(call: &Call<'_>) -> Result<Value, FluxError> {
    Ok(Value::Stream(call.stream("tables")?.map(call.site, Ok)?))
}

fn null(call: &Call<'_>) -> Result<Value, FluxError> {
    let Some(kind) = call.string("type")? else { return Ok(Value::Null(None)) };
    Ok(Value::Null(match &*kind {
        "string" => Some(ColumnType::String),
        "int" => Some(ColumnType::Int),
        "uint" => Some(ColumnType::UInt),
        "float" => Some(ColumnType::Float),
        "bool" => Some(ColumnType::Bool),
        "time" => Some(ColumnType::Time),
        "bytes" | "duration" | "regexp" => None,
        other => return Err(FluxError::new(format!("Invalid null type `{other}`"))),
    }))
}

fn option(call: &Call<'_>) -> Result<Value, FluxError> {
    let name = call.string_or("name", "")?;
    let found = call.interpreter.option(&name).cloned();
    found.ok_or_else(|| FluxError::new("option does not exist"))
}
