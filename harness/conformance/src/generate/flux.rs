//! Random scripts.

use cutover_cases::Draws;

use super::data::{DataSet, time_literal};
use super::expressions::{condition, simpler};
use super::script::{Pipe, Script, Stage};
use super::shape::{Kind, Shape};
use super::{columns, rows, windows};

/// The store sorts the series of a grouping, and leaves the order of those that are equal to chance
/// where there are more.
const STABLY_SORTED: usize = 12;

/// A stage by what flows into it; `None` where it would only be refused.
type Made = Option<Stage>;

/// A script about the data.
pub(crate) fn script(draws: &mut Draws, data: &DataSet) -> Script {
    loop {
        let script = draft(draws, data);
        if script.is_safe() {
            return script;
        }
    }
}

fn draft(draws: &mut Draws, data: &DataSet) -> Script {
    let options = if draws.once_in(10) { vec![location(draws)] } else { Vec::new() };
    let pipes = match draws.below(12) {
        0 => two_inputs(draws, data, union),
        1 => two_inputs(draws, data, join),
        2 => vec![lookup(draws, data)],
        _ => {
            let (mut pipe, mut shape) = read(draws, data);
            extend(draws, &mut pipe, &mut shape, data);
            if draws.once_in(10) {
                pipe.stages.push(Stage::new("yield").with("name", "\"first\""));
                extend(draws, &mut pipe, &mut shape, data);
                pipe.stages.push(Stage::new("yield").with("name", "\"second\""));
            }
            vec![pipe]
        }
    };
    Script { options, pipes }
}

fn location(draws: &mut Draws) -> String {
    let zone = draws.pick(&[
        "timezone.location(name: \"America/Sao_Paulo\")",
        "timezone.location(name: \"Europe/Berlin\")",
        "timezone.location(name: \"Asia/Kathmandu\")",
        "timezone.fixed(offset: -3h)",
    ]);
    format!("option location = {zone}")
}

/// Reads a part of the data: from, range, and mostly filters.
fn read(draws: &mut Draws, data: &DataSet) -> (Pipe, Shape) {
    let source = Stage::new("from").with("bucket", "\"b\"");
    let mut stages = vec![range(draws, data)];
    let mut shape = stored_shape(data);
    if draws.below(6) > 0 {
        stages.push(choose(draws, data, &mut shape));
    }
    if draws.once_in(4) {
        stages.push(rows::filter(draws, &mut shape));
    }
    (Pipe { name: None, source, stages }, shape)
}

/// Reads one field of one measurement, so that the value has one type.
fn read_one_field(draws: &mut Draws, data: &DataSet) -> (Pipe, Shape) {
    let source = Stage::new("from").with("bucket", "\"b\"");
    let mut shape = stored_shape(data);
    let predicate = "(r) => r._field == \"usage\"";
    shape.columns.insert("_value".to_owned(), Kind::Float);
    let mut stages = vec![range(draws, data), Stage::new("filter").with("fn", predicate)];
    if draws.once_in(2) {
        stages.push(rows::filter(draws, &mut shape));
    }
    (Pipe { name: None, source, stages }, shape)
}

fn stored_shape(data: &DataSet) -> Shape {
    let texts = ["_measurement", "_field", "host", "dc", "rack"];
    let mut shape = Shape { by_series: true, ..Shape::default() };
    for label in texts {
        shape.columns.insert(label.to_owned(), Kind::Text);
        shape.key.insert(label.to_owned());
    }
    for label in ["_start", "_stop", "_time"] {
        shape.columns.insert(label.to_owned(), Kind::Time);
    }
    shape.key.extend(["_start".to_owned(), "_stop".to_owned()]);
    let mut kinds = data.fields.values().flat_map(|fields| fields.values());
    let first = kinds.next().copied().unwrap_or(Kind::Float);
    let value = if kinds.all(|kind| *kind == first) { first } else { Kind::Mixed };
    shape.columns.insert("_value".to_owned(), value);
    shape
}

fn range(draws: &mut Draws, data: &DataSet) -> Stage {
    let span = data.stop_ns - data.start_ns;
    let (mut start, mut stop) = (data.start_ns, data.stop_ns);
    if draws.once_in(4) {
        start += draws.between(0, span / 2);
    }
    if draws.once_in(4) {
        stop -= draws.between(0, span / 3);
    }
    // A bound in whole seconds or not; never at the epoch itself.
    if draws.once_in(3) {
        start -= draws.between(1, 3_600_000_000_000);
    }
    let start = if start == 0 { 1 } else { start };
    let stop = if stop <= start { start + 1 } else { stop };
    Stage::new("range").with("start", time_literal(start)).with("stop", time_literal(stop))
}

