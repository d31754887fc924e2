//! The part of a script that comes as a syntax tree: clients send the values of parameters so.
//!
//! [`script`] writes the tree as Flux, which is then parsed like the rest. Its shape is that of
//! Flux's `ast` package: an object for each node, with its name under `type`.

use serde_json::Value;

use super::{FluxError, FluxErrorCode};

/// The Flux of a file's tree. Nodes that no value of a parameter is made of are refused by name.
pub(crate) fn script(file: &Value) -> Result<String, FluxError> {
    let Value::Object(_) = file else {
        return Err(mistake("invalid type, expected struct File"));
    };
    let imports = nodes(file, "imports")?.iter().map(|import| {
        let alias = match &import["as"] {
            Value::Null => String::new(),
            alias => format!("{} ", text(alias, "name")?),
        };
        Ok(format!("import {alias}{}\n", expression(&import["path"])?))
    });
    let statements = nodes(file, "body")?.iter().map(|statement| {
        Ok(match text(statement, "type")? {
            "OptionStatement" => format!("option {}\n", assignment(&statement["assignment"])?),
            _ => format!("{}\n", assignment(statement)?),
        })
    });
    imports.chain(statements).collect()
}

fn assignment(node: &Value) -> Result<String, FluxError> {
    let name = match text(node, "type")? {
        "VariableAssignment" => text(&node["id"], "name")?.to_owned(),
        "MemberAssignment" => expression(&node["member"])?,
        other => return Err(outside(other)),
    };
    Ok(format!("{name} = {}", expression(&node["init"])?))
}

fn expression(node: &Value) -> Result<String, FluxError> {
    Ok(match text(node, "type")? {
        "Identifier" => text(node, "name")?.to_owned(),
        "StringLiteral" => quoted(text(node, "value")?),
        "IntegerLiteral" => format!("({})", text(node, "value")?),
        "UnsignedIntegerLiteral" => format!("uint(v: {})", quoted(text(node, "value")?)),
        "DateTimeLiteral" => text(node, "value")?.to_owned(),
        "BooleanLiteral" => match &node["value"] {
            Value::Bool(value) => value.to_string(),
            _ => return Err(mistake("invalid type, expected a boolean")),
        },
        "FloatLiteral" => match node["value"].as_f64() {
            Some(value) => format!("float(v: {})", quoted(&value.to_string())),
            None => return Err(mistake("invalid type, expected f64")),
        },
        "DurationLiteral" => duration(node)?,
        "ArrayExpression" => format!("[{}]", expressions(nodes(node, "elements")?)?),
        "ObjectExpression" => {
            let properties = nodes(node, "properties")?.iter().map(|property| {
                let key = &property["key"];
                let key = match text(key, "type")? {
                    "Identifier" => text(key, "name")?.to_owned(),
                    _ => expression(key)?,
                };
                Ok(format!("{key}: {}", expression(&property["value"])?))
            });
            format!("{{{}}}", properties.collect::<Result<Vec<_>, FluxError>>()?.join(", "))
        }
        "MemberExpression" => {
            let property = &node["property"];
            let key = match text(property, "type")? {
                "Identifier" => text(property, "name")?,
                _ => text(property, "value")?,
            };
            format!("{}.{key}", expression(&node["object"])?)
        }
        "UnaryExpression" => {
            format!("({} {})", text(node, "operator")?, expression(&node["argument"])?)
        }
        "BinaryExpression" => {
            let (left, right) = (expression(&node["left"])?, expression(&node["right"])?);
            format!("({left} {} {right})", text(node, "operator")?)
        }
        other => return Err(outside(other)),
    })
}

fn expressions(elements: &[Value]) -> Result<String, FluxError> {
    let elements: Result<Vec<String>, FluxError> = elements.iter().map(expression).collect();
    Ok(elements?.join(", "))
}

/// A duration literal has one sign, and the parts of a tree's have one each: all are that of the
/// first.
fn duration(node: &Value) -> Result<String, FluxError> {
    let mut literal = String::new();
    let mut negative = false;
    for (at, part) in nodes(node, "values")?.iter().enumerate() {
        let Some(magnitude) = part["magnitude"].as_i64() else {
            return Err(mistake("invalid type, expected i64"));
        };
        negative |= at == 0 && magnitude < 0;
        literal.push_str(&magnitude.unsigned_abs().to_string());
        literal.push_str(text(part, "unit")?);
    }
    Ok(if negative { format!("(-{literal})") } else { literal })
}

fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "\\${");
    format!("\"{escaped}\"")
}

fn text<'a>(node: &'a Value, field: &str) -> Result<&'a str, FluxError> {
    node[field].as_str().ok_or_else(|| mistake(&format!("missing field `{field}`")))
}

/// The nodes under `field`; a tree may leave an empty list out.
fn nodes<'a>(node: &'a Value, field: &str) -> Result<&'a [Value], FluxError> {
    match &node[field] {
        Value::Null => Ok(&[]),
        Value::Array(nodes) => Ok(nodes),
        _ => Err(mistake(&format!("invalid type under `{field}`, expected a sequence"))),
    }
}

fn mistake(what: &str) -> FluxError {
    let message = format!("compilation failed: extern json parse error: {what}");
    FluxError::whole(FluxErrorCode::Invalid, message)
}

fn outside(node: &str) -> FluxError {
    let message = format!("`{node}` in `extern` is not in the stand-in's Flux");
    FluxError::whole(FluxErrorCode::Invalid, message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of_value(value: &Value) -> String {
        let assigned = json!({
            "type": "VariableAssignment", "id": { "type": "Identifier", "name": "x" },
            "init": value,
        });
        let statement = json!({ "type": "OptionStatement", "assignment": assigned });
        script(&json!({ "imports": [], "body": [statement] })).unwrap()
    }

    #[test]
    fn a_parameter_becomes_an_option_with_its_value() {
        for (node, expected) in [
            (json!({ "type": "StringLiteral", "value": "a\"${b}\\" }), r#""a\"\${b}\\""#),
            (json!({ "type": "IntegerLiteral", "value": "-5" }), "(-5)"),
            (json!({ "type": "FloatLiteral", "value": 2 }), "float(v: \"2\")"),
            (json!({ "type": "BooleanLiteral", "value": true }), "true"),
            (
                json!({ "type": "DurationLiteral", "values": [
                    { "magnitude": -1, "unit": "h" }, { "magnitude": -30, "unit": "m" }] }),
                "(-1h30m)",
            ),
            (
                json!({ "type": "ArrayExpression", "elements": [
                    { "type": "DateTimeLiteral", "value": "2023-01-01T00:00:00Z" }] }),
                "[2023-01-01T00:00:00Z]",
            ),
        ] {
            assert_eq!(of_value(&node), format!("option x = {expected}\n"), "{node}");
        }
    }

    #[test]
    fn a_tree_that_is_none_is_a_mistake() {
        for file in [json!("x"), json!({ "body": 3 }), json!({ "body": [{ "type": "X" }] })] {
            assert!(script(&file).is_err(), "{file}");
        }
    }

    #[test]
    fn a_node_that_is_no_value_is_refused_by_name() {
        let node = json!({ "type": "CallExpression" });
        let body = json!([{ "type": "VariableAssignment", "id": { "name": "x" }, "init": node }]);
        let refusal = script(&json!({ "body": body })).unwrap_err().to_string();
        assert_eq!(refusal, "`CallExpression` in `extern` is not in the stand-in's Flux");
    }
}
