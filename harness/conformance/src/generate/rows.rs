//! Stages that choose, order and compute rows.

use cutover_cases::Draws;

use super::expressions::{condition, expression, simpler};
use super::script::Stage;
use super::shape::{Kind, Shape};

/// A list of texts in Flux.
pub(super) fn list(labels: &[String]) -> String {
    format!("[{}]", labels.iter().map(|it| format!("{it:?}")).collect::<Vec<_>>().join(", "))
}

/// Keeps rows.
pub(super) fn filter(draws: &mut Draws, shape: &mut Shape) -> Stage {
    let predicate = condition(draws, shape, 2);
    let smaller = simpler(&predicate).into_iter().map(|it| format!("(r) => {it}"));
    let stage = Stage::new("filter").with("fn", format!("(r) => {predicate}")).or(smaller);
    if draws.once_in(10) {
        let kept = draws.pick(&["\"keep\"", "\"drop\""]);
        return stage.with_optional("onEmpty", kept);
    }
    stage
}

/// Orders rows by all that is known of them.
pub(super) fn sort_in_full(shape: &Shape) -> Stage {
    Stage::new("sort").with("columns", list(&in_full(vec!["_time".to_owned()], shape)))
}

/// Labels to sort by, and after them all others: a real server leaves rows that are equal in all
/// labels in the order in which its shards and series happen to be merged.
fn in_full(mut labels: Vec<String>, shape: &Shape) -> Vec<String> {
    let others = shape.columns.keys().filter(|label| !labels.contains(label));
    let others: Vec<String> = others.cloned().collect();
    labels.extend(others);
    labels
}

/// Orders rows.
pub(super) fn sort(draws: &mut Draws, shape: &mut Shape) -> Stage {
    let mut labels = shape.some(draws, 2);
    if labels.is_empty() {
        labels.push(if draws.once_in(2) { "_time" } else { "_value" }.to_owned());
    }
    let stage = Stage::new("sort").with("columns", list(&in_full(labels, shape)));
    if draws.once_in(2) { stage.with_optional("desc", "true") } else { stage }
}

/// Takes the first or last rows.
pub(super) fn limit(draws: &mut Draws, _: &mut Shape) -> Stage {
    let call = if draws.once_in(3) { "tail" } else { "limit" };
    let stage = Stage::new(call).with("n", draws.pick(&["1", "2", "3", "5", "100"]));
    if draws.once_in(3) {
        stage.with_optional("offset", draws.pick(&["0", "1", "4"]))
    } else {
        stage
    }
}

/// Takes the greatest or smallest rows.
pub(super) fn top(draws: &mut Draws, shape: &mut Shape) -> Stage {
    let call = draws.pick(&["top", "bottom"]);
    let stage = Stage::new(call).with("n", draws.pick(&["1", "2", "4"]));
    let label = if draws.once_in(3) { shape.any(draws) } else { "_value".to_owned() };
    stage.with("columns", list(&in_full(vec![label], shape)))
}

/// Computes columns.
pub(super) fn map(draws: &mut Draws, shape: &mut Shape) -> Stage {
    let kinds = [Kind::Float, Kind::Int, Kind::Text, Kind::Bool, Kind::Time, Kind::Uint];
    let value = shape.kind("_value").filter(|kind| *kind != Kind::Mixed);
    let kind = match value {
        Some(kind) if draws.below(3) > 0 => kind,
        _ => kinds[draws.below(kinds.len())],
    };
    let label = if draws.once_in(3) { "x" } else { "_value" };
    let computed = expression(draws, shape, kind, 3);
    let simple = format!("(r) => ({{r with {label}: {}}})", expression(draws, shape, kind, 1));
    let (fields, alone) = (format!("{label}: {computed}"), draws.once_in(8));
    let text = if alone {
        let kept: Vec<(String, Kind)> =
            shape.columns.iter().map(|(label, kind)| (label.clone(), *kind)).collect();
        let time = kept.iter().any(|(label, _)| label == "_time");
        shape.columns.retain(|label, _| shape.key.contains(label) || time && label == "_time");
        let time = if time { "_time: r._time, " } else { "" };
        format!("(r) => ({{{time}{fields}}})")
    } else {
        format!("(r) => ({{r with {fields}}})")
    };
    shape.columns.insert(label.to_owned(), kind);
    if alone {
        // Columns of the key that the record leaves out are gone.
        let key: Vec<String> = shape.key.iter().cloned().collect();
        for label in key.iter().filter(|it| *it != "_value" && *it != "x") {
            shape.remove(label);
        }
    }
    Stage::new("map").with("fn", text).or([simple])
}

