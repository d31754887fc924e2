//! Tables that a script brings along: `array.from` and `csv.from`.

use std::sync::Arc;

use super::growing::Growing;
use super::{Builtin, Call, optional, piped};
use crate::flux::csv_reader::{self, Mode};
use crate::flux::error::{FluxError, FluxErrorCode};
use crate::flux::stream::{Stream, Tables};
use crate::flux::value::{Record, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin { package: "array", name: "from", parameters: &[piped("rows")], run: array_from },
    Builtin {
        package: "csv",
        name: "from",
        parameters: &[optional("csv"), optional("mode"), optional("file")],
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
        other => {
            let found = other.type_word();
            Err(call.misfit("rows", &format!("{found} is not Record")))
        }
    });
    let records: Vec<Arc<Record>> = records.collect::<Result<_, _>>()?;
    check_alike(call, &records)?;
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

/// An array's rows are of one type, and that of a kind that columns have.
fn check_alike(call: &Call<'_>, records: &[Arc<Record>]) -> Result<(), FluxError> {
    let Some(first) = records.first() else { return Ok(()) };
    for (_, value) in first.entries() {
        if value.column_type().is_none() {
            let found = value.type_word();
            let message = format!("cannot represent the type {found} as column data");
            return Err(FluxError::whole(FluxErrorCode::Invalid, message));
        }
    }
    for record in &records[1..] {
        let unexpected = record.entries().iter().find(|(label, _)| first.get(label).is_none());
        if let Some((label, _)) = unexpected {
            return Err(call.misfit("rows", &format!("found unexpected label {label}")));
        }
        for (label, own) in first.entries() {
            let Some(value) = record.get(label) else {
                return Err(call.misfit("rows", &format!("record is missing label {label}")));
            };
            if value.column_type() != own.column_type() && !value.is_null() {
                return Err(call.wrong("rows", own.type_word(), value));
            }
        }
    }
    Ok(())
}

fn csv_from(call: &Call<'_>) -> Result<Value, FluxError> {
    let given = |name: &str| Ok::<_, FluxError>(call.string(name)?.filter(|text| !text.is_empty()));
    let (text, file) = (given("csv")?, given("file")?);
    let mode = match &*call.string_or("mode", "")? {
        "raw" => Mode::Raw,
        _ => Mode::Annotated,
    };
    let text = match (text, file) {
        (Some(text), None) => text,
        (Some(_), Some(_)) => {
            let message = "must provide exactly one of the parameters csv or file";
            return Err(FluxError::new(message));
        }
        (None, None) => return Err(FluxError::new("must provide csv raw text or filename")),
        (None, Some(_)) => {
            return Err(FluxError::whole(
                FluxErrorCode::Invalid,
                "error in csv.from(): csv.from() failed to read file: filesystem service is \
                 uninitialized",
            ));
        }
    };
    let stream = Stream::source(&call.interpreter.execution, call.site, move || {
        Ok(Box::new(csv_reader::Tables::new(Arc::clone(&text), mode)) as Tables)
    });
    Ok(Value::Stream(stream))
}
