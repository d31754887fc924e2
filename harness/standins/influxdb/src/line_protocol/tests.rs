//! What a line may and may not be. The expectations were read off a server of release 2.7.12.

use proptest::prelude::*;

use super::*;

fn fields(body: &str) -> Vec<(String, Value<'_>)> {
    let batch = parse(body.as_bytes(), Precision::Nanoseconds, 0).unwrap();
    let text = |key: &[u8]| String::from_utf8(key.to_vec()).unwrap();
    batch.fields.iter().map(|field| (text(&field.key), field.value)).collect()
}

fn value(text: &str) -> Option<Value<'static>> {
    let line = format!("m v={text} 1").leak();
    let batch = parse(line.as_bytes(), Precision::Nanoseconds, 0).ok()?;
    Some(batch.fields[0].value)
}

fn complaint(line: &str) -> String {
    let error = parse(line.as_bytes(), Precision::Nanoseconds, 0).unwrap_err().to_string();
    error.rsplit("': ").next().unwrap().to_owned()
}

fn times(body: &str, precision: Precision) -> Vec<i64> {
    let batch = parse(body.as_bytes(), precision, 1_999_999_999).unwrap();
    batch.points.iter().map(|point| point.time_ns).collect()
}

fn key(line: &str) -> String {
    let batch = parse(line.as_bytes(), Precision::Nanoseconds, 0).unwrap();
    String::from_utf8(batch.points[0].key.to_vec()).unwrap()
}

#[test]
fn each_type_of_field_is_told_by_its_spelling() {
    let expected = [
        ("f", Value::Float(1.0)),
        ("i", Value::Integer(-2)),
        ("u", Value::Unsigned(3)),
        ("b", Value::Boolean(true)),
        ("s", Value::Text(b"x")),
    ];
    let found = fields("m f=1,i=-2i,u=3u,b=T,s=\"x\" 1");
    let found: Vec<_> = found.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    assert_eq!(found, expected);
}

#[test]
fn numbers_that_the_server_takes_are_taken() {
    for (text, expected) in
        [("1.", 1.0), (".5", 0.5), ("1E+5", 1e5), ("-0", -0.0), ("00012", 12.0), ("1e-5", 1e-5)]
    {
        assert_eq!(value(text), Some(Value::Float(expected)), "{text}");
    }
}

#[test]
fn numbers_that_the_server_refuses_are_refused() {
    for text in [
        "NaN",
        "nan",
        "N",
        "Inf",
        "-Inf",
        "+5",
        "-",
        ".",
        "-.",
        "1e",
        "1e400",
        "--1",
        "1-5",
        "0x1",
        "1.5i",
        "9i10",
        "i",
        "u",
        "-i",
        "1ii",
        "-1u",
        "1_0",
        "9223372036854775808i",
        "18446744073709551616u",
    ] {
        assert_eq!(value(text), None, "{text}");
    }
}

#[test]
fn the_ends_of_the_integers_are_kept() {
    assert_eq!(value("9223372036854775807i"), Some(Value::Integer(i64::MAX)));
    assert_eq!(value("-9223372036854775808i"), Some(Value::Integer(i64::MIN)));
    assert_eq!(value("18446744073709551615u"), Some(Value::Unsigned(u64::MAX)));
}

#[test]
fn booleans_have_five_spellings_each() {
    for (spellings, expected) in
        [(["t", "T", "true", "True", "TRUE"], true), (["f", "F", "false", "False", "FALSE"], false)]
    {
        for text in spellings {
            assert_eq!(value(text), Some(Value::Boolean(expected)), "{text}");
        }
    }
    assert_eq!(value("tRue"), None);
    assert_eq!(value("yes"), None);
}