/// Fills nulls.
pub(super) fn fill(draws: &mut Draws, shape: &mut Shape) -> Stage {
    let kind = shape.kind("_value").unwrap_or(Kind::Float);
    let stage = Stage::new("fill");
    if draws.once_in(2) {
        return stage.with("usePrevious", "true");
    }
    let value = match kind {
        Kind::Int => "0",
        Kind::Uint => "uint(v: 0)",
        Kind::Text => "\"none\"",
        Kind::Bool => "false",
        Kind::Time => "2020-01-01T00:00:00Z",
        Kind::Float | Kind::Mixed => "0.0",
    };
    stage.with("value", value)
}

/// Compares each row with those before it.
pub(super) fn running(draws: &mut Draws, shape: &mut Shape) -> Stage {
    let nonneg = draws.once_in(3);
    let unit = draws.pick(&["1s", "1m", "1h", "10s"]);
    let stage = match draws.below(9) {
        0 | 1 => Stage::new("difference"),
        2 | 3 => Stage::new("derivative").with_optional("unit", unit),
        4 => return Stage::new("increase"),
        5 => return Stage::new("cumulativeSum"),
        6 => {
            let call = draws.pick(&["movingAverage", "exponentialMovingAverage"]);
            float_value(shape);
            return Stage::new(call).with("n", draws.pick(&["1", "2", "3"]));
        }
        7 => {
            shape.columns.insert("elapsed".to_owned(), Kind::Int);
            return Stage::new("elapsed").with_optional("unit", unit);
        }
        _ => return state(draws, shape),
    };
    if stage.call == "derivative" {
        float_value(shape);
    }
    let stage = if nonneg { stage.with_optional("nonNegative", "true") } else { stage };
    if draws.once_in(4) { stage.with_optional("initialZero", "true") } else { stage }
}

fn float_value(shape: &mut Shape) {
    shape.columns.insert("_value".to_owned(), Kind::Float);
}

fn state(draws: &mut Draws, shape: &mut Shape) -> Stage {
    let predicate = condition(draws, shape, 1);
    let smaller = simpler(&predicate).into_iter().map(|it| format!("(r) => {it}"));
    let (call, label) = if draws.once_in(2) {
        ("stateCount", "stateCount")
    } else {
        ("stateDuration", "stateDuration")
    };
    shape.columns.insert(label.to_owned(), Kind::Int);
    Stage::new(call).with("fn", format!("(r) => {predicate}")).or(smaller)
}

/// Keeps one row for each value.
pub(super) fn distinct(draws: &mut Draws, shape: &mut Shape) -> Stage {
    let label = shape.any(draws);
    if draws.once_in(2) {
        return Stage::new("unique").with("column", format!("{label:?}"));
    }
    let kind = shape.kind(&label).unwrap_or(Kind::Text);
    shape.only(&[("_value", kind)]);
    Stage::new("distinct").with("column", format!("{label:?}"))
}

/// Folds rows with a function.
pub(super) fn reduce(draws: &mut Draws, shape: &mut Shape) -> Stage {
    let value = expression(draws, shape, Kind::Float, 1);
    shape.only(&[("total", Kind::Float), ("count", Kind::Int)]);
    let body = format!(
        "(r, accumulator) => ({{total: accumulator.total + {value}, count: accumulator.count + 1}})"
    );
    Stage::new("reduce").with("identity", "{total: 0.0, count: 0}").with("fn", body)
}
