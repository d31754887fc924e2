//! `math`: functions of floats, and the package's constants.
//!
//! A null argument gives a null; only functions that give a record refuse it.

mod special;

use std::sync::Arc;

use super::{Builtin, Call, Constant, Parameter, Run, required};
use crate::flux::error::FluxError;
use crate::flux::value::{ColumnType, Record, Value};

const X: &[Parameter] = &[required("x")];
const F: &[Parameter] = &[required("f")];
const N_X: &[Parameter] = &[required("n"), required("x")];
const X_Y: &[Parameter] = &[required("x"), required("y")];

const fn builtin(name: &'static str, parameters: &'static [Parameter], run: Run) -> Builtin {
    Builtin { package: "math", name, parameters, run }
}

const fn of_x(name: &'static str, run: Run) -> Builtin {
    builtin(name, X, run)
}

pub(super) const BUILTINS: &[Builtin] = &[
    of_x("abs", |call| float(call, f64::abs)),
    of_x("acos", |call| float(call, libm::acos)),
    of_x("acosh", |call| float(call, libm::acosh)),
    of_x("asin", |call| float(call, libm::asin)),
    of_x("asinh", |call| float(call, libm::asinh)),
    of_x("atan", |call| float(call, libm::atan)),
    of_x("atanh", |call| float(call, libm::atanh)),
    of_x("cbrt", |call| float(call, libm::cbrt)),
    of_x("ceil", |call| float(call, f64::ceil)),
    of_x("cos", |call| float(call, libm::cos)),
    of_x("cosh", |call| float(call, libm::cosh)),
    of_x("erf", |call| float(call, libm::erf)),
    of_x("erfc", |call| float(call, libm::erfc)),
    of_x("erfcinv", |call| float(call, |x| special::erfinv(1.0 - x))),
    of_x("erfinv", |call| float(call, special::erfinv)),
    of_x("exp", |call| float(call, f64::exp)),
    of_x("exp2", |call| float(call, f64::exp2)),
    of_x("expm1", |call| float(call, libm::expm1)),
    of_x("floor", |call| float(call, f64::floor)),
    of_x("gamma", |call| float(call, special::gamma)),
    of_x("j0", |call| float(call, libm::j0)),
    of_x("j1", |call| float(call, libm::j1)),
    of_x("log", |call| float(call, f64::ln)),
    of_x("log10", |call| float(call, f64::log10)),
    of_x("log1p", |call| float(call, libm::log1p)),
    of_x("log2", |call| float(call, f64::log2)),
    of_x("logb", |call| float(call, special::logb)),
    of_x("round", |call| float(call, f64::round)),
    of_x("roundtoeven", |call| float(call, f64::round_ties_even)),
    of_x("sin", |call| float(call, libm::sin)),
    of_x("sinh", |call| float(call, libm::sinh)),
    of_x("sqrt", |call| float(call, f64::sqrt)),
    of_x("tan", |call| float(call, libm::tan)),
    of_x("tanh", |call| float(call, libm::tanh)),
    of_x("trunc", |call| float(call, f64::trunc)),
    of_x("y0", |call| float(call, libm::y0)),
    of_x("y1", |call| float(call, libm::y1)),
    builtin("copysign", X_Y, |call| floats(call, ["x", "y"], f64::copysign)),
    builtin("dim", X_Y, |call| floats(call, ["x", "y"], special::dim)),
    builtin("mMax", X_Y, |call| floats(call, ["x", "y"], special::max)),
    builtin("mMin", X_Y, |call| floats(call, ["x", "y"], special::min)),
    builtin("mod", X_Y, |call| floats(call, ["x", "y"], |x, y| x % y)),
    builtin("nextafter", X_Y, |call| floats(call, ["x", "y"], libm::nextafter)),
    builtin("pow", X_Y, |call| floats(call, ["x", "y"], libm::pow)),
    builtin("remainder", X_Y, |call| floats(call, ["x", "y"], libm::remainder)),
    builtin("atan2", &[required("y"), required("x")], |call| floats(call, ["y", "x"], libm::atan2)),
    builtin("hypot", &[required("p"), required("q")], |call| floats(call, ["p", "q"], libm::hypot)),
    builtin("jn", N_X, |call| of_order(call, libm::jn)),
    builtin("yn", N_X, |call| of_order(call, libm::yn)),
    builtin("ldexp", &[required("frac"), required("exp")], ldexp),
    builtin("pow10", &[required("n")], |call| of_int(call, "n", special::pow10)),
    builtin("mInf", &[required("sign")], |call| {
        of_int(call, "sign", |sign| if sign >= 0 { f64::INFINITY } else { f64::NEG_INFINITY })
    }),
    builtin("NaN", &[], |_| Ok(Value::Float(f64::NAN))),
    builtin("isNaN", F, |call| test(call, "f", f64::is_nan)),
    builtin("isInf", &[required("f"), required("sign")], is_infinite),
    of_x("signbit", |call| test(call, "x", f64::is_sign_negative)),
    of_x("ilogb", |call| {
        let x = float_of(call, "x")?;
        Ok(x.map_or(Value::Null(Some(ColumnType::Int)), |x| Value::Int(special::ilogb(x))))
    }),
    builtin("float64bits", F, |call| {
        let f = float_of(call, "f")?;
        Ok(f.map_or(Value::Null(Some(ColumnType::UInt)), |f| Value::UInt(f.to_bits())))
    }),
    builtin("float64frombits", &[required("b")], from_bits),
    builtin("frexp", F, |call| {
        let (fraction, exponent) = special::frexp(whole(call, "f")?);
        Ok(record([("frac", Value::Float(fraction)), ("exp", Value::Int(exponent))]))
    }),
    of_x("lgamma", |call| {
        let (value, sign) = special::lgamma(whole(call, "x")?);
        Ok(record([("lgamma", Value::Float(value)), ("sign", Value::Int(sign))]))
    }),
    builtin("modf", F, |call| {
        let f = whole(call, "f")?;
        let fraction = if f.is_finite() { f - f.trunc() } else { f64::NAN };
        let fraction = fraction.copysign(f);
        Ok(record([("int", Value::Float(f.trunc())), ("frac", Value::Float(fraction))]))
    }),
    of_x("sincos", |call| {
        let x = whole(call, "x")?;
        Ok(record([("sin", Value::Float(libm::sin(x))), ("cos", Value::Float(libm::cos(x)))]))
    }),
];

