//! Stages that change columns and groups.

use cutover_cases::Draws;

use super::rows::list;
use super::script::Stage;
use super::shape::{Kind, Shape};

/// Groups anew.
pub(super) fn group(draws: &mut Draws, shape: &mut Shape) -> Stage {
    shape.by_series = false;
    let mut labels = shape.some(draws, 3);
    let except = draws.once_in(6);
    if except && shape.has("_time") {
        // A group for each row is not what is looked for.
        labels.extend(["_time".to_owned(), "_value".to_owned()]);
    } else {
        labels.retain(|label| label != "_time" || labels_are_few(shape));
    }
    labels.dedup();
    if except {
        let kept = shape.columns.keys().filter(|label| !labels.contains(label));
        shape.key = kept.cloned().collect();
        return Stage::new("group")
            .with("columns", list(&labels))
            .with_optional("mode", "\"except\"");
    }
    shape.key = labels.iter().cloned().collect();
    if labels.is_empty() {
        return Stage::new("group");
    }
    Stage::new("group").with("columns", list(&labels))
}

fn labels_are_few(shape: &Shape) -> bool {
    shape.columns.len() < 4
}

/// Takes columns away.
pub(super) fn drop(draws: &mut Draws, shape: &mut Shape) -> Stage {
    let mut labels = shape.some(draws, 3);
    labels.retain(|label| label != "_value" && label != "_time" || label.len() > 20);
    if labels.is_empty() {
        labels.push("dc".to_owned());
    }
    for label in &labels {
        shape.remove(label);
    }
    if draws.once_in(6) {
        let set = list(&labels);
        return Stage::new("drop")
            .with("fn", format!("(column) => contains(value: column, set: {set})"));
    }
    Stage::new("drop").with("columns", list(&labels))
}

/// Leaves these columns only.
pub(super) fn keep(draws: &mut Draws, shape: &mut Shape) -> Stage {
    let mut labels = shape.some(draws, 3);
    for label in ["_time", "_value"] {
        if shape.has(label) && !labels.iter().any(|it| it == label) {
            labels.push(label.to_owned());
        }
    }
    shape.columns.retain(|label, _| labels.contains(label));
    shape.key.retain(|label| labels.contains(label));
    shape.by_series = false;
    Stage::new("keep").with("columns", list(&labels))
}

/// Gives a column another name.
pub(super) fn rename(draws: &mut Draws, shape: &mut Shape) -> Stage {
    let label = shape.any(draws);
    let to = draws.pick(&["renamed", "b c", "host", "_value2"]).to_owned();
    if let Some(kind) = shape.kind(&label) {
        let in_key = shape.key.contains(&label);
        shape.remove(&label);
        shape.columns.insert(to.clone(), kind);
        if in_key {
            shape.key.insert(to.clone());
        }
    }
    Stage::new("rename").with("columns", format!("{{{label:?}: {to:?}}}"))
}

/// Copies a column.
pub(super) fn duplicate(draws: &mut Draws, shape: &mut Shape) -> Stage {
    let label = shape.any(draws);
    let to = draws.pick(&["copy", "host", "_time"]).to_owned();
    if let Some(kind) = shape.kind(&label) {
        shape.columns.insert(to.clone(), kind);
    }
    Stage::new("duplicate").with("column", format!("{label:?}")).with("as", format!("{to:?}"))
}

/// Sets a column to a text.
pub(super) fn set(draws: &mut Draws, shape: &mut Shape) -> Stage {
    let label = draws.pick(&["host", "new", "dc"]).to_owned();
    shape.columns.insert(label.clone(), Kind::Text);
    Stage::new("set").with("key", format!("{label:?}")).with("value", "\"set ü\"")
}

/// Converts the value.
pub(super) fn convert(draws: &mut Draws, shape: &mut Shape) -> Stage {
    let (call, kind) = [
        ("toFloat", Kind::Float),
        ("toInt", Kind::Int),
        ("toString", Kind::Text),
        ("toUInt", Kind::Uint),
        ("toBool", Kind::Bool),
    ][draws.below(5)];
    shape.columns.insert("_value".to_owned(), kind);
    Stage::new(call)
}

/// Turns fields into columns.
pub(super) fn pivot(draws: &mut Draws, shape: &mut Shape) -> Stage {
    shape.remove("_field");
    shape.remove("_value");
    for (label, kind) in [("usage", Kind::Float), ("n", Kind::Int)] {
        shape.columns.insert(label.to_owned(), kind);
    }
    if draws.once_in(3) {
        return Stage::new("schema.fieldsAsCols");
    }
    Stage::new("pivot")
        .with("rowKey", "[\"_time\"]")
        .with("columnKey", "[\"_field\"]")
        .with("valueColumn", "\"_value\"")
}

/// Tells of columns and keys instead of rows.
pub(super) fn about(draws: &mut Draws, shape: &mut Shape) -> Stage {
    match draws.below(3) {
        0 => {
            shape.only(&[("_value", Kind::Text)]);
            Stage::new("columns")
        }
        1 => {
            shape.only(&[("_value", Kind::Text)]);
            Stage::new("keys")
        }
        _ => {
            shape.only(&[("_key", Kind::Text), ("_value", Kind::Text)]);
            Stage::new("keyValues").with("keyColumns", "[\"host\"]")
        }
    }
}

/// Moves times.
pub(super) fn shift(draws: &mut Draws, shape: &mut Shape) -> Stage {
    if draws.once_in(2) || !shape.has("_time") {
        return Stage::new("timeShift").with("duration", draws.pick(&["1h", "-1d", "1mo", "30s"]));
    }
    Stage::new("truncateTimeColumn").with("unit", draws.pick(&["1h", "1m", "1d", "1mo", "1w"]))
}
