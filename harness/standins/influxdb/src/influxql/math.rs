//! The mathematical functions, which work on one row and need no window.

use super::value::Value;

/// Whether a function is one of these.
pub(crate) fn is_math(name: &str) -> bool {
    argument_count(name).is_some()
}

/// How many arguments a mathematical function takes.
pub(crate) fn argument_count(name: &str) -> Option<usize> {
    match name {
        "abs" | "sin" | "cos" | "tan" | "asin" | "acos" | "atan" | "exp" | "ln" | "log2"
        | "log10" | "sqrt" | "floor" | "ceil" | "round" => Some(1),
        "atan2" | "pow" | "log" => Some(2),
        _ => None,
    }
}

/// Applies a function; `None` when there is no such function of that many arguments.
pub(crate) fn apply(name: &str, args: &[Value]) -> Option<Value> {
    if argument_count(name)? != args.len() {
        return None;
    }
    if let [left, right] = args {
        let (Some(left), Some(right)) = (left.as_float(), right.as_float()) else {
            return Some(Value::Null);
        };
        return Some(Value::Float(match name {
            "atan2" => left.atan2(right),
            "pow" => left.powf(right),
            _ => left.ln() / right.ln(),
        }));
    }
    let arg = args.first()?;
    let whole = matches!(arg, Value::Integer(_) | Value::Unsigned(_));
    if whole && matches!(name, "floor" | "ceil" | "round") {
        return Some(arg.clone());
    }
    if name == "abs" {
        return Some(match arg {
            Value::Float(number) => Value::Float(number.abs()),
            Value::Integer(number) => Value::Integer(number.wrapping_abs()),
            Value::Unsigned(number) => Value::Unsigned(*number),
            _ => Value::Null,
        });
    }
    let Some(number) = arg.as_float() else { return Some(Value::Null) };
    Some(Value::Float(match name {
        "sin" => number.sin(),
        "cos" => number.cos(),
        "tan" => number.tan(),
        "asin" => number.asin(),
        "acos" => number.acos(),
        "atan" => number.atan(),
        "exp" => number.exp(),
        "ln" => number.ln(),
        "log2" => number.log2(),
        "log10" => number.log10(),
        "sqrt" => number.sqrt(),
        "floor" => number.floor(),
        "ceil" => number.ceil(),
        _ => number.round(),
    }))
}