#[test]
fn a_text_unescapes_quotes_and_backslashes_only() {
    let Some(Value::Text(raw)) = value(r#""a\"b\\c\d""#) else { panic!("no text") };
    assert_eq!(&*unescape_text(raw), br#"a"b\c\d"#);
}

#[test]
fn a_text_may_hold_a_line_break() {
    assert_eq!(value("\"a\nb\""), Some(Value::Text(b"a\nb")));
}

#[test]
fn what_follows_a_closing_quote_belongs_to_the_text() {
    assert_eq!(value("\"a\"b"), Some(Value::Text(b"a\"")));
}

#[test]
fn broken_lines_get_the_words_of_the_server() {
    for (line, expected) in [
        ("m", "missing fields"),
        (",t=a v=1", "missing measurement"),
        ("m,t v=1", "missing tag value"),
        ("m,t= v=1", "missing tag value"),
        ("m,=a v=1", "missing tag key"),
        ("m, v=1", "missing tag key"),
        ("m,t=a=b v=1", "invalid tag format"),
        ("m,t=a,t=b v=1", "duplicate tags"),
        ("m,b=1,a=2,b=3 v=1", "duplicate tags"),
        ("m,time=1 v=1", "cannot use reserved tag key \"time\""),
        ("m,_field=a v=1", "cannot use reserved tag key \"_field\""),
        ("m v", "invalid field format"),
        ("m v=1,", "invalid field format"),
        ("m v=", "missing field value"),
        ("m v=,w=1", "missing field value"),
        ("m =1", "missing field key"),
        ("m v=\"a", "unbalanced quotes"),
        ("m v=yes", "invalid boolean"),
        ("m v=1 abc", "bad timestamp"),
        ("m v=1 1.5", "bad timestamp"),
        ("m v=1 1 2", "point is invalid"),
    ] {
        assert_eq!(complaint(line), expected, "{line}");
    }
}

#[test]
fn a_bad_line_is_quoted_with_its_complaint() {
    let error = parse(b"m v=1 1\nbad\nm v=x 2", Precision::Nanoseconds, 0).unwrap_err();
    let expected = "unable to parse 'bad': missing fields\n\
                    unable to parse 'm v=x 2': invalid boolean";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn tags_in_any_order_make_one_key() {
    assert_eq!(key("m,b=2,a=1 v=1"), "m,a=1,b=2");
    assert_eq!(key("m,a=1,b=2 v=1"), "m,a=1,b=2");
}

#[test]
fn escapes_in_a_key_are_undone() {
    let parts = split_key(br"m\,x,a\ b=c\=d v=1".split(|byte| *byte == b'v').next().unwrap());
    assert_eq!(parts.measurement, b"m,x");
    assert_eq!(parts.tags[0].0, b"a b");
}

#[test]
fn a_backslash_at_the_end_of_a_tag_takes_the_comma_with_it() {
    assert_eq!(complaint(r"m,a=1\ v=1 1"), "invalid tag format");
    assert_eq!(split_key(br"m,a=1\,b=2").tags[0].1, b"1,b=2");
}

#[test]
fn a_key_that_the_server_would_write_otherwise_is_not_readable() {
    for unreadable in [&br"m\=x"[..], b"m,a==b"] {
        assert!(!split_key(unreadable).readable, "{}", String::from_utf8_lossy(unreadable));
    }
    for readable in [&b"m=x"[..], br"m\,x,a\ b=c\=d", b"m,a=b"] {
        assert!(split_key(readable).readable, "{}", String::from_utf8_lossy(readable));
    }
}

#[test]
fn comments_and_empty_lines_are_skipped() {
    assert_eq!(times("# c\n\n \nm v=1 1\n", Precision::Nanoseconds), [1]);
}

#[test]
fn a_time_counts_in_the_unit_of_the_request() {
    assert_eq!(times("m v=1 7", Precision::Seconds), [7_000_000_000]);
    assert_eq!(times("m v=1 7", Precision::Milliseconds), [7_000_000]);
    assert_eq!(times("m v=1 7", Precision::Microseconds), [7_000]);
}

#[test]
fn a_line_without_a_time_gets_now_cut_to_the_unit() {
    assert_eq!(times("m v=1", Precision::Seconds), [1_000_000_000]);
    assert_eq!(times("m v=1", Precision::Nanoseconds), [1_999_999_999]);
}

#[test]
fn the_ends_of_time_are_where_the_server_has_them() {
    assert_eq!(times("m v=1 9223372036854775806", Precision::Nanoseconds), [MAX_TIME_NS]);
    assert_eq!(times("m v=1 -9223372036854775806", Precision::Nanoseconds), [MIN_TIME_NS]);
    for beyond in ["9223372036854775807", "-9223372036854775807"] {
        assert!(complaint(&format!("m v=1 {beyond}")).starts_with("time outside range"));
    }
}

#[test]
fn a_key_of_more_than_65535_bytes_is_refused() {
    let line = |length: usize| format!("m,t={} v=1 1", "a".repeat(length));
    assert!(parse(line(65_500).as_bytes(), Precision::Nanoseconds, 0).is_ok());
    assert!(complaint(&line(65_540)).starts_with("max key length exceeded"));
    // The field key counts, too, with four bytes between them.
    assert!(complaint(&line(65_528)).starts_with("max key length exceeded"));
}

#[test]
fn a_quote_in_a_tag_hides_no_line_break() {
    let batch = parse(b"m,t=\" v=1 1\nm,t=b v=2 2", Precision::Nanoseconds, 0).unwrap();
    assert_eq!(batch.points.len(), 2);
}

proptest! {
    #[test]
    fn no_body_makes_the_parser_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _outcome = parse(&body, Precision::Nanoseconds, 0);
    }

    #[test]
    fn no_body_of_likely_bytes_makes_the_parser_panic(body in "[mt,= \"\\\\\n1.eiu-]{0,60}") {
        let outcome = parse(body.as_bytes(), Precision::Nanoseconds, 0);
        if let Ok(batch) = outcome {
            for point in &batch.points {
                split_key(&point.key);
            }
        }
    }

    #[test]
    fn every_finite_float_is_read_back_bit_for_bit(number in proptest::num::f64::NORMAL) {
        let text = format!("{number:?}");
        prop_assert_eq!(value(&text), Some(Value::Float(number)));
    }
}

#[test]
fn complaints_about_many_lines_are_bounded_and_those_about_a_few_are_whole() {
    let of = |count: usize| {
        let body = "x\n".repeat(count);
        parse(body.as_bytes(), Precision::Nanoseconds, 0).unwrap_err().to_string()
    };
    assert_eq!(of(2), "unable to parse 'x': missing fields\nunable to parse 'x': missing fields");
    assert!(of(1_000_000).len() < 2 << 20);
}

#[test]
fn each_byte_that_is_no_character_is_shown_as_one() {
    assert_eq!(shown(b"a\xf0\x9fb\xff"), "a\u{fffd}\u{fffd}b\u{fffd}");
}
