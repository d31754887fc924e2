//! `sampledata`: two small tables of each type, for trying things out.
//!
//! The sets that are conversions of others are in the prelude.

use std::sync::Arc;

use super::{Builtin, Call, Constant, Parameter, optional};
use crate::flux::error::FluxError;
use crate::flux::stream::{Stream, Tables};
use crate::flux::table::{Cells, Column, ColumnBuilder, Data, GroupKey, Table};
use crate::flux::value::{ColumnType, Value};

/// 2021-01-01T00:00:00Z.
const START_NS: i64 = 1_609_459_200_000_000_000;
const STEP_NS: i64 = 10_000_000_000;

/// Six values each for the tags `t1` and `t2`.
type Set<T> = [[T; 6]; 2];

const FLOATS: Set<f64> =
    [[-2.18, 10.92, 7.35, 17.53, 15.23, 4.43], [19.85, 4.97, -3.75, 19.77, 13.86, 1.86]];
const STRINGS: Set<&str> = [
    ["smpl_g9qczs", "smpl_0mgv9n", "smpl_phw664", "smpl_guvzy4", "smpl_5v3cce", "smpl_s9fmgy"],
    ["smpl_b5eida", "smpl_eu4oxp", "smpl_5g7tz4", "smpl_sox1ut", "smpl_wfm757", "smpl_dtn2bv"],
];
const BOOLS: Set<bool> =
    [[true, true, false, true, false, false], [false, true, false, true, true, false]];
/// Where there is none when nulls are asked for.
const NULLS: Set<bool> =
    [[false, true, false, true, true, false], [true, false, false, false, true, false]];

const PARAMETERS: &[Parameter] = &[optional("includeNull")];

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        package: "sampledata",
        name: "float",
        parameters: PARAMETERS,
        run: |call| set(call, ColumnType::Float, |at, row| Value::Float(FLOATS[at][row])),
    },
    Builtin {
        package: "sampledata",
        name: "string",
        parameters: PARAMETERS,
        run: |call| set(call, ColumnType::String, |at, row| Value::string(STRINGS[at][row])),
    },
    Builtin {
        package: "sampledata",
        name: "bool",
        parameters: PARAMETERS,
        run: |call| set(call, ColumnType::Bool, |at, row| Value::Bool(BOOLS[at][row])),
    },
];

pub(super) const CONSTANTS: &[Constant] = &[
    Constant { package: "sampledata", name: "start", value: || Value::Time(START_NS) },
    Constant { package: "sampledata", name: "stop", value: || Value::Time(START_NS + 6 * STEP_NS) },
];

fn set(
    call: &Call<'_>,
    kind: ColumnType,
    value: fn(usize, usize) -> Value,
) -> Result<Value, FluxError> {
    let with_nulls = call.bool_or("includeNull", false)?;
    let stream = Stream::source(&call.interpreter.execution, call.site, move || {
        let table = move |at: usize| {
            let mut values = ColumnBuilder::new(&Arc::from("_value"), kind);
            for (row, null) in NULLS[at].into_iter().enumerate() {
                if with_nulls && null {
                    values.push_null();
                } else {
                    values.push(value(at, row))?;
                }
            }
            let times = (0..6).map(|row| START_NS + row * STEP_NS).collect();
            let tag = Value::string(["t1", "t2"][at]);
            let columns = vec![
                Column::new(&Arc::from("_time"), Data::Time(Cells::new(times))),
                Column::repeat(&Arc::from("tag"), tag.clone()),
                values.finish(),
            ];
            let key: GroupKey = [(Arc::from("tag"), tag)].into_iter().collect();
            Ok(Table::new(key, columns, 6))
        };
        Ok(Box::new((0..2).map(table)) as Tables)
    });
    Ok(Value::Stream(stream))
}
