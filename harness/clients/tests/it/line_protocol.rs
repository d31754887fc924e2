//! Line protocol: every row that is not refused reads back as itself, by the server's own rules.
//!
//! The reader here is written after the behaviour of InfluxDB 2.7.12 (what ends a line, a key and a
//! value, and what an escape is in each place), which differs from place to place. It shares
//! nothing with the encoder.

use std::collections::BTreeMap;

use cutover_clients::influx::Precision;
use cutover_clients::influx::line_protocol::{LineError, Part, Refusal, encode};
use cutover_model::{FieldValue, Row, Tags};
use proptest::prelude::*;

fn row(tags: &[(&str, &str)], fields: &[(&str, FieldValue)]) -> Row {
    let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let fields = fields.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
    Row { time_ns: 1, tags: tags.collect(), fields: fields.collect() }
}

fn one() -> FieldValue {
    FieldValue::Integer(1)
}

fn text(value: &str) -> FieldValue {
    FieldValue::Text(value.to_owned())
}

fn line(measurement: &str, row: &Row) -> Result<String, LineError> {
    let mut out = Vec::new();
    encode(&mut out, measurement, row, Precision::Nanoseconds)?;
    Ok(String::from_utf8(out).unwrap())
}

fn refusal(measurement: &str, row: &Row) -> (Part, Refusal) {
    let error = line(measurement, row).unwrap_err();
    (error.part, error.refusal)
}

#[test]
fn each_type_has_its_own_spelling() {
    let row = row(
        &[("t", "a")],
        &[
            ("f", FieldValue::Float(1.0)),
            ("i", FieldValue::Integer(-9_007_199_254_740_993)),
            ("s", text("x")),
            ("t", FieldValue::Boolean(true)),
            ("u", FieldValue::Unsigned(u64::MAX)),
        ],
    );
    let expected = "m,t=a f=1.0,i=-9007199254740993i,s=\"x\",t=true,u=18446744073709551615u 1\n";
    assert_eq!(line("m", &row).unwrap(), expected);
}

