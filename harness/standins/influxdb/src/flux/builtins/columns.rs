//! Functions that choose, name or add columns, and `yield`.

use std::sync::Arc;

use super::{Builtin, Call, optional, piped, required};
use crate::flux::error::FluxError;
use crate::flux::interpreter::Lambda;
use crate::flux::table::{Column, GroupKey, Table};
use crate::flux::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        package: "",
        name: "keep",
        parameters: &[piped("tables"), optional("columns"), optional("fn")],
        run: keep,
    },
    Builtin {
        package: "",
        name: "drop",
        parameters: &[piped("tables"), optional("columns"), optional("fn")],
        run: drop,
    },
    Builtin {
        package: "",
        name: "rename",
        parameters: &[piped("tables"), optional("columns"), optional("fn")],
        run: rename,
    },
    Builtin {
        package: "",
        name: "duplicate",
        parameters: &[piped("tables"), required("column"), required("as")],
        run: duplicate,
    },
    Builtin {
        package: "",
        name: "set",
        parameters: &[piped("tables"), required("key"), required("value")],
        run: set,
    },
    Builtin {
        package: "",
        name: "yield",
        parameters: &[piped("tables"), optional("name")],
        run: yield_stream,
    },
];

/// Which columns `keep` and `drop` mean.
enum Choice {
    Labels(Vec<Arc<str>>),
    Function(Lambda),
}

impl Choice {
    fn of(call: &Call<'_>) -> Result<Self, FluxError> {
        let name = call.builtin.name;
        match (call.strings("columns")?, call.lambda("fn")?) {
            (Some(labels), None) => Ok(Self::Labels(labels)),
            (None, Some(lambda)) => Ok(Self::Function(lambda)),
            (None, None) => Err(FluxError::new(format!(
                "{name} error: neither column list nor predicate function provided"
            ))),
            _ => Err(FluxError::new(format!(
                "{name} error: both column list and predicate provided"
            ))),
        }
    }

    fn holds(&self, label: &Arc<str>) -> Result<bool, FluxError> {
        match self {
            Self::Labels(labels) => Ok(labels.contains(label)),
            Self::Function(lambda) => {
                let argument = (Arc::from("column"), Value::String(Arc::clone(label)));
                match lambda.call(vec![argument])? {
                    Value::Bool(value) => Ok(value),
                    other => {
                        let found = other.type_word();
                        Err(FluxError::new(format!("expected bool but found {found}")))
                    }
                }
            }
        }
    }
}

fn keep(call: &Call<'_>) -> Result<Value, FluxError> {
    choose(call, true)
}

fn drop(call: &Call<'_>) -> Result<Value, FluxError> {
    choose(call, false)
}

fn choose(call: &Call<'_>, kept_when: bool) -> Result<Value, FluxError> {
    let choice = Choice::of(call)?;
    let chosen = call.stream("tables")?.merged(call.site, move |mut table| {
        let mut columns = Vec::with_capacity(table.columns.len());
        for column in table.columns {
            if choice.holds(&column.label)? == kept_when {
                columns.push(column);
            }
        }
        table.columns = columns;
        let kept: Vec<Arc<str>> =
            table.columns.iter().map(|column| Arc::clone(&column.label)).collect();
        table.key = table.key.without(|label| !kept.iter().any(|own| **own == *label));
        if kept.is_empty() {
            table.rows = 0;
        }
        Ok(vec![table])
    })?;
    Ok(Value::Stream(chosen))
}