/// A filter for a measurement and a field.
fn choose(draws: &mut Draws, data: &DataSet, shape: &mut Shape) -> Stage {
    let measurements: Vec<&String> = data.fields.keys().collect();
    let measurement = draws.of(&measurements).map_or("cpu", |it| it.as_str());
    let fields: Vec<(&String, &Kind)> = data.fields[measurement].iter().collect();
    let (field, kind) = draws.of(&fields).map_or(("usage", Kind::Float), |it| (it.0, *it.1));
    let by_field = format!("r._field == {field:?}");
    let by_measurement = format!("r._measurement == {measurement:?}");
    let mut parts = match draws.below(6) {
        0 => vec![by_measurement],
        1 => vec![by_field],
        _ => vec![by_measurement, by_field],
    };
    let one_field = parts.len() > 1 || parts[0].starts_with("r._field");
    if one_field {
        shape.columns.insert("_value".to_owned(), kind);
    }
    if draws.once_in(4) {
        parts.push(condition(draws, shape, 1));
    }
    let predicate = parts.join(" and ");
    let smaller = simpler(&predicate).into_iter().map(|it| format!("(r) => {it}"));
    Stage::new("filter").with("fn", format!("(r) => {predicate}")).or(smaller)
}

fn extend(draws: &mut Draws, pipe: &mut Pipe, shape: &mut Shape, data: &DataSet) {
    let wanted = 1 + draws.below(4);
    let mut added = 0;
    for _ in 0..20 {
        if added == wanted {
            break;
        }
        if let Some(stage) = stage(draws, shape, data) {
            let by_store = |stage: &Stage| matches!(stage.call.as_str(), "range" | "filter");
            let groups_read = stage.call == "group" && pipe.stages.iter().all(by_store);
            let by_chance = data.series() > STABLY_SORTED;
            pipe.stages.push(stage);
            added += 1;
            if groups_read && by_chance {
                pipe.stages.push(match draws.below(3) {
                    0 => windows::count(shape),
                    _ => rows::sort_in_full(shape),
                });
            }
        }
    }
}

/// A stage that suits the shape; now and then one that does not, for the sake of its refusal.
fn stage(draws: &mut Draws, shape: &mut Shape, data: &DataSet) -> Made {
    let anything = draws.once_in(25);
    let span_ns = data.stop_ns - data.start_ns;
    let value = shape.kind("_value");
    let (time, number) = (shape.has("_time"), value.is_some_and(Kind::is_number));
    let bounds = time && shape.has("_start") && shape.has("_stop");
    let has_value = value.is_some();
    let only = |holds: bool| (holds || anything).then_some(());
    match draws.below(34) {
        0..=5 => {
            only(bounds && has_value)?;
            Some(windows::aggregate_window(draws, shape, span_ns))
        }
        6 => {
            only(bounds)?;
            Some(windows::window(draws, shape, span_ns))
        }
        7..=10 => {
            only(has_value)?;
            Some(windows::aggregates(draws, shape))
        }
        11..=13 => Some(columns::group(draws, shape)),
        14 => Some(rows::sort(draws, shape)),
        15 => Some(rows::limit(draws, shape)),
        16 => only(number).map(|()| rows::top(draws, shape)),
        17..=19 => Some(rows::map(draws, shape)),
        20 => only(has_value && value != Some(Kind::Mixed)).map(|()| rows::fill(draws, shape)),
        21..=23 => only(number && time).map(|()| rows::running(draws, shape)),
        24 => Some(rows::distinct(draws, shape)),
        25 => Some(rows::filter(draws, shape)),
        26 => Some(columns::drop(draws, shape)),
        27 => Some(columns::keep(draws, shape)),
        28 => Some(columns::rename(draws, shape)),
        29 => Some(if draws.once_in(2) {
            columns::duplicate(draws, shape)
        } else {
            columns::set(draws, shape)
        }),
        30 => only(number || value == Some(Kind::Bool)).map(|()| columns::convert(draws, shape)),
        31 => only(shape.by_series && shape.has("_field") && time)
            .map(|()| columns::pivot(draws, shape)),
        32 => only(time).map(|()| columns::shift(draws, shape)),
        _ if draws.once_in(2) => Some(rows::reduce(draws, shape)),
        _ => Some(columns::about(draws, shape)),
    }
}

type Combine = fn(&mut Draws, &mut Shape) -> Stage;

fn two_inputs(draws: &mut Draws, data: &DataSet, combine: Combine) -> Vec<Pipe> {
    let mut pipes = Vec::new();
    let mut shape = Shape::default();
    for name in ["a", "b"] {
        let (mut pipe, read) = read_one_field(draws, data);
        shape = read;
        // Tables with the same columns: the server's join loses rows of others at random.
        pipe.stages.push(columns_of_a_join());
        shape.columns.retain(|label, _| ["_time", "_value", "host"].contains(&label.as_str()));
        shape.key = ["host".to_owned()].into();
        pipe.stages.push(Stage::new("group").with("columns", "[\"host\"]"));
        // Series that were put together have rows of one time: only a full order is one.
        pipe.stages.push(Stage::new("sort").with("columns", "[\"_time\", \"_value\"]"));
        if draws.once_in(3) {
            pipe.stages.push(rows::limit(draws, &mut shape));
        }
        pipe.name = Some(name.to_owned());
        pipes.push(pipe);
    }
    let source = combine(draws, &mut shape);
    let mut stages = Vec::new();
    if shape.has("_value") {
        stages.push(Stage::new("sort").with("columns", "[\"_time\", \"_value\"]"));
    }
    let mut pipe = Pipe { name: None, source, stages };
    if draws.once_in(2) {
        extend(draws, &mut pipe, &mut shape, data);
    }
    pipes.push(pipe);
    pipes
}

