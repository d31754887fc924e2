//! Names in queries: quoted for SQL and Flux, so that no name can become code.

/// An SQL identifier.
pub(crate) fn sql_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A Flux string literal.
pub(crate) fn flux_text(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for c in text.chars() {
        match c {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            _ => literal.push(c),
        }
    }
    literal.push('"');
    // `${` would begin an interpolation.
    literal.replace("${", "\\${")
}

/// A Flux array of string literals.
pub(crate) fn flux_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut array = String::from("[");
    for (index, text) in texts.into_iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        array += comma;
        array += &flux_text(text);
    }
    array.push(']');
    array
}

/// The predicate of a delete request that matches one series of a measurement.
pub(crate) fn series_predicate(measurement: &str, tags: &cutover_model::Tags) -> String {
    let quote = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut predicate = format!("_measurement={}", quote(measurement));
    for (key, value) in tags {
        predicate.extend([" AND ", &quote(key), "=", &quote(value)]);
    }
    predicate
}

/// Every instant that both stores can hold: Timestream refuses times before 1970, and queries at
/// the very ends of InfluxDB's own range do not end on some servers.
pub(crate) const FLUX_ALL_TIME: &str =
    "range(start: 1970-01-01T00:00:00Z, stop: 2262-01-01T00:00:00Z)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_cannot_end_a_flux_literal() {
        assert_eq!(flux_text("a\"b\\"), r#""a\"b\\""#);
    }

    #[test]
    fn an_interpolation_is_text() {
        assert_eq!(flux_text("${x}"), r#""\${x}""#);
    }

    #[test]
    fn a_quote_cannot_end_an_sql_name() {
        assert_eq!(sql_name("a\"b"), "\"a\"\"b\"");
    }

    #[test]
    fn a_predicate_names_every_tag() {
        let tags = [("region".to_owned(), "S\"E".to_owned())].into();
        assert_eq!(series_predicate("m", &tags), r#"_measurement="m" AND "region"="S\"E""#);
    }
}