const fn constant(name: &'static str, value: fn() -> Value) -> Constant {
    Constant { package: "math", name, value }
}

pub(super) const CONSTANTS: &[Constant] = &[
    constant("pi", || Value::Float(std::f64::consts::PI)),
    constant("e", || Value::Float(std::f64::consts::E)),
    constant("phi", || Value::Float(1.618_033_988_749_895)),
    constant("sqrt2", || Value::Float(std::f64::consts::SQRT_2)),
    constant("sqrte", || Value::Float(1.648_721_270_700_128_2)),
    constant("sqrtpi", || Value::Float(1.772_453_850_905_516)),
    constant("sqrtphi", || Value::Float(1.272_019_649_514_069)),
    constant("ln2", || Value::Float(std::f64::consts::LN_2)),
    constant("log2e", || Value::Float(std::f64::consts::LOG2_E)),
    constant("ln10", || Value::Float(std::f64::consts::LN_10)),
    constant("log10e", || Value::Float(std::f64::consts::LOG10_E)),
    constant("maxfloat", || Value::Float(f64::MAX)),
    constant("smallestNonzeroFloat", || Value::Float(f64::from_bits(1))),
    constant("maxint", || Value::Int(i64::MAX)),
    constant("minint", || Value::Int(i64::MIN)),
    constant("maxuint", || Value::UInt(u64::MAX)),
];

fn null_float() -> Value {
    Value::Null(Some(ColumnType::Float))
}

fn float(call: &Call<'_>, work: fn(f64) -> f64) -> Result<Value, FluxError> {
    Ok(float_of(call, "x")?.map_or_else(null_float, |x| Value::Float(work(x))))
}

