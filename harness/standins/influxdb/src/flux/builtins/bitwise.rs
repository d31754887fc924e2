//! `bitwise`: integers as rows of bits.

use super::{Builtin, Call, Parameter, Run, required};
use crate::flux::error::FluxError;
use crate::flux::value::{ColumnType, Value};

const A: &[Parameter] = &[required("a")];
const A_B: &[Parameter] = &[required("a"), required("b")];

const fn builtin(package: &'static str, name: &'static str, run: Run) -> Builtin {
    // The names of both inversions end alike.
    let bytes = name.as_bytes();
    let inversion = bytes[1] == b'n' && bytes[2] == b'o' && bytes[3] == b't';
    Builtin { package, name, parameters: if inversion { A } else { A_B }, run }
}

/// The functions of one of the two packages that have them.
const fn functions(package: &'static str) -> [Builtin; 14] {
    [
        builtin(package, "uand", |call| unsigned(call, |a, b| a & b)),
        builtin(package, "uor", |call| unsigned(call, |a, b| a | b)),
        builtin(package, "uxor", |call| unsigned(call, |a, b| a ^ b)),
        builtin(package, "uclear", |call| unsigned(call, |a, b| a & !b)),
        builtin(package, "ulshift", |call| unsigned(call, |a, b| shifted(b, |b| a.checked_shl(b)))),
        builtin(package, "urshift", |call| unsigned(call, |a, b| shifted(b, |b| a.checked_shr(b)))),
        builtin(package, "unot", |call| {
            let a = unsigned_argument(call, "a")?;
            Ok(a.map_or(Value::Null(Some(ColumnType::UInt)), |a| Value::UInt(!a)))
        }),
        builtin(package, "sand", |call| signed(call, |a, b| Ok(a & b))),
        builtin(package, "sor", |call| signed(call, |a, b| Ok(a | b))),
        builtin(package, "sxor", |call| signed(call, |a, b| Ok(a ^ b))),
        builtin(package, "sclear", |call| signed(call, |a, b| Ok(a & !b))),
        builtin(package, "slshift", |call| {
            signed(call, |a, b| Ok(count(b)?.and_then(|b| a.checked_shl(b)).unwrap_or(0)))
        }),
        builtin(package, "srshift", |call| {
            // What falls off the end leaves the sign.
            signed(call, |a, b| Ok(count(b)?.map_or(a >> 63, |b| a >> b.min(63))))
        }),
        builtin(package, "snot", |call| {
            let a = call.int("a")?;
            Ok(a.map_or(Value::Null(Some(ColumnType::Int)), |a| Value::Int(!a)))
        }),
    ]
}

const CURRENT: [Builtin; 14] = functions("bitwise");
const FORMER: [Builtin; 14] = functions("experimental/bitwise");

pub(super) const BUILTINS: &[Builtin] = &CURRENT;
pub(super) const EXPERIMENTAL: &[Builtin] = &FORMER;

/// By how many bits; `None` when that is more than there are.
fn count(bits: i64) -> Result<Option<u32>, FluxError> {
    if bits < 0 {
        return Err(FluxError::internal("panic: runtime error: negative shift amount"));
    }
    Ok(u32::try_from(bits).ok())
}

fn shifted(bits: u64, shift: impl Fn(u32) -> Option<u64>) -> u64 {
    u32::try_from(bits).ok().and_then(shift).unwrap_or(0)
}

fn unsigned_argument(call: &Call<'_>, name: &str) -> Result<Option<u64>, FluxError> {
    match call.value(name) {
        None => Ok(None),
        Some(Value::UInt(value)) => Ok(Some(*value)),
        Some(other) => Err(call.wrong(name, "uint", other)),
    }
}

fn unsigned(call: &Call<'_>, work: impl Fn(u64, u64) -> u64) -> Result<Value, FluxError> {
    let both = unsigned_argument(call, "a")?.zip(unsigned_argument(call, "b")?);
    Ok(both.map_or(Value::Null(Some(ColumnType::UInt)), |(a, b)| Value::UInt(work(a, b))))
}

fn signed(
    call: &Call<'_>,
    work: impl Fn(i64, i64) -> Result<i64, FluxError>,
) -> Result<Value, FluxError> {
    let both = call.int("a")?.zip(call.int("b")?);
    Ok(match both {
        Some((a, b)) => Value::Int(work(a, b)?),
        None => Value::Null(Some(ColumnType::Int)),
    })
}
