//! Reading queries: what is understood, and where a mistake is said to be.

use proptest::prelude::*;

use super::*;
use crate::influxql::ast::{Expr, Select};

fn parse(text: &str) -> Result<Vec<Statement>, String> {
    parse_query(text, &Parameters::new()).map_err(|error| error.to_string())
}

fn select(text: &str) -> Select {
    match parse(text).unwrap().remove(0) {
        Statement::Select(select) => *select,
        other => panic!("not a SELECT: {other:?}"),
    }
}

fn field(text: &str) -> String {
    select(&format!("SELECT {text} FROM m")).fields[0].expr.to_string()
}

/// The expression with parentheses around each operation.
fn grouped(expr: &Expr) -> String {
    match expr {
        Expr::Binary(binary) => {
            let op = binary.op.text();
            format!("[{} {op} {}]", grouped(&binary.left), grouped(&binary.right))
        }
        Expr::Paren(inner) => format!("({})", grouped(inner)),
        other => other.to_string(),
    }
}

#[test]
fn closer_operators_are_joined_first_and_equal_ones_from_the_left() {
    let expr = |text: &str| grouped(&select(&format!("SELECT {text} FROM m")).fields[0].expr);
    assert_eq!(expr("a + b * c - d"), "[[a + [b * c]] - d]");
    assert_eq!(expr("a / b / c % d"), "[[[a / b] / c] % d]");
    assert_eq!(expr("(a + b) * -c"), "[([a + b]) * [-1 * c]]");
    assert_eq!(expr("a | b & c ^ d"), "[[a | [b & c]] ^ d]");
}

#[test]
fn a_condition_over_thousands_of_values_is_no_deeper_than_their_logarithm() {
    fn depth(expr: &Expr) -> usize {
        match expr {
            Expr::Binary(binary) => 1 + depth(&binary.left).max(depth(&binary.right)),
            _ => 1,
        }
    }
    let many: Vec<String> = (0..4096).map(|value| format!("t = '{value}'")).collect();
    let select = select(&format!("SELECT v FROM m WHERE {}", many.join(" OR ")));
    assert_eq!(depth(&select.condition.unwrap()), 14);
}

#[test]
fn the_text_of_an_expression_is_the_server_s() {
    assert_eq!(field("mean(\"a b\") * 2"), "mean(\"a b\") * 2");
    assert_eq!(field("derivative(v, 90s)"), "derivative(v, 90s)");
    assert_eq!(field("\"select\"::tag"), "\"select\"::tag");
    assert_eq!(field("percentile(v, 5.0)"), "percentile(v, 5.0)");
}

#[test]
fn the_end_of_the_text_is_counted_once_as_itself_and_then_one_further() {
    let wrong = |text: &str| parse(text).unwrap_err();
    assert_eq!(wrong("SELECT v"), "found EOF, expected FROM at line 1, char 10");
    assert_eq!(wrong("SELECT v FROM m WHERE (a = 1"), "found EOF, expected ) at line 1, char 29");
    assert_eq!(wrong("SELECT v\nFROM m\nLIMIT x"), "found x, expected integer at line 3, char 7");
}

#[test]
fn bound_parameters_stand_for_one_token() {
    let bound = |token, text: &str| Bound { token, text: text.to_owned() };
    let parameters = Parameters::from([
        ("f".to_owned(), bound(Token::Ident, "a b")),
        ("v".to_owned(), bound(Token::String, "x' OR '1' = '1")),
    ]);
    let statements = parse_query("SELECT $f FROM m WHERE t = $v", &parameters).unwrap();
    let Statement::Select(select) = &statements[0] else { panic!("not a SELECT") };
    assert_eq!(select.fields[0].expr.to_string(), "\"a b\"");
    let condition = select.condition.as_ref().unwrap().to_string();
    assert_eq!(condition, "t = 'x\\' OR \\'1\\' = \\'1'");
}

#[test]
fn a_zone_is_found_by_its_exact_name() {
    assert!(parse("SELECT v FROM m tz('Europe/Berlin')").is_ok());
    let wrong = parse("SELECT v FROM m tz('europe/berlin')").unwrap_err();
    assert_eq!(wrong, "unable to find time zone europe/berlin");
}

#[test]
fn lengths_of_time_are_summed_and_checked() {
    assert_eq!(parse_duration("1h30m"), Ok(5_400_000_000_000));
    assert_eq!(parse_duration("1w2d3µ4u5ns"), Ok(777_600_000_007_005));
    for wrong in ["1", "1y", "h", "1h2"] {
        assert_eq!(parse_duration(wrong), Err("invalid duration".to_owned()), "{wrong}");
    }
    let overflow = "overflowed duration 20000w: choose a smaller duration or INF";
    assert_eq!(parse_duration("20000w"), Err(overflow.to_owned()));
}

/// Pieces of the language in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "SELECT",
        "v",
        "FROM",
        "m",
        "WHERE",
        "time",
        ">",
        "now()",
        "-",
        "1h",
        "(",
        ")",
        ",",
        "*",
        "/a/",
        "=~",
        "'x'",
        "\"y\"",
        "GROUP",
        "BY",
        "time(1m)",
        "fill(0)",
        "LIMIT",
        "3",
        "mean(v)",
        "AND",
        "OR",
        "SHOW",
        "TAG",
        "VALUES",
        "WITH",
        "KEY",
        "IN",
        ";",
        "$p",
        "::field",
        "1.5",
        "--",
        "/*",
        "\\",
        "tz('UTC')",
        "ORDER",
        "DESC",
        "é",
        "\n",
    ]);
    prop::collection::vec(piece, 0..25).prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,80}") {
        let _outcome = parse(&text);
    }

    #[test]
    fn no_order_of_the_words_makes_the_parser_panic(text in pieces()) {
        let _outcome = parse(&text);
    }
}
