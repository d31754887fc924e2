//! What there is on the server: `buckets()`.

use std::sync::Arc;

use super::{Builtin, Call, StorageRead, optional, piped, required};
use crate::flux::error::FluxError;
use crate::flux::stream::{Execution, Stream, Tables};
use crate::flux::table::{Cells, Column, Data, GroupKey, Table};
use crate::flux::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        package: "",
        name: "buckets",
        parameters: &[optional("org"), optional("orgID"), optional("host"), optional("token")],
        run: buckets,
    },
    Builtin {
        package: "influxdata/influxdb/schema",
        name: "_from",
        parameters: &[required("bucket")],
        run: schema_from,
    },
    Builtin {
        package: "influxdata/influxdb/schema",
        name: "_values",
        parameters: &[piped("tables"), required("tag")],
        run: schema_values,
    },
    Builtin {
        package: "influxdata/influxdb/schema",
        name: "_keys",
        parameters: &[piped("tables")],
        run: schema_keys,
    },
];

/// Where the look-ups of names read from: what the option `schema._from` says, else `from`.
fn schema_from(call: &Call<'_>) -> Result<Value, FluxError> {
    let Some(option) = call.interpreter.option("schema._from") else {
        return super::source::from(call);
    };
    call.interpreter.call(option, vec![(Arc::from("bucket"), call.required("bucket")?.clone())])
}

/// The values of a tag. The server asks its store for them, which has an answer even when there are
/// none, unless a condition stands between that only the language can answer.
fn schema_values(call: &Call<'_>) -> Result<Value, FluxError> {
    let tag = call.string_or("tag", "")?;
    let stream = call.stream("tables")?;
    let of_points = matches!(&*tag, "_time" | "_value" | "_start" | "_stop");
    if let Some(read) = stream.read.as_ref().filter(|read| read.names_series() && !of_points) {
        return Ok(listed(call, &stream, read, move |read, execution| {
            read.values_of(execution, &tag)
        }));
    }
    let tags = Value::Array(Arc::new(vec![Value::String(Arc::clone(&tag))]));
    let kept = call.apply("keep", [("tables", Value::Stream(stream)), ("columns", tags)])?;
    let grouped = call.apply("group", [("tables", kept)])?;
    call.apply("distinct", [("tables", grouped), ("column", Value::String(tag))])
}

/// The keys of tags, by the store where it can.
fn schema_keys(call: &Call<'_>) -> Result<Value, FluxError> {
    let stream = call.stream("tables")?;
    if let Some(read) = stream.read.as_ref().filter(|read| read.names_series()) {
        return Ok(listed(call, &stream, read, |read, execution| {
            let labels = read.labels(execution)?.into_iter();
            Ok(["_start", "_stop"].map(Arc::from).into_iter().chain(labels).collect())
        }));
    }
    let keys = call.apply("keys", [("tables", Value::Stream(stream))])?;
    let values = Value::Array(Arc::new(vec![Value::string("_value")]));
    let kept = call.apply("keep", [("tables", keys), ("columns", values)])?;
    call.apply("distinct", [("tables", kept)])
}

/// One table of names that the store knows.
fn listed(
    call: &Call<'_>,
    stream: &Stream,
    read: &Arc<StorageRead>,
    names: impl Fn(&StorageRead, &Arc<Execution>) -> Result<Vec<Arc<str>>, FluxError>
    + Send
    + Sync
    + 'static,
) -> Value {
    let (read, execution) = (Arc::clone(read), Arc::clone(stream.execution()));
    let mut listed = Stream::source(stream.execution(), call.site, move || {
        let names = names(&read, &execution)?;
        let rows = names.len();
        let columns = vec![Column::strings(&Arc::from("_value"), names)];
        let table = Table::new(GroupKey::default(), columns, rows);
        Ok(Box::new(std::iter::once(Ok(table))) as Tables)
    });
    listed.bounds = stream.bounds;
    Value::Stream(listed)
}

fn buckets(call: &Call<'_>) -> Result<Value, FluxError> {
    for remote in ["host", "org", "orgID", "token"] {
        if call.value(remote).is_some() {
            let message = format!("argument `{remote}` of `buckets` is not in the stand-in's Flux");
            return Err(FluxError::compilation(call.site.span, message));
        }
    }
    let execution = Arc::clone(&call.interpreter.execution);
    let stream = Stream::source(&call.interpreter.execution, call.site, move || {
        let org = execution.org;
        let accounts = execution.server.accounts();
        let mut found: Vec<_> = accounts.buckets().filter(|bucket| bucket.org == org).collect();
        found.sort_by(|left, right| left.name.cmp(&right.name));
        let label = |name: &str| Arc::from(name);
        let texts = |name: &str, text: &dyn Fn(usize) -> String| {
            let cells = (0..found.len()).map(|at| Arc::from(text(at)));
            Column::strings(&label(name), cells.collect())
        };
        let periods = found.iter().map(|bucket| bucket.retention_s.saturating_mul(1_000_000_000));
        let org = Arc::from(org.to_string());
        let org = (label("organizationID"), Value::String(org));
        let columns = vec![
            texts("name", &|at| found[at].name.clone()),
            texts("id", &|at| found[at].id.to_string()),
            Column::repeat(&org.0, org.1.clone()),
            texts("retentionPolicy", &|_| String::new()),
            Column::new(&label("retentionPeriod"), Data::Int(Cells::new(periods.collect()))),
        ];
        let table = Table::new([org].into_iter().collect(), columns, found.len());
        Ok(Box::new(std::iter::once(Ok(table))) as Tables)
    });
    Ok(Value::Stream(stream))
}
