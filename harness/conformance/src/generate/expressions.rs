//! Random expressions over the columns of a row.

use cutover_cases::Draws;

use super::shape::{Kind, Shape};

/// How a column is read in a function of a row.
pub(crate) fn member(label: &str) -> String {
    let plain = label.chars().all(|it| it.is_ascii_alphanumeric() || it == '_');
    if plain { format!("r.{label}") } else { format!("r[{label:?}]") }
}

/// An expression of a type.
pub(crate) fn expression(draws: &mut Draws, shape: &Shape, kind: Kind, depth: usize) -> String {
    if depth == 0 || draws.once_in(4) {
        return leaf(draws, shape, kind);
    }
    if draws.once_in(8) {
        let condition = condition(draws, shape, depth - 1);
        let (one, other) =
            (expression(draws, shape, kind, depth - 1), expression(draws, shape, kind, depth - 1));
        return format!("(if {condition} then {one} else {other})");
    }
    match kind {
        Kind::Float | Kind::Mixed => float(draws, shape, depth),
        Kind::Int => int(draws, shape, depth),
        Kind::Uint => format!("uint(v: {})", expression(draws, shape, Kind::Int, depth - 1)),
        Kind::Text => text(draws, shape, depth),
        Kind::Bool => condition(draws, shape, depth),
        Kind::Time => time(draws, shape, depth),
    }
}

fn leaf(draws: &mut Draws, shape: &Shape, kind: Kind) -> String {
    if draws.below(4) > 0
        && let Some(label) = shape.of_kind(draws, kind)
    {
        return member(&label);
    }
    match kind {
        Kind::Float | Kind::Mixed => draws.pick(&["0.0", "1.5", "-2.25", "100.0", "0.5"]),
        Kind::Int => draws.pick(&["0", "1", "-3", "7", "1000"]),
        Kind::Uint => "uint(v: 5)",
        Kind::Text => draws.pick(&["\"\"", "\"a\"", "\"ü b\"", "\"12\"", "\"-1.5\""]),
        Kind::Bool => draws.pick(&["true", "false"]),
        Kind::Time => draws.pick(&["2023-01-01T00:00:00Z", "2022-02-28T23:59:59.5Z"]),
    }
    .to_owned()
}

fn binary(draws: &mut Draws, shape: &Shape, kind: Kind, depth: usize, signs: &[&str]) -> String {
    let one = expression(draws, shape, kind, depth - 1);
    let other = expression(draws, shape, kind, depth - 1);
    format!("({one} {} {other})", draws.pick(signs))
}

fn float(draws: &mut Draws, shape: &Shape, depth: usize) -> String {
    match draws.below(9) {
        0..=3 => binary(draws, shape, Kind::Float, depth, &["+", "-", "*", "/"]),
        4 => format!("float(v: {})", expression(draws, shape, Kind::Int, depth - 1)),
        5 => format!("-{}", expression(draws, shape, Kind::Float, 0).trim_start_matches('-')),
        6 => {
            let one = expression(draws, shape, Kind::Float, depth - 1);
            let other = expression(draws, shape, Kind::Float, 0);
            let call = draws.pick(&["pow", "mod", "mMax", "mMin"]);
            format!("math.{call}(x: {one}, y: {other})")
        }
        _ => {
            let call =
                draws.pick(&["abs", "floor", "ceil", "round", "sqrt", "trunc", "roundtoeven"]);
            format!("math.{call}(x: {})", expression(draws, shape, Kind::Float, depth - 1))
        }
    }
}

fn int(draws: &mut Draws, shape: &Shape, depth: usize) -> String {
    match draws.below(8) {
        0..=2 => binary(draws, shape, Kind::Int, depth, &["+", "-", "*"]),
        3 => {
            let divisor = draws.pick(&["2", "3", "-4", "10"]);
            let sign = draws.pick(&["/", "%"]);
            format!("({} {sign} {divisor})", expression(draws, shape, Kind::Int, depth - 1))
        }
        4 => format!("int(v: {})", leaf(draws, shape, Kind::Time)),
        5 => format!("strings.strlen(v: {})", expression(draws, shape, Kind::Text, depth - 1)),
        _ => {
            let call = draws.pick(&[
                "hour",
                "minute",
                "second",
                "weekDay",
                "monthDay",
                "yearDay",
                "month",
                "year",
                "week",
                "quarter",
                "nanosecond",
                "millisecond",
                "microsecond",
            ]);
            format!("date.{call}(t: {})", leaf(draws, shape, Kind::Time))
        }
    }
}

