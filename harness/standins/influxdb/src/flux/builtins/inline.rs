//! Tables that a script brings along: `array.from` and `csv.from`.

use std::sync::Arc;

use super::growing::Growing;
use super::{Builtin, Call, optional, required};
use crate::flux::csv_reader::read_annotated;
use crate::flux::error::FluxError;
use crate::flux::stream::{Stream, Tables};
use crate::flux::value::{Record, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin { package: "array", name: "from", parameters: &[required("rows")], run: array_from },
    Builtin {
        package: "csv",
        name: "from",
        parameters: &[optional("csv"), optional("mode"), optional("file"), optional("url")],
        run: csv_from,
    },
];

fn array_from(call: &Call<'_>) -> Result<Value, FluxError> {
    let rows = call.array("rows")?.unwrap_or_default();
    if rows.is_empty() {
        return Err(FluxError::new("rows must be non-empty"));
    }
    let records = rows.iter().map(|row| match row {
        Value::Record(record) => Ok(Arc::clone(record)),
        other => Err(call.wrong("rows", "record", other)),
    });
    let records: Vec<Arc<Record>> = records.collect::<Result<_, _>>()?;
    let stream = Stream::source(&call.interpreter.execution, call.site, move || {
        let mut growing = Growing::default();
        for record in &records {
            growing.push(record)?;
        }
        let table = growing.finish();
        Ok(Box::new(std::iter::once(Ok(table))) as Tables)
    });
    Ok(Value::Stream(stream))
}

fn csv_from(call: &Call<'_>) -> Result<Value, FluxError> {
    for remote in ["file", "url"] {
        if call.value(remote).is_some() {
            let message = format!("argument `{remote}` of `from` is not in the stand-in's Flux");
            return Err(FluxError::compilation(call.site.span, message));
        }
    }
    if &*call.string_or("mode", "annotations")? != "annotations" {
        let message = "csv.from with raw mode is not in the stand-in's Flux";
        return Err(FluxError::compilation(call.site.span, message));
    }
    let text = call.string("csv")?.ok_or_else(|| FluxError::new("csv.from needs csv"))?;
    let stream = Stream::source(&call.interpreter.execution, call.site, move || {
        let tables = read_annotated(&text)?;
        Ok(Box::new(tables.into_iter().map(Ok)) as Tables)
    });
    Ok(Value::Stream(stream))
}
