//! Random statements of the older language.

use cutover_cases::Draws;

use super::data::{DataSet, time_literal};
use super::shape::Kind;

/// A statement in parts, so that it can be made smaller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    /// What is selected, or the whole of a `SHOW`.
    pub(crate) head: String,
    /// Clauses after it; each can be left out.
    pub(crate) clauses: Vec<String>,
}

impl std::fmt::Display for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.head)?;
        self.clauses.iter().try_for_each(|clause| write!(f, " {clause}"))
    }
}

/// A statement about the data.
pub(crate) fn statement(draws: &mut Draws, data: &DataSet) -> Statement {
    let measurements: Vec<&String> = data.fields.keys().collect();
    let measurement = draws.of(&measurements).map_or("cpu", |it| it.as_str());
    if draws.once_in(7) {
        return show(draws, measurement);
    }
    let fields: Vec<(&String, &Kind)> = data.fields[measurement].iter().collect();
    let (field, kind) = draws.of(&fields).map_or(("usage", Kind::Float), |it| (it.0, *it.1));
    let grouped = draws.below(3) > 0;
    let (selected, aggregated) = selected(draws, field, kind, grouped);
    let mut clauses = vec![bounds(draws, data)];
    let mut groups = Vec::new();
    let windowed = aggregated && draws.below(3) > 0;
    if windowed {
        groups.push(time_group(draws, data));
    }
    if draws.once_in(2) {
        groups.push(draws.pick(&["host", "dc", "*", "\"rack\"", "host, dc"]).to_owned());
    }
    if !groups.is_empty() {
        clauses.push(format!("GROUP BY {}", groups.join(", ")));
    }
    if windowed && draws.once_in(2) {
        clauses.push(
            draws
                .pick(&["fill(none)", "fill(previous)", "fill(0)", "fill(linear)", "fill(null)"])
                .to_owned(),
        );
    }
    for (chance, clause) in
        [(4, "ORDER BY time DESC"), (4, "LIMIT 3"), (8, "OFFSET 1"), (10, "SLIMIT 1")]
    {
        if draws.once_in(chance) {
            clauses.push(clause.to_owned());
        }
    }
    if windowed && draws.once_in(10) {
        clauses.push("tz('America/Sao_Paulo')".to_owned());
    }
    Statement { head: format!("SELECT {selected} FROM {measurement:?}"), clauses }
}

fn show(draws: &mut Draws, measurement: &str) -> Statement {
    let head = match draws.below(7) {
        0 => "SHOW MEASUREMENTS".to_owned(),
        1 => "SHOW TAG KEYS".to_owned(),
        2 => format!("SHOW TAG KEYS FROM {measurement:?}"),
        3 => "SHOW TAG VALUES WITH KEY = \"host\"".to_owned(),
        4 => format!("SHOW TAG VALUES FROM {measurement:?} WITH KEY IN (\"host\", \"dc\")"),
        5 => format!("SHOW FIELD KEYS FROM {measurement:?}"),
        _ => "SHOW FIELD KEYS".to_owned(),
    };
    let clauses = if draws.once_in(4) { vec!["LIMIT 1".to_owned()] } else { Vec::new() };
    Statement { head, clauses }
}

fn selected(draws: &mut Draws, field: &str, kind: Kind, aggregated: bool) -> (String, bool) {
    if !aggregated {
        let plain = match draws.below(5) {
            0 => "*".to_owned(),
            1 if kind.is_number() => format!("{field:?} * 2 + 1"),
            2 => format!("{field:?} AS value, host"),
            _ => format!("{field:?}"),
        };
        return (plain, false);
    }
    let calls: &[&str] = if kind.is_number() {
        &[
            "mean", "sum", "count", "min", "max", "first", "last", "median", "spread", "stddev",
            "mode",
        ]
    } else {
        &["count", "first", "last", "mode"]
    };
    let call = draws.pick(calls);
    let other = draws.pick(calls);
    let selected = match draws.below(6) {
        0 => format!("{call}({field:?}), {other}({field:?})"),
        1 => format!("{call}({field:?}) AS a"),
        2 if kind.is_number() => format!("{call}({field:?}) * 2"),
        3 if kind.is_number() => format!("percentile({field:?}, 90)"),
        _ => format!("{call}({field:?})"),
    };
    (selected, true)
}

fn bounds(draws: &mut Draws, data: &DataSet) -> String {
    let span = data.stop_ns - data.start_ns;
    let start = data.start_ns + if draws.once_in(3) { draws.between(0, span / 2) } else { 0 };
    let start = if start == 0 { 1 } else { start };
    let stop = data.stop_ns.max(start + 1);
    let mut bounds =
        format!("WHERE time >= '{}' AND time < '{}'", time_literal(start), time_literal(stop));
    if draws.once_in(4) {
        bounds += draws.pick(&[
            " AND host = 'a'",
            " AND host != 'a'",
            " AND host =~ /^[ab]$/",
            " AND dc = ''",
            " AND (host = 'a' OR dc = 'x')",
            " AND usage > 0",
            " AND rack <> '1'",
        ]);
    }
    bounds
}

fn time_group(draws: &mut Draws, data: &DataSet) -> String {
    let seconds = (data.stop_ns - data.start_ns) / 1_000_000_000;
    let widths = [10, 60, 600, 3_600, 21_600, 86_400, 604_800];
    let fitting: Vec<i64> = widths.into_iter().filter(|width| seconds / width <= 400).collect();
    let width = draws.of(&fitting).copied().unwrap_or(2_592_000);
    if draws.once_in(5) {
        return format!("time({width}s, {}s)", draws.pick(&["1", "-1", "300"]));
    }
    format!("time({width}s)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_the_same_each_time_it_is_made() {
        let made = |n| {
            let mut draws = Draws::new(7, n);
            let data = DataSet::generate(&mut draws);
            statement(&mut draws, &data)
        };
        assert!((0..50).all(|n| made(n) == made(n)));
    }
}
