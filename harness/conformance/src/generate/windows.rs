//! Stages that put rows into windows and that aggregate them.

use cutover_cases::Draws;

use super::script::Stage;
use super::shape::{Kind, Shape};

const EVERY: [&str; 12] =
    ["10s", "1m", "5m", "10m", "1h", "6h", "1d", "1w", "1mo", "7m", "3d", "2mo"];

/// Windows of about the data's width, so that there are tens and not millions of them.
fn every(draws: &mut Draws, span_ns: i64) -> &'static str {
    const WIDTHS_S: [i64; 12] =
        [10, 60, 300, 600, 3_600, 21_600, 86_400, 604_800, 2_592_000, 420, 259_200, 5_184_000];
    let fits = |width: i64| span_ns / 1_000_000_000 / width <= 400;
    let fitting: Vec<&'static str> = EVERY
        .into_iter()
        .zip(WIDTHS_S)
        .filter(|(_, width)| fits(*width))
        .map(|(every, _)| every)
        .collect();
    draws.of(&fitting).copied().unwrap_or("1mo")
}

/// Functions that give one row a table, those that work on any type last.
const AGGREGATES: [&str; 12] = [
    "mean", "sum", "median", "stddev", "spread", "skew", "min", "max", "mode", "count", "first",
    "last",
];

/// The aggregate functions that a column's type allows.
fn aggregate(draws: &mut Draws, kind: Kind) -> &'static str {
    let allowed: &[&'static str] = match kind {
        Kind::Float | Kind::Mixed => &AGGREGATES,
        Kind::Int | Kind::Uint => &[
            "mean", "sum", "spread", "skew", "stddev", "min", "max", "mode", "count", "first",
            "last",
        ],
        Kind::Text | Kind::Bool | Kind::Time => &["count", "first", "last", "mode"],
    };
    allowed[draws.below(allowed.len())]
}

/// The type that an aggregate of a column has.
fn outcome(function: &str, kind: Kind) -> Kind {
    match function {
        "mean" | "median" | "stddev" | "skew" | "quantile" => Kind::Float,
        "count" => Kind::Int,
        _ => kind,
    }
}

/// `aggregateWindow` with all that it takes.
pub(super) fn aggregate_window(draws: &mut Draws, shape: &mut Shape, span_ns: i64) -> Stage {
    let kind = shape.kind("_value").unwrap_or(Kind::Float);
    let every = every(draws, span_ns);
    let function = if kind == Kind::Mixed {
        draws.pick(&["count", "first", "last"])
    } else {
        aggregate(draws, kind)
    };
    let mut stage = Stage::new("aggregateWindow").with("every", every);
    stage = if kind == Kind::Float && draws.once_in(8) {
        let exact = draws.pick(&["\"exact_mean\"", "\"exact_selector\"", "\"estimate_tdigest\""]);
        let text = format!(
            "(column, tables=<-) => tables |> quantile(q: 0.9, column: column, method: {exact})"
        );
        stage.with("fn", text).or(["mean".to_owned(), "max".to_owned()])
    } else {
        stage.with("fn", function).or(["first".to_owned(), "count".to_owned()])
    };
    if draws.once_in(2) {
        stage = stage.with_optional("createEmpty", draws.pick(&["false", "true", "false"]));
    }
    if draws.once_in(4) {
        stage = stage.with_optional("timeSrc", "\"_start\"");
    }
    if draws.once_in(5) && !every.ends_with('o') {
        stage = stage.with_optional("offset", draws.pick(&["1s", "-1s", "30s", "5m", "1h"]));
    }
    if draws.once_in(8) && !every.ends_with('o') {
        stage = stage.with_optional("period", format!("{}m", 1 + draws.below(300)));
    }
    if draws.once_in(20) {
        stage = stage.with_optional("timeDst", "\"at\"");
    }
    let kind = outcome(function, kind);
    let mut columns = vec![("_value", kind), ("_time", Kind::Time)];
    if matches!(function, "min" | "max" | "first" | "last") {
        columns.extend([("_start", Kind::Time), ("_stop", Kind::Time)]);
    }
    shape.only(&columns);
    stage
}

/// `window` alone.
pub(super) fn window(draws: &mut Draws, shape: &mut Shape, span_ns: i64) -> Stage {
    shape.key.extend(["_start".to_owned(), "_stop".to_owned()]);
    let every = every(draws, span_ns);
    let mut stage = Stage::new("window").with("every", every);
    if draws.once_in(4) && !every.ends_with('o') {
        stage = stage.with_optional("period", format!("{}m", 1 + draws.below(300)));
    }
    if draws.once_in(4) && !every.ends_with('o') {
        stage = stage.with_optional("offset", draws.pick(&["1s", "-1s", "10m", "1h"]));
    }
    if draws.once_in(3) {
        stage = stage.with_optional("createEmpty", "true");
    }
    stage
}

/// How many rows there are.
pub(super) fn count(shape: &mut Shape) -> Stage {
    shape.only(&[("_value", Kind::Int)]);
    Stage::new("count")
}

/// One row a table.
pub(super) fn aggregates(draws: &mut Draws, shape: &mut Shape) -> Stage {
    let kind = shape.kind("_value").unwrap_or(Kind::Float);
    if kind.is_number() && draws.once_in(6) {
        return special(draws, shape, kind);
    }
    let function = if kind == Kind::Mixed {
        draws.pick(&["count", "first", "last", "min", "max"])
    } else {
        aggregate(draws, kind)
    };
    // A real server has a mode for each piece of a table that it happens to hold in one buffer.
    let function = if function == "mode" { "count" } else { function };
    let mut stage = Stage::new(function);
    if function == "median" && draws.once_in(2) {
        stage = stage.with_optional("method", "\"exact_selector\"");
    }
    if function == "stddev" && draws.once_in(2) {
        stage = stage.with_optional("mode", draws.pick(&["\"population\"", "\"sample\""]));
    }
    if matches!(function, "count" | "first" | "last") && draws.once_in(5) {
        let label = shape.any(draws);
        stage = stage.with_optional("column", format!("{label:?}"));
    }
    if !matches!(function, "min" | "max" | "first" | "last") {
        shape.only(&[("_value", outcome(function, kind))]);
    }
    stage
}

fn special(draws: &mut Draws, shape: &mut Shape, kind: Kind) -> Stage {
    match draws.below(4) {
        0 | 1 if kind == Kind::Float => {
            let methods = ["\"exact_mean\"", "\"exact_selector\"", "\"estimate_tdigest\""];
            let method = draws.pick(&methods);
            if method != "\"exact_selector\"" {
                shape.only(&[("_value", Kind::Float)]);
            }
            Stage::new("quantile")
                .with("q", draws.pick(&["0.0", "0.25", "0.5", "0.9", "0.99", "1.0"]))
                .with_optional("method", method)
        }
        2 => {
            shape.only(&[("_value", Kind::Float)]);
            let stage = Stage::new("integral").with_optional("unit", draws.pick(&["1s", "1m"]));
            if draws.once_in(3) {
                return stage.with_optional("interpolate", "\"linear\"");
            }
            stage
        }
        _ if kind == Kind::Float => {
            shape.only(&[("_value", Kind::Float), ("le", Kind::Float)]);
            let stage = Stage::new("histogram").with("bins", "[-50.0, 0.0, 0.5, 10.0, 100.0]");
            if draws.once_in(3) { stage.with_optional("normalize", "true") } else { stage }
        }
        _ => {
            shape.only(&[("_value", Kind::Float)]);
            Stage::new("mean")
        }
    }
}