fn floats(
    call: &Call<'_>,
    names: [&str; 2],
    work: fn(f64, f64) -> f64,
) -> Result<Value, FluxError> {
    let both = float_of(call, names[0])?.zip(float_of(call, names[1])?);
    Ok(both.map_or_else(null_float, |(first, second)| Value::Float(work(first, second))))
}

fn of_int(call: &Call<'_>, name: &str, work: fn(i64) -> f64) -> Result<Value, FluxError> {
    Ok(int_of(call, name)?.map_or_else(null_float, |n| Value::Float(work(n))))
}

/// A number that fits nowhere is as far as it goes.
fn clamped(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX })
}

fn of_order(call: &Call<'_>, work: fn(i32, f64) -> f64) -> Result<Value, FluxError> {
    let both = int_of(call, "n")?.zip(float_of(call, "x")?);
    // The functions take as many steps as the order is high.
    let bounded = |n: i64| clamped(n).clamp(-1_000_000, 1_000_000);
    Ok(both.map_or_else(null_float, |(n, x)| Value::Float(work(bounded(n), x))))
}

fn ldexp(call: &Call<'_>) -> Result<Value, FluxError> {
    let both = float_of(call, "frac")?.zip(int_of(call, "exp")?);
    Ok(both.map_or_else(null_float, |(frac, exp)| Value::Float(libm::scalbn(frac, clamped(exp)))))
}

fn test(call: &Call<'_>, name: &str, test: fn(f64) -> bool) -> Result<Value, FluxError> {
    let null = Value::Null(Some(ColumnType::Bool));
    Ok(float_of(call, name)?.map_or(null, |value| Value::Bool(test(value))))
}

fn is_infinite(call: &Call<'_>) -> Result<Value, FluxError> {
    let both = float_of(call, "f")?.zip(int_of(call, "sign")?);
    Ok(both.map_or(Value::Null(Some(ColumnType::Bool)), |(f, sign)| {
        let positive = sign >= 0 && f == f64::INFINITY;
        Value::Bool(positive || sign <= 0 && f == f64::NEG_INFINITY)
    }))
}

fn from_bits(call: &Call<'_>) -> Result<Value, FluxError> {
    match call.value("b") {
        None => Ok(null_float()),
        Some(Value::UInt(bits)) => Ok(Value::Float(f64::from_bits(*bits))),
        Some(other) => Err(call.wrong("b", "uint", other)),
    }
}

/// A float, or a null of that type.
fn float_of(call: &Call<'_>, name: &str) -> Result<Option<f64>, FluxError> {
    refuse_untyped(call, name, "float")?;
    call.float(name)
}

/// An integer, or a null of that type.
fn int_of(call: &Call<'_>, name: &str) -> Result<Option<i64>, FluxError> {
    refuse_untyped(call, name, "int")?;
    call.int(name)
}

/// Refuses what is not there at all, as a column that a table lacks.
fn refuse_untyped(call: &Call<'_>, name: &str, kind: &str) -> Result<(), FluxError> {
    if !matches!(call.given(name), Some(Value::Null(None))) {
        return Ok(());
    }
    // Most functions of one number do not name it.
    let names = !matches!(call.builtin.parameters, [only] if only.name == "x")
        || matches!(call.builtin.name, "ilogb" | "lgamma" | "signbit" | "sincos");
    let argument = if names { format!("argument {name}") } else { "argument".to_owned() };
    Err(FluxError::internal(format!("cannot convert {argument} of type invalid to {kind}")))
}

/// An argument that must not be null.
fn whole(call: &Call<'_>, name: &str) -> Result<f64, FluxError> {
    let function = call.builtin.name;
    float_of(call, name)?
        .ok_or_else(|| FluxError::internal(format!("{function} does not support null values")))
}

fn record(entries: [(&str, Value); 2]) -> Value {
    let record: Record = entries.map(|(key, value)| (Arc::from(key), value)).into_iter().collect();
    Value::Record(Arc::new(record))
}