fn text(draws: &mut Draws, shape: &Shape, depth: usize) -> String {
    let inner = |draws: &mut Draws| expression(draws, shape, Kind::Text, depth - 1);
    match draws.below(8) {
        0 => binary(draws, shape, Kind::Text, depth, &["+"]),
        1 => {
            let kinds = [Kind::Float, Kind::Int, Kind::Uint, Kind::Bool, Kind::Time];
            let kind = kinds[draws.below(kinds.len())];
            format!("string(v: {})", expression(draws, shape, kind, depth - 1))
        }
        2 => format!("\"<${{{}}}>\"", leaf(draws, shape, Kind::Text)),
        3 => {
            let kind = if draws.once_in(2) { Kind::Float } else { Kind::Int };
            format!("\"${{{}}} of\"", leaf(draws, shape, kind))
        }
        4 => {
            let call = draws.pick(&["toUpper", "toLower", "trimSpace", "title"]);
            format!("strings.{call}(v: {})", inner(draws))
        }
        5 => format!("strings.substring(v: {}, start: 0, end: {})", inner(draws), draws.below(4)),
        6 => format!("strings.replaceAll(v: {}, t: \"a\", u: \"ü\")", inner(draws)),
        _ => {
            let call = draws.pick(&["trimPrefix(prefix", "trimSuffix(suffix", "trim(cutset"]);
            format!("strings.{call}: \"a\", v: {})", inner(draws))
        }
    }
}

fn time(draws: &mut Draws, shape: &Shape, depth: usize) -> String {
    let inner = expression(draws, shape, Kind::Time, depth - 1);
    let unit = draws.pick(&["1h", "1d", "1w", "1mo", "1y", "10m", "1s", "3h"]);
    match draws.below(4) {
        0 | 1 => format!("date.truncate(t: {inner}, unit: {unit})"),
        2 => format!("date.add(d: {unit}, to: {inner})"),
        _ => format!("date.sub(d: {unit}, from: {inner})"),
    }
}

/// A predicate.
pub(crate) fn condition(draws: &mut Draws, shape: &Shape, depth: usize) -> String {
    if depth > 0 && draws.once_in(3) {
        let one = condition(draws, shape, depth - 1);
        if draws.once_in(4) {
            return format!("not ({one})");
        }
        let other = condition(draws, shape, depth - 1);
        return format!("({one} {} {other})", draws.pick(&["and", "or"]));
    }
    let signs = ["==", "!=", "<", "<=", ">", ">="];
    match draws.below(10) {
        0 => format!("exists {}", member(&shape.any(draws))),
        1 | 2 => match shape.of_kind(draws, Kind::Text) {
            Some(label) => {
                let sign = draws.pick(&["=~", "!~"]);
                let pattern = draws.pick(&["/a/", "/^[a-c]$/", "/^.$/", "/ü|é/", "/(?i)A/"]);
                format!("{} {sign} {pattern}", member(&label))
            }
            None => "true".to_owned(),
        },
        3 | 4 => {
            let value = draws.pick(&["\"a\"", "\"x\"", "\"1\"", "\"c d\"", "\"\"", "\"é=1\""]);
            let label = shape.of_kind(draws, Kind::Text).unwrap_or_else(|| "host".to_owned());
            format!("{} {} {value}", member(&label), draws.pick(&signs))
        }
        5 => {
            let label = shape.of_kind(draws, Kind::Text).unwrap_or_else(|| "host".to_owned());
            let call = draws.pick(&[
                "hasPrefix(prefix",
                "hasSuffix(suffix",
                "containsStr(substr",
                "containsAny(chars",
            ]);
            format!("strings.{call}: \"a\", v: {})", member(&label))
        }
        6 => {
            let label = shape.of_kind(draws, Kind::Text).unwrap_or_else(|| "host".to_owned());
            format!("contains(value: {}, set: [\"a\", \"x\", \"2\"])", member(&label))
        }
        _ => comparison(draws, shape, depth, &signs),
    }
}

fn comparison(draws: &mut Draws, shape: &Shape, depth: usize, signs: &[&str]) -> String {
    let kinds = [Kind::Float, Kind::Int, Kind::Float, Kind::Uint, Kind::Time, Kind::Bool];
    let there: Vec<Kind> =
        kinds.into_iter().filter(|kind| shape.columns.values().any(|it| it == kind)).collect();
    let kind = draws.of(&there).copied().unwrap_or(Kind::Float);
    let depth = depth.min(1);
    let one = expression(draws, shape, kind, depth);
    if kind == Kind::Bool {
        return format!("{one} == {}", draws.pick(&["true", "false"]));
    }
    // Numbers of different types compare as well.
    let other = if kind.is_number() && draws.once_in(5) { Kind::Int } else { kind };
    format!("{one} {} {}", draws.pick(signs), expression(draws, shape, other, depth))
}

/// What a predicate may be made smaller to.
pub(crate) fn simpler(predicate: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for sign in [" and ", " or "] {
        if let Some((one, other)) = predicate.split_once(sign) {
            for part in [one, other] {
                if part.matches('(').count() == part.matches(')').count() {
                    parts.push(part.to_owned());
                } else {
                    let trimmed = part.trim_start_matches('(').trim_end_matches(')');
                    if trimmed.matches('(').count() == trimmed.matches(')').count() {
                        parts.push(trimmed.to_owned());
                    }
                }
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_with_a_space_is_read_by_its_label() {
        assert_eq!(member("a b"), "r[\"a b\"]");
    }

    #[test]
    fn both_halves_of_a_predicate_are_simpler() {
        assert_eq!(simpler("(r.a == 1 and r.b == 2)"), ["r.a == 1", "r.b == 2"]);
    }
}
