//! What there is on the server: `buckets()`.

use std::sync::Arc;

use super::{Builtin, Call, optional, required};
use crate::flux::error::FluxError;
use crate::flux::stream::{Stream, Tables};
use crate::flux::table::{Cells, Column, Data, Table};
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
];

/// Where the look-ups of names read from: what the option `schema._from` says, else `from`.
fn schema_from(call: &Call<'_>) -> Result<Value, FluxError> {
    let Some(option) = call.interpreter.option("schema._from") else {
        return super::source::from(call);
    };
    call.interpreter.call(option, vec![(Arc::from("bucket"), call.required("bucket")?.clone())])
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