fn rename(call: &Call<'_>) -> Result<Value, FluxError> {
    let names = call.record("columns")?;
    let lambda = call.lambda("fn")?;
    if names.is_some() == lambda.is_some() {
        return Err(FluxError::new(
            "rename error: either a map of columns or a function must be provided",
        ));
    }
    let entries = names.iter().flat_map(|names| names.entries());
    for (_, name) in entries {
        if !matches!(name, Value::String(_)) {
            let found = name.type_word();
            return Err(FluxError::new(format!(
                "rename error: columns object contains non-string value of type {found}"
            )));
        }
    }
    let renamed = call.stream("tables")?.gathered(call.site, move |table| {
        if let Some(names) = &names {
            for (label, _) in names.entries() {
                if table.column(label).is_none() {
                    let message = format!("rename error: column \"{label}\" doesn't exist");
                    return Err(FluxError::new(message));
                }
            }
        }
        let name = |label: &Arc<str>| -> Result<Arc<str>, FluxError> {
            let new = match (&names, &lambda) {
                (Some(names), _) => names.get(label).cloned(),
                (None, Some(lambda)) => {
                    let argument = (Arc::from("column"), Value::String(Arc::clone(label)));
                    Some(lambda.call(vec![argument])?)
                }
                (None, None) => None,
            };
            match new {
                None => Ok(Arc::clone(label)),
                Some(Value::String(new)) => Ok(new),
                Some(other) => {
                    let found = other.type_word();
                    Err(FluxError::new(format!("expected string but found {found}")))
                }
            }
        };
        rename_table(table, name)
    })?;
    Ok(Value::Stream(renamed))
}

fn rename_table(
    mut table: Table,
    name: impl Fn(&Arc<str>) -> Result<Arc<str>, FluxError>,
) -> Result<Table, FluxError> {
    let mut columns: Vec<Column> = Vec::with_capacity(table.columns.len());
    for column in table.columns {
        let label = name(&column.label)?;
        if columns.iter().any(|own| own.label == label) {
            let at = columns.iter().position(|own| own.label == label).unwrap_or_default();
            let message = format!(
                "column {at} and {} have the same name (\"{label}\") which is not allowed",
                columns.len()
            );
            return Err(FluxError::new(message));
        }
        columns.push(Column { label, data: column.data });
    }
    table.columns = columns;
    let entries = table.key.entries().iter();
    let key = entries.map(|(label, value)| Ok((name(label)?, value.clone())));
    table.key = key.collect::<Result<Vec<_>, FluxError>>()?.into_iter().collect::<GroupKey>();
    Ok(table)
}

fn duplicate(call: &Call<'_>) -> Result<Value, FluxError> {
    let source = call.string_or("column", "")?;
    let copy = call.string_or("as", "")?;
    let duplicated = call
        .stream("tables")?
        .merged(call.site, move |table| Ok(vec![duplicate_column(table, &source, &copy)?]))?;
    Ok(Value::Stream(duplicated))
}

/// Adds a copy of a column, in place of one that has its name.
pub(super) fn duplicate_column(
    mut table: Table,
    source: &str,
    copy: &Arc<str>,
) -> Result<Table, FluxError> {
    let Some(column) = table.column(source) else {
        let message = format!("duplicate error: column \"{source}\" doesn't exist");
        return Err(FluxError::new(message));
    };
    let column = Column { label: Arc::clone(copy), data: column.data.clone() };
    if table.key.contains(copy) {
        // The group key keeps the label only while all rows still share its value.
        table.key = match table.key.get(source).cloned() {
            Some(value) => table.key.with(copy, value),
            None => table.key.without(|label| *label == **copy),
        };
    }
    table.put(column);
    Ok(table)
}

fn set(call: &Call<'_>) -> Result<Value, FluxError> {
    let label = call.string_or("key", "")?;
    let value = call.required("value")?.clone();
    if !matches!(value, Value::String(_)) {
        return Err(call.wrong("value", "string", &value));
    }
    let changed = call.stream("tables")?.merged(call.site, move |mut table| {
        if table.key.contains(&label) {
            table.key = table.key.with(&label, value.clone());
        }
        table.put(Column::repeat(&label, value.clone()));
        Ok(vec![table])
    })?;
    Ok(Value::Stream(changed))
}

fn yield_stream(call: &Call<'_>) -> Result<Value, FluxError> {
    let name = call.string_or("name", "_result")?;
    let mut stream = call.stream("tables")?;
    call.interpreter.add_result(name, &stream)?;
    stream.yielded = true;
    Ok(Value::Stream(stream))
}