fn columns_of_a_join() -> Stage {
    let record = "(r) => ({_time: r._time, _value: r._value, \
                  host: if exists r.host then r.host else \"-\"})";
    Stage::new("map").with("fn", record)
}

fn union(_: &mut Draws, _: &mut Shape) -> Stage {
    Stage::new("union").with("tables", "[a, b]")
}

fn join(draws: &mut Draws, shape: &mut Shape) -> Stage {
    let kind = shape.kind("_value").unwrap_or(Kind::Float);
    if draws.once_in(2) {
        shape.remove("_value");
        for label in ["_value_a", "_value_b"] {
            shape.columns.insert(label.to_owned(), kind);
        }
        return Stage::new("join")
            .with("tables", "{a: a, b: b}")
            .with("on", draws.pick(&["[\"_time\", \"host\"]", "[\"_time\"]"]));
    }
    shape.columns.insert("other".to_owned(), kind);
    let call = draws.pick(&["join.inner", "join.left", "join.full", "join.right"]);
    let side = if call == "join.right" { "r" } else { "l" };
    let stage = Stage::new(call)
        .with("left", "a")
        .with("right", "b")
        .with("on", "(l, r) => l._time == r._time");
    let record = if call == "join.full" {
        "(l, r) => ({_time: if exists l._time then l._time else r._time, \
         host: if exists l.host then l.host else r.host, _value: l._value, other: r._value})"
            .to_owned()
    } else {
        format!(
            "(l, r) => ({{_time: {side}._time, host: {side}.host, \
             _value: l._value, other: r._value}})"
        )
    };
    stage.with("as", record)
}

/// A question about the schema or a single value.
fn lookup(draws: &mut Draws, data: &DataSet) -> Pipe {
    let bounds = range(draws, data);
    let bounds = format!("{}, {}", shown(&bounds, 0), shown(&bounds, 1));
    let source = match draws.below(7) {
        0 => format!("schema.measurements(bucket: \"b\", {bounds})"),
        1 => format!("schema.tagKeys(bucket: \"b\", {bounds})"),
        2 => format!("schema.tagValues(bucket: \"b\", tag: \"host\", {bounds})"),
        3 => format!("schema.fieldKeys(bucket: \"b\", {bounds})"),
        4 => format!(
            "schema.tagValues(bucket: \"b\", tag: \"host\", predicate: (r) => r.dc == \"x\", \
             {bounds})"
        ),
        5 => format!("schema.measurementFieldKeys(bucket: \"b\", measurement: \"cpu\", {bounds})"),
        _ => {
            let (mut pipe, _) = read(draws, data);
            pipe.stages.push(Stage::new("group"));
            let sorted = "[\"_measurement\", \"_field\", \"host\", \"dc\", \"rack\", \"_time\"]";
            pipe.stages.push(Stage::new("sort").with("columns", sorted));
            pipe.stages.push(
                Stage::new("findColumn").with("fn", "(key) => true").with("column", "\"_time\""),
            );
            let found = pipe.to_string();
            format!("array.from(rows: [{{n: length(arr: {found})}}])")
        }
    };
    let (call, arguments) = source.split_once('(').unwrap_or((source.as_str(), ""));
    let mut stage = Stage::new(call);
    // The whole of a lookup is one argument as far as making it smaller goes.
    let (name, text) = arguments.trim_end_matches(')').split_once(": ").unwrap_or(("", ""));
    let closing = ")".repeat(arguments.len() - arguments.trim_end_matches(')').len() - 1);
    stage = stage.with(name, format!("{text}{closing}"));
    Pipe { name: None, source: stage, stages: Vec::new() }
}

fn shown(stage: &Stage, at: usize) -> String {
    let argument = &stage.arguments[at];
    format!("{}: {}", argument.name, argument.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(n: u64) -> (DataSet, Script) {
        let mut draws = Draws::new(7, n);
        let data = DataSet::generate(&mut draws);
        let script = script(&mut draws, &data);
        (data, script)
    }

    #[test]
    fn a_script_is_the_same_each_time_it_is_made() {
        for n in 0..50 {
            assert_eq!(made(n).1, made(n).1);
        }
    }

    #[test]
    fn no_script_can_end_the_real_server() {
        assert!((0..500).all(|n| made(n).1.is_safe()));
    }

    #[test]
    fn every_pipe_that_is_used_is_there() {
        assert!((0..500).all(|n| made(n).1.is_whole()));
    }

    #[test]
    fn brackets_are_balanced() {
        for n in 0..500 {
            let text = made(n).1.to_string();
            assert_eq!(text.matches('(').count(), text.matches(')').count(), "{text}");
        }
    }
}