#[test]
fn floats_are_written_in_their_shortest_exact_form() {
    let cases = [
        (0.1, "0.1"),
        (-0.0, "-0.0"),
        (1e300, "1e300"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e308"),
    ];
    for (value, expected) in cases {
        let line = line("m", &row(&[], &[("f", FieldValue::Float(value))])).unwrap();
        assert_eq!(line, format!("m f={expected} 1\n"));
    }
}

#[test]
fn each_place_escapes_what_is_special_there() {
    let row = row(&[("a=b", "c d,e")], &[("f\"=g", text(r#"say "hi" \ "#))]);
    let expected = r#"m\,\ =,a\=b=c\ d\,e f\"\=g="say \"hi\" \\ " 1"#.to_owned() + "\n";
    assert_eq!(line("m, =", &row).unwrap(), expected);
}

#[test]
fn a_line_break_in_a_string_is_kept() {
    assert_eq!(line("m", &row(&[], &[("f", text("a\nb"))])).unwrap(), "m f=\"a\nb\" 1\n");
}

#[test]
fn a_backslash_within_a_tag_stays_as_it_is() {
    let row = row(&[("path", r"C:\data")], &[("f", one())]);
    assert_eq!(line("m", &row).unwrap(), "m,path=C:\\data f=1i 1\n");
}

#[test]
fn a_backslash_at_the_end_of_a_name_is_refused() {
    let trailing = Refusal::TrailingBackslash;
    let fields = [("f", one())];
    assert_eq!(refusal("m", &row(&[("t", r"a\")], &fields)), (Part::TagValue, trailing));
    assert_eq!(refusal("m", &row(&[(r"t\", "a")], &fields)), (Part::TagKey, trailing));
    assert_eq!(refusal(r"m\", &row(&[], &fields)), (Part::Measurement, trailing));
    assert_eq!(refusal("m", &row(&[], &[(r"f\", one())])), (Part::FieldKey, trailing));
}

#[test]
fn a_backslash_before_a_special_character_is_refused_where_it_is_ambiguous() {
    let inner = Refusal::InnerBackslash;
    for measurement in [r"a\,b", r"a\=b", r#"a\"b"#, r"a\ b", r"a\\,b"] {
        let row = row(&[], &[("f", one())]);
        assert_eq!(refusal(measurement, &row), (Part::Measurement, inner), "{measurement}");
    }
    assert_eq!(refusal("m", &row(&[], &[(r"a\=b", one())])), (Part::FieldKey, inner));
    assert_eq!(refusal("m", &row(&[("t", r"a\ b")], &[("f", one())])), (Part::TagValue, inner));
    assert!(line("m", &row(&[("t", r"a\,b\=c")], &[(r#"a\"b"#, one())])).is_ok());
}

#[test]
fn a_line_break_in_a_name_is_refused() {
    let fields = [("f", one())];
    assert_eq!(refusal("m", &row(&[("t", "a\nb")], &fields)), (Part::TagValue, Refusal::LineBreak));
    assert_eq!(refusal("m\n", &row(&[], &fields)), (Part::Measurement, Refusal::LineBreak));
}

#[test]
fn an_empty_name_is_refused() {
    let fields = [("f", one())];
    assert_eq!(refusal("m", &row(&[("t", "")], &fields)), (Part::TagValue, Refusal::Empty));
    assert_eq!(refusal("m", &row(&[("", "a")], &fields)), (Part::TagKey, Refusal::Empty));
    assert_eq!(refusal("", &row(&[], &fields)), (Part::Measurement, Refusal::Empty));
    assert_eq!(refusal("m", &row(&[], &[("", one())])), (Part::FieldKey, Refusal::Empty));
}

#[test]
fn a_reserved_name_is_refused() {
    let fields = [("f", one())];
    for key in ["time", "_field", "_measurement", "_x", "\0"] {
        assert_eq!(refusal("m", &row(&[(key, "a")], &fields)), (Part::TagKey, Refusal::Reserved));
    }
    for key in ["time", "_value"] {
        assert_eq!(refusal("m", &row(&[], &[(key, one())])), (Part::FieldKey, Refusal::Reserved));
    }
    assert_eq!(refusal("_m", &row(&[], &fields)), (Part::Measurement, Refusal::Reserved));
    assert!(line("time", &row(&[("t", "time")], &fields)).is_ok());
}

#[test]
fn a_measurement_that_reads_as_a_comment_is_refused() {
    let row = row(&[], &[("f", one())]);
    assert_eq!(refusal("#m", &row), (Part::Measurement, Refusal::FirstCharacter));
    assert!(line("m#", &row).is_ok());
}

#[test]
fn a_row_without_fields_is_refused() {
    assert_eq!(refusal("m", &row(&[], &[])), (Part::Measurement, Refusal::NoField));
}

#[test]
fn a_float_that_is_not_finite_is_refused() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let row = row(&[], &[("f", FieldValue::Float(value))]);
        assert_eq!(refusal("m", &row), (Part::Field, Refusal::NotFinite));
    }
}

#[test]
fn times_end_two_above_the_least_and_one_below_the_greatest_integer() {
    let at = |time_ns| line("m", &Row { time_ns, ..row(&[], &[("f", one())]) });
    assert!(at(i64::MIN + 2).is_ok());
    assert!(at(i64::MAX - 1).is_ok());
    for outside in [i64::MIN, i64::MIN + 1, i64::MAX] {
        assert_eq!(at(outside).unwrap_err().refusal, Refusal::TimeOutOfRange);
    }
}

#[test]
fn a_time_that_the_precision_would_cut_is_refused() {
    let at = |time_ns| {
        let mut out = Vec::new();
        let row = Row { time_ns, ..row(&[], &[("f", one())]) };
        encode(&mut out, "m", &row, Precision::Milliseconds).map(|()| out)
    };
    assert_eq!(at(-5_000_000).unwrap(), b"m f=1i -5\n");
    assert_eq!(at(5_000_001).unwrap_err().refusal, Refusal::TimeNotWhole);
}

#[test]
fn a_string_of_one_mebibyte_fits_and_one_byte_more_is_refused() {
    let of = |length| row(&[], &[("f", text(&"x".repeat(length)))]);
    assert!(line("m", &of(1024 * 1024)).is_ok());
    assert_eq!(refusal("m", &of(1024 * 1024 + 1)), (Part::Field, Refusal::TextTooLong));
}

#[test]
fn a_series_key_of_65535_bytes_fits_and_one_byte_more_is_refused() {
    // `m,t=` and the value, four bytes between, and the field key `f`.
    let of = |length| row(&[("t", &"x".repeat(length))], &[("f", one())]);
    assert!(line("m", &of(65_535 - 9)).is_ok());
    assert_eq!(refusal("m", &of(65_535 - 8)), (Part::FieldKey, Refusal::KeyTooLong));
}

#[test]
fn a_refused_row_leaves_nothing_behind() {
    let mut out = b"before\n".to_vec();
    let bad = row(&[("t", "a")], &[("f", one()), ("g", FieldValue::Float(f64::NAN))]);
    assert!(encode(&mut out, "m", &bad, Precision::Nanoseconds).is_err());
    assert_eq!(out, b"before\n");
}

#[test]
fn a_refusal_names_its_place_and_reason() {
    let error = line("m", &row(&[("t", r"C:\")], &[("f", one())])).unwrap_err();
    assert_eq!(error.to_string(), r"tag value `C:\` ends in a backslash");
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,6}",
        prop::collection::vec(
            prop::sample::select(vec!['a', 'é', ',', '=', ' ', '\\', '"', '#', '\t', '\r']),
            1..7,
        )
        .prop_map(String::from_iter),
    ]
}

fn value() -> impl Strategy<Value = FieldValue> {
    prop_oneof![
        any::<f64>().prop_filter("finite", |value| value.is_finite()).prop_map(FieldValue::Float),
        any::<i64>().prop_map(FieldValue::Integer),
        any::<u64>().prop_map(FieldValue::Unsigned),
        any::<bool>().prop_map(FieldValue::Boolean),
        "[a,=\\\\\" \n#é]{0,8}".prop_map(FieldValue::Text),
    ]
}

prop_compose! {
    fn rows()(
        time_ns in i64::MIN + 2..i64::MAX,
        tags in prop::collection::btree_map(name(), name(), 0..3),
        fields in prop::collection::btree_map(name(), value(), 1..4),
    ) -> Row {
        Row { time_ns, tags, fields }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn what_is_not_refused_reads_back_as_itself(
        rows in prop::collection::vec((name(), rows()), 1..4),
    ) {
        let mut out = Vec::new();
        let mut written = Vec::new();
        for (measurement, row) in rows {
            let length = out.len();
            if encode(&mut out, &measurement, &row, Precision::Nanoseconds).is_ok() {
                written.push((measurement, row));
            } else {
                prop_assert_eq!(out.len(), length);
            }
        }
        prop_assert_eq!(read(&out), Ok(written));
    }

    #[test]
    fn what_needs_no_backslash_of_its_own_is_never_refused(
        measurement in "[a-zé,= \"]{1,8}",
        key in "[a-zé,= \"]{1,8}",
        value in "[a-zé,= \"#]{1,8}",
    ) {
        prop_assume!(key != "time");
        let row = row(&[(&key, &value)], &[(&key, text(&value))]);
        prop_assert!(line(&measurement, &row).is_ok());
    }
}

/// Reads a body as the server does.
fn read(body: &[u8]) -> Result<Vec<(String, Row)>, String> {
    let mut rest = body;
    let mut rows = Vec::new();
    while !rest.is_empty() {
        let end = line_end(rest);
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        let line = skip_blank(line);
        if !line.is_empty() && line[0] != b'#' {
            rows.push(read_line(line)?);
        }
    }
    Ok(rows)
}

/// Lines are split by pairs: a backslash takes the next byte with it, wherever it stands.
fn line_end(text: &[u8]) -> usize {
    let (mut at, mut quoted, mut in_fields) = (0, false, false);
    let (mut equals, mut commas) = (0, 0);
    while at < text.len() {
        match text[at] {
            b'\\' if at + 2 < text.len() => at += 1,
            b' ' if !in_fields => in_fields = true,
            b'=' if in_fields && !quoted => equals += 1,
            b',' if in_fields && !quoted => commas += 1,
            b'"' if in_fields && equals > commas => quoted = !quoted,
            b'\n' if !quoted => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

/// Measurement and tags are split by the one byte before, fields by pairs.
fn read_line(line: &[u8]) -> Result<(String, Row), String> {
    let name_end = unescaped(line, 1, b", ")?;
    let measurement = unescape(&line[..name_end], b", ");
    if unescape(measurement.as_bytes(), b",\" =") != measurement {
        return Err(
            "the index knows another name than the data, and the points are lost".to_owned()
        );
    }
    let (mut at, mut tags) = (name_end, Tags::new());
    while line[at] == b',' {
        let equals = unescaped(line, at + 2, b"= ,")?;
        if line[equals] != b'=' {
            return Err("missing tag value".to_owned());
        }
        let end = unescaped(line, equals + 2, b", =")?;
        if line[end] == b'=' {
            return Err("invalid tag format".to_owned());
        }
        let key = unescape(&line[at + 1..equals], b", =");
        if tags.insert(key, unescape(&line[equals + 1..end], b", =")).is_some() {
            return Err("duplicate tags".to_owned());
        }
        at = end;
    }
    let rest = skip_blank(&line[at..]);
    let end = fields_end(rest)?;
    let fields = read_fields(&rest[..end])?;
    let time = std::str::from_utf8(&rest[end + 1..]).map_err(|cause| cause.to_string())?;
    let time_ns = time.parse().map_err(|_| format!("no time: {time}"))?;
    Ok((measurement, Row { time_ns, tags, fields }))
}

/// The first byte of `stops` from `from` whose predecessor is no backslash.
fn unescaped(text: &[u8], from: usize, stops: &[u8]) -> Result<usize, String> {
    (from..text.len())
        .find(|at| stops.contains(&text[*at]) && text[*at - 1] != b'\\')
        .ok_or_else(|| format!("nothing ends {}", String::from_utf8_lossy(text)))
}

fn fields_end(text: &[u8]) -> Result<usize, String> {
    let (mut at, mut quoted, mut equals, mut commas) = (0, false, 0, 0);
    while at < text.len() {
        match text[at] {
            b'\\' => at += 1,
            b'"' if equals > commas => quoted = !quoted,
            b'=' if !quoted => equals += 1,
            b',' if !quoted => commas += 1,
            b' ' if !quoted => break,
            _ => {}
        }
        at += 1;
    }
    if quoted || equals == 0 || equals != commas + 1 || at >= text.len() {
        return Err("invalid field format".to_owned());
    }
    Ok(at)
}

fn read_fields(mut text: &[u8]) -> Result<BTreeMap<String, FieldValue>, String> {
    let mut fields = BTreeMap::new();
    while !text.is_empty() {
        let equals = (0..text.len())
            .find(|at| text[*at] == b'=' && (*at == 0 || text[*at - 1] != b'\\'))
            .ok_or("a field without a value")?;
        let key = unescape(&text[..equals], b",\" =");
        text = &text[equals + 1..];
        let end = value_end(text);
        if fields.insert(key, read_value(&text[..end])?).is_some() {
            return Err("a field twice".to_owned());
        }
        text = text.get(end + 1..).unwrap_or_default();
    }
    Ok(fields)
}

fn value_end(text: &[u8]) -> usize {
    let (mut at, mut quoted) = (0, false);
    while at < text.len() {
        match text[at] {
            b'\\' if matches!(text.get(at + 1), Some(b'"' | b'\\')) => at += 1,
            b'"' => quoted = !quoted,
            b',' if !quoted => return at,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

fn read_value(text: &[u8]) -> Result<FieldValue, String> {
    let spelt = String::from_utf8(text.to_vec()).map_err(|cause| cause.to_string())?;
    let bad = || format!("no value: {spelt}");
    if let Some(inner) = spelt.strip_prefix('"') {
        let inner = inner.strip_suffix('"').ok_or_else(bad)?;
        return Ok(FieldValue::Text(unescape(inner.as_bytes(), b"\\\"")));
    }
    if let Some(digits) = spelt.strip_suffix('i') {
        return digits.parse().map(FieldValue::Integer).map_err(|_| bad());
    }
    if let Some(digits) = spelt.strip_suffix('u') {
        return digits.parse().map(FieldValue::Unsigned).map_err(|_| bad());
    }
    match &*spelt {
        "true" => Ok(FieldValue::Boolean(true)),
        "false" => Ok(FieldValue::Boolean(false)),
        number => number.parse().map(FieldValue::Float).map_err(|_| bad()),
    }
}

/// A backslash before one of `escaped` vanishes; any other stays.
fn unescape(text: &[u8], escaped: &[u8]) -> String {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if text[at] == b'\\' && text.get(at + 1).is_some_and(|next| escaped.contains(next)) {
            at += 1;
        }
        out.push(text[at]);
        at += 1;
    }
    String::from_utf8(out).unwrap()
}

fn skip_blank(text: &[u8]) -> &[u8] {
    let blank = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | 0)).count();
    &text[blank..]
}
